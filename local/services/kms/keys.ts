import type * as SDK from '@aws-sdk/client-kms';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { Key } from './key.ts';
import { paged } from './paging.ts';
import { policyIn } from './policy.ts';
import type { KmsState } from './state.ts';

const DAY = 86_400_000;
/** What a key of each spec is for here (KMS API, CreateKey). */
const USAGES: Partial<Record<SDK.KeySpec, readonly SDK.KeyUsageType[]>> = {
  SYMMETRIC_DEFAULT: ['ENCRYPT_DECRYPT'],
  ECC_NIST_P256: ['SIGN_VERIFY'],
  HMAC_256: ['GENERATE_VERIFY_MAC'],
};

function usageOf(spec: SDK.KeySpec, asked: SDK.KeyUsageType | undefined): SDK.KeyUsageType {
  const usages = USAGES[spec] ?? refuse('UnsupportedOperationException', `The local AWS does not model the key spec ${spec}.`);
  if (spec !== 'SYMMETRIC_DEFAULT' && !asked)
    refuse('ValidationException', 'You must specify a KeyUsage value for an asymmetric or HMAC KMS key.');
  const usage = asked ?? (usages[0] as SDK.KeyUsageType);
  if (!usages.includes(usage)) refuse('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}.`);
  return usage;
}

function metadata(key: Key, context: Context<KmsState>): SDK.KeyMetadata {
  return {
    AWSAccountId: key.owner,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: key.createdAt,
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    KeyManager: key.manager,
    Origin: 'AWS_KMS',
    KeySpec: key.spec,
    CustomerMasterKeySpec: key.spec as SDK.CustomerMasterKeySpec,
    MultiRegion: key.multiRegion,
    ...(key.multiRegion ? { MultiRegionConfiguration: relatives(key, context) } : {}),
    ...(key.spec === 'SYMMETRIC_DEFAULT' ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] } : {}),
    ...(key.usage === 'SIGN_VERIFY' ? { SigningAlgorithms: ['ECDSA_SHA_256'] } : {}),
    ...(key.usage === 'GENERATE_VERIFY_MAC' ? { MacAlgorithms: ['HMAC_SHA_256'] } : {}),
    ...(key.deletionDate ? { DeletionDate: key.deletionDate } : {}),
  };
}

function relatives(key: Key, { world }: Context<KmsState>): SDK.MultiRegionConfiguration {
  const related = world
    .places('kms')
    .filter(({ account }) => account === key.owner)
    .flatMap((place) => world.state<KmsState>('kms', place).keys.get(key.id) ?? [])
    .map(({ arn }) => ({ Arn: arn, Region: arn.split(':')[3] as string }));
  return {
    MultiRegionKeyType: key.arn === key.primaryArn ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: related.find(({ Arn }) => Arn === key.primaryArn),
    ReplicaKeys: related.filter(({ Arn }) => Arn !== key.primaryArn),
  };
}

const tagsOf = (tags: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ TagKey, TagValue }) => [TagKey as string, TagValue as string]));

/** A key of the caller's own account that is the caller's to manage, which AWS's own are not (KMS guide, "AWS managed keys"). */
function managed(id: string | undefined, { state, caller }: Context<KmsState>): Key {
  const key = state.find(id);
  if (key.manager === 'AWS')
    refuse('AccessDeniedException', `User: ${caller.arn} may not manage ${key.arn}, which is an AWS managed key.`);
  return key;
}

function enable(id: string | undefined, enabled: boolean, context: Context<KmsState>): object {
  const key = managed(id, context);
  if (key.deletionDate) refuse('KMSInvalidStateException', `${key.arn} is pending deletion.`);
  key.enabled = enabled;
  return {};
}

function rotate(id: string | undefined, rotates: boolean, context: Context<KmsState>): object {
  const key = managed(id, context).usable();
  if (key.spec !== 'SYMMETRIC_DEFAULT') refuse('UnsupportedOperationException', `${key.arn} is not a symmetric encryption key.`);
  key.rotates = rotates;
  return {};
}

