import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { givenId } from '../given-ids.ts';
import { asked, paged, passes } from './filters.ts';
import type { SecurityGroup, Subnet, Vpc } from './records.ts';
import type { Ec2State } from './state.ts';
import { tagList, tagsFor } from './tags.ts';

/** Networks are names that other things refer to; no packet ever crosses one. */
const describeVpc = ({ id, cidr, tags }: Vpc, { account }: { account: string }): SDK.Vpc => ({
  VpcId: id,
  CidrBlock: cidr,
  State: 'available',
  IsDefault: false,
  OwnerId: account,
  Tags: tagList(tags),
});

const describeSubnet = ({ id, vpc, cidr, zone, tags }: Subnet, { account }: { account: string }): SDK.Subnet => ({
  SubnetId: id,
  VpcId: vpc,
  CidrBlock: cidr,
  AvailabilityZone: zone,
  State: 'available',
  OwnerId: account,
  Tags: tagList(tags),
});

const describeGroup = (
  { id, vpc, name, description, tags }: SecurityGroup,
  { account }: { account: string },
): SDK.SecurityGroup => ({
  GroupId: id,
  VpcId: vpc,
  GroupName: name,
  Description: description,
  OwnerId: account,
  Tags: tagList(tags),
});

export const networks = operations<typeof SDK, Ec2State>()({
  CreateVpc({ CidrBlock, TagSpecifications }, context) {
    const cidr = CidrBlock ?? refuse('MissingParameter', 'The request must contain the parameter cidrBlock');
    const { account, region, state } = context;
    const vpc = {
      id: givenId('vpc', [account, region, cidr], (id) => state.vpcs.has(id)),
      cidr,
      tags: tagsFor('vpc', TagSpecifications),
    };
    state.vpcs.set(vpc.id, vpc);
    return { Vpc: describeVpc(vpc, context) };
  },

  DescribeVpcs({ VpcIds, Filters, ...paging }, context) {
    const { state } = context;
    const all = asked(VpcIds, state.vpcs.values(), (id) => state.vpc(id)).filter(({ id, cidr, tags }) =>
      passes(Filters, { 'vpc-id': id, cidr, state: 'available', 'is-default': 'false' }, tags),
    );
    const { page, ...next } = paged(all, paging);
    return { Vpcs: page.map((vpc) => describeVpc(vpc, context)), ...next };
  },

  CreateSubnet({ VpcId, CidrBlock, AvailabilityZone, AvailabilityZoneId, TagSpecifications }, context) {
    const { state } = context;
    const { id: vpc } = state.vpc(VpcId);
    const cidr = CidrBlock ?? refuse('MissingParameter', 'The request must contain the parameter cidrBlock');
    const subnet: Subnet = {
      id: givenId('subnet', [vpc, cidr], (id) => state.subnets.has(id)),
      vpc,
      cidr,
      zone: state.zone(AvailabilityZone, AvailabilityZoneId) ?? (state.zones[0] as string),
      tags: tagsFor('subnet', TagSpecifications),
    };
    state.subnets.set(subnet.id, subnet);
    return { Subnet: describeSubnet(subnet, context) };
  },

  DescribeSubnets({ SubnetIds, Filters, ...paging }, context) {
    const { state } = context;
    const all = asked(SubnetIds, state.subnets.values(), (id) => state.subnet(id)).filter(({ id, vpc, zone, cidr, tags }) =>
      passes(
        Filters,
        { 'subnet-id': id, 'vpc-id': vpc, 'availability-zone': zone, 'cidr-block': cidr, state: 'available' },
        tags,
      ),
    );
    const { page, ...next } = paged(all, paging);
    return { Subnets: page.map((subnet) => describeSubnet(subnet, context)), ...next };
  },

  CreateSecurityGroup({ GroupName = '', Description = '', VpcId, TagSpecifications }, { state, id }) {
    const vpc = state.vpc(VpcId).id;
    if ([...state.groups.values()].some((group) => group.vpc === vpc && group.name === GroupName))
      refuse('InvalidGroup.Duplicate', `The security group '${GroupName}' already exists for VPC '${vpc}'`);
    const group = {
      id: id('sg'),
      vpc,
      name: GroupName,
      description: Description,
      tags: tagsFor('security-group', TagSpecifications),
    };
    state.groups.set(group.id, group);
    return { GroupId: group.id, Tags: tagList(group.tags) };
  },

  DescribeSecurityGroups({ GroupIds, GroupNames, Filters, ...paging }, context) {
    const { state } = context;
    const all = asked(GroupIds, state.groups.values(), (id) => state.group(id)).filter(
      ({ id, vpc, name, description, tags }) =>
        (!GroupNames?.length || GroupNames.includes(name)) &&
        passes(Filters, { 'group-id': id, 'vpc-id': vpc, 'group-name': name, description }, tags),
    );
    const { page, ...next } = paged(all, paging);
    return { SecurityGroups: page.map((group) => describeGroup(group, context)), ...next };
  },
});
