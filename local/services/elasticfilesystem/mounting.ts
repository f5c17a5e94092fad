import type * as SDK from '@aws-sdk/client-efs';
import { type Context, operations } from '../../world/service.ts';
import type { Ec2State } from '../ec2/state.ts';
import { pageOf } from '../pages.ts';
import { type AccessPoint, type EfsState, type MountTarget, refused, tagList, tagsOf } from './state.ts';

const describePoint = (of: AccessPoint, { account }: EfsState): SDK.AccessPointDescription => ({
  AccessPointId: of.id,
  AccessPointArn: of.arn,
  FileSystemId: of.fileSystem,
  ClientToken: of.token,
  OwnerId: account,
  LifeCycleState: of.state,
  RootDirectory: of.root,
  Tags: tagList(of.tags),
  ...(of.user ? { PosixUser: of.user } : {}),
  ...(of.tags['Name'] === undefined ? {} : { Name: of.tags['Name'] }),
});

export const accessPoints = operations<typeof SDK, EfsState>()({
  /** A token that was used says so and names what it made (EFS API, CreateAccessPoint). */
  CreateAccessPoint({ FileSystemId, ClientToken: token = '', PosixUser, RootDirectory, Tags }, { state, id }) {
    const { id: fileSystem } = state.available(FileSystemId);
    const known = [...state.accessPoints.values()].find((one) => one.token === token);
    if (known)
      refused('AccessPointAlreadyExists', `Access point ${known.id} already exists with this token.`, {
        AccessPointId: known.id,
      });
    const made: AccessPoint = {
      id: id('fsap'),
      arn: '',
      fileSystem,
      token,
      user: PosixUser,
      root: { Path: '/', ...RootDirectory },
      state: 'creating',
      tags: tagsOf(Tags),
    };
    Object.assign(made, { arn: state.arn('access-point', made.id) });
    state.accessPoints.set(made.id, made);
    state.soon(() => {
      if (made.state === 'creating') made.state = 'available';
    });
    return describePoint(made, state);
  },

  DescribeAccessPoints({ AccessPointId, FileSystemId, MaxResults = 100, NextToken }, { state }) {
    if (AccessPointId) return { AccessPoints: [describePoint(state.accessPoint(AccessPointId), state)] };
    const of = FileSystemId && state.fileSystem(FileSystemId).id;
    const all = [...state.accessPoints.values()].filter(({ fileSystem }) => !of || fileSystem === of);
    const { page, next } = pageOf(all, MaxResults, NextToken) ?? refused('BadRequest', `The token '${NextToken}' is invalid.`);
    return { AccessPoints: page.map((one) => describePoint(one, state)), ...(next ? { NextToken: next } : {}) };
  },

  DeleteAccessPoint({ AccessPointId }, { state }) {
    state.accessPoints.delete(state.accessPoint(AccessPointId).id);
    return {};
  },
});

const describeTarget = (of: MountTarget, { account }: EfsState): SDK.MountTargetDescription => ({
  MountTargetId: of.id,
  FileSystemId: of.fileSystem,
  SubnetId: of.subnet,
  VpcId: of.vpc,
  AvailabilityZoneName: of.zone,
  IpAddress: of.address,
  NetworkInterfaceId: of.networkInterface,
  LifeCycleState: of.state,
  OwnerId: account,
});

/** Security groups of one mount target (EFS quotas). */
const MOST_GROUPS = 5;

function groupsIn(names: readonly string[], vpc: string, ec2: Ec2State): readonly string[] {
  if (names.length > MOST_GROUPS)
    refused('SecurityGroupLimitExceeded', `A mount target has up to ${MOST_GROUPS} security groups.`);
  const missing = names.find((name) => ec2.groups.get(name)?.vpc !== vpc);
  if (missing) refused('SecurityGroupNotFound', `The security group '${missing}' does not exist in ${vpc}.`);
  return names;
}