export const keys = operations<typeof SDK, KmsState>()({
  CreateKey({ KeySpec, CustomerMasterKeySpec, KeyUsage, Description = '', Policy, Tags, MultiRegion = false }, context) {
    const spec = KeySpec ?? (CustomerMasterKeySpec as SDK.KeySpec | undefined) ?? 'SYMMETRIC_DEFAULT';
    const usage = usageOf(spec, KeyUsage);
    if (Policy) policyIn(Policy);
    const key = context.state.create({
      spec,
      usage,
      description: Description,
      tags: tagsOf(Tags),
      multiRegion: MultiRegion,
      ...(Policy ? { policy: Policy } : {}),
    });
    return { KeyMetadata: metadata(key, context) };
  },

  /** Called where the primary is; makes the replica in another region (KMS API, ReplicateKey). */
  ReplicateKey({ KeyId, ReplicaRegion = '', Policy, Description, Tags }, context) {
    const key = managed(KeyId, context).usable();
    if (!key.multiRegion || key.arn !== key.primaryArn)
      refuse('UnsupportedOperationException', `${key.arn} is not a multi-Region primary key.`);
    if (context.world.dark.has(ReplicaRegion)) refuse('DependencyTimeoutException', `${ReplicaRegion} does not answer.`);
    const there = context.peer<KmsState>('kms', { region: ReplicaRegion });
    if (there.keys.has(key.id)) refuse('AlreadyExistsException', `${key.id} is in ${ReplicaRegion} already.`);
    if (Policy) policyIn(Policy);
    const replica = there.replicate(key, {
      tags: tagsOf(Tags),
      ...(Policy ? { policy: Policy } : {}),
      ...(Description === undefined ? {} : { description: Description }),
    });
    return { ReplicaKeyMetadata: metadata(replica, context), ReplicaPolicy: replica.policy, ReplicaTags: Tags ?? [] };
  },

  DescribeKey: ({ KeyId }, context) => ({
    KeyMetadata: metadata(context.state.reach(KeyId, ['DescribeKey'], context), context),
  }),

  ListKeys({ Limit = 100, Marker }, { state }) {
    const { page, ...next } = paged([...state.keys.values()], Limit, Marker);
    return { Keys: page.map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })), ...next };
  },

  EnableKey: ({ KeyId }, context) => enable(KeyId, true, context),
  DisableKey: ({ KeyId }, context) => enable(KeyId, false, context),

  ScheduleKeyDeletion({ KeyId, PendingWindowInDays = 30 }, context) {
    const { state, now, after } = context;
    const key = managed(KeyId, context);
    if (key.deletionDate) refuse('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    if (PendingWindowInDays < 7 || PendingWindowInDays > 30)
      refuse('ValidationException', 'PendingWindowInDays must be between 7 and 30.');
    const due = new Date(now().getTime() + PendingWindowInDays * DAY);
    key.deletionDate = due;
    after((PendingWindowInDays * DAY) / 1000, () => {
      if (key.deletionDate === due) state.remove(key);
    });
    return { KeyId: key.arn, DeletionDate: due, KeyState: 'PendingDeletion', PendingWindowInDays };
  },

  /** The key comes back disabled (KMS API, CancelKeyDeletion). */
  CancelKeyDeletion({ KeyId }, context) {
    const key = managed(KeyId, context);
    if (!key.deletionDate) refuse('KMSInvalidStateException', `${key.arn} is not pending deletion.`);
    key.deletionDate = undefined;
    key.enabled = false;
    return { KeyId: key.arn };
  },

  UpdateKeyDescription({ KeyId, Description = '' }, context) {
    managed(KeyId, context).description = Description;
    return {};
  },

  GetKeyPolicy: ({ KeyId }, { state }) => ({ Policy: state.find(KeyId).policy, PolicyName: 'default' }),

  ListKeyPolicies({ KeyId }, { state }) {
    state.find(KeyId);
    return { PolicyNames: ['default'], Truncated: false };
  },

  PutKeyPolicy({ KeyId, Policy = '' }, context) {
    policyIn(Policy);
    managed(KeyId, context).policy = Policy;
    return {};
  },

  EnableKeyRotation: ({ KeyId }, context) => rotate(KeyId, true, context),
  DisableKeyRotation: ({ KeyId }, context) => rotate(KeyId, false, context),

  GetKeyRotationStatus({ KeyId }, { state }) {
    const { arn, rotates } = state.find(KeyId);
    return { KeyId: arn, KeyRotationEnabled: rotates };
  },

  TagResource({ KeyId, Tags }, context) {
    const key = managed(KeyId, context);
    key.tags = { ...key.tags, ...tagsOf(Tags) };
    return {};
  },

  UntagResource({ KeyId, TagKeys = [] }, context) {
    const key = managed(KeyId, context);
    key.tags = Object.fromEntries(Object.entries(key.tags).filter(([name]) => !TagKeys.includes(name)));
    return {};
  },

  ListResourceTags({ KeyId, Limit = 50, Marker }, { state }) {
    const { page, ...next } = paged(Object.entries(state.find(KeyId).tags), Limit, Marker);
    return { Tags: page.map(([TagKey, TagValue]) => ({ TagKey, TagValue })), ...next };
  },
});
