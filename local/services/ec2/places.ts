import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { dryRun, like, paged, passes, tagList, tagsFor } from './filters.ts';
import type { Ec2State } from './state.ts';

const REGIONS = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-central-1', 'ap-southeast-1', 'ap-northeast-1'];

/** Regions, zones, networks and tags: where things are and what they bear. */
export const places = operations<typeof SDK, Ec2State>()({
  DescribeRegions({ RegionNames }) {
    const names = RegionNames?.length ? RegionNames : REGIONS;
    for (const name of names) if (!REGIONS.includes(name)) refuse('InvalidParameterValue', `Invalid region provided: ${name}`);
    return { Regions: names.map((RegionName) => ({ RegionName, Endpoint: `ec2.${RegionName}.amazonaws.com`, OptInStatus: 'opt-in-not-required' })) };
  },

  DescribeAvailabilityZones({ ZoneNames }, { state, region }) {
    const names = ZoneNames?.length ? ZoneNames : state.zones;
    for (const name of names) if (!state.zones.includes(name)) refuse('InvalidParameterValue', `Invalid availability zone: ${name}`);
    return {
      AvailabilityZones: names.map((ZoneName) => ({
        ZoneName,
        ZoneId: `${region.replaceAll(/[^a-z0-9]/g, '')}-az${1 + state.zones.indexOf(ZoneName)}`,
        RegionName: region,
        State: 'available' as const,
        ZoneType: 'availability-zone',
      })),
    };
  },

  CreateVpc({ CidrBlock = '10.0.0.0/16', TagSpecifications }, { state, id }) {
    const vpc = { id: id('vpc'), cidr: CidrBlock, tags: tagsFor('vpc', TagSpecifications) };
    state.vpcs.set(vpc.id, vpc);
    return { Vpc: { VpcId: vpc.id, CidrBlock, State: 'available', Tags: tagList(vpc.tags) } };
  },

  DescribeVpcs({ VpcIds, Filters }, { state }) {
    const all = [...state.vpcs.values()].filter(({ id, cidr, tags }) => (!VpcIds?.length || VpcIds.includes(id)) && passes(Filters, { 'vpc-id': id, cidr }, tags));
    return { Vpcs: all.map(({ id, cidr, tags }) => ({ VpcId: id, CidrBlock: cidr, State: 'available' as const, Tags: tagList(tags) })) };
  },

  CreateSubnet({ VpcId = '', CidrBlock = '', AvailabilityZone, TagSpecifications }, { state, id }) {
    if (!state.vpcs.has(VpcId)) refuse('InvalidVpcID.NotFound', `The vpc ID '${VpcId}' does not exist`);
    const subnet = { id: id('subnet'), vpc: VpcId, cidr: CidrBlock, zone: AvailabilityZone ?? (state.zones[0] as string), tags: tagsFor('subnet', TagSpecifications) };
    state.subnets.set(subnet.id, subnet);
    return { Subnet: { SubnetId: subnet.id, VpcId, CidrBlock, AvailabilityZone: subnet.zone, State: 'available' } };
  },

  DescribeSubnets({ SubnetIds, Filters }, { state }) {
    for (const id of SubnetIds ?? []) if (!state.subnets.has(id)) refuse('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`);
    const all = [...state.subnets.values()].filter(
      ({ id, vpc, zone, tags }) => (!SubnetIds?.length || SubnetIds.includes(id)) && passes(Filters, { 'subnet-id': id, 'vpc-id': vpc, 'availability-zone': zone }, tags),
    );
    return { Subnets: all.map(({ id, vpc, cidr, zone, tags }) => ({ SubnetId: id, VpcId: vpc, CidrBlock: cidr, AvailabilityZone: zone, State: 'available' as const, Tags: tagList(tags) })) };
  },

  CreateSecurityGroup({ GroupName = '', Description = '', VpcId = '', TagSpecifications }, { state, id }) {
    const group = { id: id('sg'), vpc: VpcId, name: GroupName, description: Description, tags: tagsFor('security-group', TagSpecifications) };
    state.groups.set(group.id, group);
    return { GroupId: group.id, Tags: tagList(group.tags) };
  },

  DescribeSecurityGroups({ GroupIds, Filters }, { state }) {
    for (const id of GroupIds ?? []) if (!state.groups.has(id)) refuse('InvalidGroup.NotFound', `The security group '${id}' does not exist`);
    const all = [...state.groups.values()].filter(
      ({ id, vpc, name, tags }) => (!GroupIds?.length || GroupIds.includes(id)) && passes(Filters, { 'group-id': id, 'vpc-id': vpc, 'group-name': name }, tags),
    );
    return { SecurityGroups: all.map(({ id, vpc, name, description, tags }) => ({ GroupId: id, VpcId: vpc, GroupName: name, Description: description, Tags: tagList(tags) })) };
  },

  CreateTags(input, { state }) {
    dryRun(input);
    for (const id of input.Resources ?? []) {
      const found = state.tagged(id) ?? refuse('InvalidID', `The ID '${id}' is not valid`);
      for (const { Key, Value } of input.Tags ?? []) found.tags[Key as string] = Value ?? '';
    }
    return {};
  },

  DeleteTags(input, { state }) {
    dryRun(input);
    for (const id of input.Resources ?? []) {
      const { tags } = state.tagged(id) ?? refuse('InvalidID', `The ID '${id}' is not valid`);
      for (const key of input.Tags ? input.Tags.map(({ Key }) => Key as string) : Object.keys(tags)) delete tags[key];
    }
    return {};
  },

  DescribeTags({ Filters, MaxResults, NextToken }, { state }) {
    const all = state
      .allTagged()
      .flatMap(({ type, id, tags }) => Object.entries(tags).map(([Key, Value]) => ({ ResourceId: id, ResourceType: type as SDK.ResourceType, Key, Value })))
      .filter((tag) =>
        (Filters ?? []).every(({ Name, Values = [] }) => {
          const actual = { 'resource-id': tag.ResourceId, 'resource-type': tag.ResourceType, key: tag.Key, value: tag.Value }[Name ?? ''];
          return actual !== undefined && Values.some((wanted) => like(wanted, actual));
        }),
      );
    const { page, ...next } = paged(all, MaxResults, NextToken);
    return { Tags: page, ...next };
  },
});