/** One mount target in each zone, all of them in one VPC (EFS API, CreateMountTarget). */
function mount(
  { FileSystemId, SubnetId = '', IpAddress, SecurityGroups = [] }: SDK.CreateMountTargetRequest,
  { state, peer, id, world }: Context<EfsState>,
): MountTarget {
  const ec2 = peer<Ec2State>('ec2');
  const of = state.available(FileSystemId);
  const subnet = ec2.subnets.get(SubnetId) ?? refused('SubnetNotFound', `The subnet ID '${SubnetId}' does not exist`);
  const others = state.mountTargetsOf(of);
  if (others.some(({ vpc }) => vpc !== subnet.vpc))
    refused('MountTargetConflict', 'requested subnet for new mount target is not in the same VPC as existing mount targets');
  if (others.some(({ zone }) => zone === subnet.zone)) refused('MountTargetConflict', 'mount target already exists in this AZ');
  if (of.zone !== undefined && of.zone !== subnet.zone)
    refused('AvailabilityZonesMismatch', `File system '${of.id}' is in ${of.zone}, and the subnet in ${subnet.zone}.`);
  return {
    id: id('fsmt'),
    fileSystem: of.id,
    subnet: subnet.id,
    vpc: subnet.vpc,
    zone: subnet.zone,
    address: IpAddress ?? `10.${world.random.integer(0, 255)}.${world.random.integer(0, 255)}.${world.random.integer(4, 254)}`,
    networkInterface: id('eni'),
    state: 'creating',
    securityGroups: groupsIn(SecurityGroups, subnet.vpc, ec2),
  };
}

export const mountTargets = operations<typeof SDK, EfsState>()({
  CreateMountTarget(input, context) {
    const { state } = context;
    const made = mount(input, context);
    state.mountTargets.set(made.id, made);
    state.soon(() => {
      if (made.state === 'creating') made.state = 'available';
    });
    return describeTarget(made, state);
  },

  DescribeMountTargets({ FileSystemId, MountTargetId, AccessPointId, MaxItems = 100, Marker }, { state }) {
    const of = AccessPointId ? state.accessPoint(AccessPointId).fileSystem : FileSystemId && state.fileSystem(FileSystemId).id;
    if (!of && !MountTargetId) refused('BadRequest', 'Name a file system, an access point or a mount target.');
    const all = [...state.mountTargets.values()].filter(({ id, fileSystem }) =>
      MountTargetId ? id === MountTargetId : fileSystem === of,
    );
    if (MountTargetId && all.length === 0) refused('MountTargetNotFound', `Mount target '${MountTargetId}' does not exist.`);
    const { page, next } = pageOf(all, MaxItems, Marker) ?? refused('BadRequest', `The marker '${Marker}' is invalid.`);
    return { MountTargets: page.map((one) => describeTarget(one, state)), ...(next ? { NextMarker: next } : {}) };
  },

  DescribeMountTargetSecurityGroups({ MountTargetId = '' }, { state }) {
    const found =
      state.mountTargets.get(MountTargetId) ?? refused('MountTargetNotFound', `Mount target '${MountTargetId}' does not exist.`);
    return { SecurityGroups: [...found.securityGroups] };
  },

  ModifyMountTargetSecurityGroups({ MountTargetId = '', SecurityGroups = [] }, { state, peer }) {
    const found =
      state.mountTargets.get(MountTargetId) ?? refused('MountTargetNotFound', `Mount target '${MountTargetId}' does not exist.`);
    found.securityGroups = groupsIn(SecurityGroups, found.vpc, peer('ec2'));
    return {};
  },

  DeleteMountTarget({ MountTargetId = '' }, { state }) {
    const found =
      state.mountTargets.get(MountTargetId) ?? refused('MountTargetNotFound', `Mount target '${MountTargetId}' does not exist.`);
    found.state = 'deleting';
    state.soon(() => state.mountTargets.delete(found.id));
    return {};
  },
});
