import type * as SDK from '@aws-sdk/client-ec2';
import type { Check } from '../../world/authorization/authorize.ts';
import { requestTagKeys, tagsIn, tagsOf } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import type { Ec2State } from './state.ts';

/** A tag is given while something is made, which is an action of its own (EC2 guide, "Grant permission to tag Amazon EC2 resources during creation"). */
const tagging =
  (operation: string, unasked: string) =>
  ({ TagSpecifications = [] }: { TagSpecifications?: readonly SDK.TagSpecification[] }, context: Context<Ec2State>): Check[] =>
    TagSpecifications.flatMap(({ ResourceType = unasked, Tags = [] }) => {
      const tags = tagsIn(Tags);
      if (Object.keys(tags).length === 0) return [];
      const keys = { 'ec2:createaction': operation, 'aws:tagkeys': Object.keys(tags), ...requestTagKeys(tags) };
      return [{ action: 'ec2:CreateTags', resource: arn(ResourceType, '*', context), keys }];
    });

const arn = (type: string, id: string, { account, region }: Pick<Context<Ec2State>, 'account' | 'region'>): string =>
  `arn:aws:ec2:${region}:${type === 'snapshot' ? '' : account}:${type}/${id}`;

const MAKERS = {
  CreateSnapshot: 'snapshot',
  CreateSnapshots: 'snapshot',
  CopySnapshot: 'snapshot',
  CreateVolume: 'volume',
  RunInstances: 'instance',
  CreateVpc: 'vpc',
  CreateSubnet: 'subnet',
  CreateSecurityGroup: 'security-group',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  i: 'instance',
  vol: 'volume',
  snap: 'snapshot',
  vpc: 'vpc',
  subnet: 'subnet',
  sg: 'security-group',
};

/** Whom a snapshot is shared with, or no longer, each way that a request can say so (Service Authorization Reference: ec2:Add/userId and its like). */
function sharingKeys({
  OperationType,
  UserIds = [],
  GroupNames = [],
  CreateVolumePermission,
}: SDK.ModifySnapshotAttributeRequest) {
  const { Add = [], Remove = [] } = CreateVolumePermission ?? {};
  const key = (does: 'add' | 'remove', permissions: readonly SDK.CreateVolumePermission[]) => {
    const listed = OperationType === does;
    const users = [...(listed ? UserIds : []), ...permissions.flatMap(({ UserId }) => UserId ?? [])];
    const groups = [...(listed ? GroupNames : []), ...permissions.flatMap(({ Group }) => Group ?? [])];
    return {
      ...(users.length > 0 ? { [`ec2:${does}/userid`]: users } : {}),
      ...(groups.length > 0 ? { [`ec2:${does}/group`]: groups } : {}),
    };
  };
  return { ...key('add', Add), ...key('remove', Remove) };
}

/** Service Authorization Reference, "Amazon EC2". */
export const authorization: Authorization<Ec2State> = {
  /** EC2 API, "Error codes": UnauthorizedOperation. */
  refusing: {
    code: 'UnauthorizedOperation',
    status: 403,
    sentence: (objection) => `You are not authorized to perform this operation. ${objection}`,
  },
  members: {
    Resources: (id) => TYPES[id.split('-')[0] ?? ''] ?? '',
    SecurityGroupIds: 'security-group',
    SecurityGroups: [],
  },
  instead: {
    /** Both the snapshot that is copied and the one that is made (EC2 guide, "Copy an Amazon EBS snapshot": Permissions). */
    CopySnapshot(input, context) {
      const { SourceSnapshotId = '', SourceRegion: region = context.region } = input;
      const source = arn('snapshot', SourceSnapshotId, { ...context, region });
      const tags = Object.assign({}, ...(input.TagSpecifications ?? []).map(({ Tags }: SDK.TagSpecification) => tagsIn(Tags)));
      const keys = { 'aws:tagkeys': Object.keys(tags), ...requestTagKeys(tags) };
      return [
        { action: 'ec2:CopySnapshot', resource: arn('snapshot', '*', context), keys },
        { action: 'ec2:CopySnapshot', resource: source, tags: () => tagsOf(source, context) },
      ];
    },
    /** The instance and each of its volumes, and the snapshots that are made. */
    CreateSnapshots(input, context) {
      const id: string = input.InstanceSpecification?.InstanceId ?? '';
      const tags = Object.assign({}, ...(input.TagSpecifications ?? []).map(({ Tags }: SDK.TagSpecification) => tagsIn(Tags)));
      const volumes = context.state.attachedTo(id).map((volume) => arn('volume', volume.id, context));
      return [
        ...[arn('instance', id, context), ...volumes].map((resource) => ({
          action: 'ec2:CreateSnapshots',
          resource,
          tags: () => tagsOf(resource, context),
        })),
        {
          action: 'ec2:CreateSnapshots',
          resource: arn('snapshot', '*', context),
          keys: { 'aws:tagkeys': Object.keys(tags), ...requestTagKeys(tags) },
        },
      ];
    },
  },
  also: Object.fromEntries(Object.entries(MAKERS).map(([operation, type]) => [operation, tagging(operation, type)])),
  keys: (operation, input, { region }) => ({
    'ec2:region': region,
    ...(operation === 'ModifySnapshotAttribute' ? sharingKeys(input) : {}),
  }),
};
