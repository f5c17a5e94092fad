import type * as SDK from '@aws-sdk/client-kms';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { Key } from './key.ts';
import type { KmsState } from './state.ts';

const metadata = (key: Key, { account }: Pick<Context<KmsState>, 'account'>): SDK.KeyMetadata => ({
  AWSAccountId: account,
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
  ...(key.usage === 'ENCRYPT_DECRYPT' && key.spec === 'SYMMETRIC_DEFAULT'
    ? { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT' as const] }
    : {}),
  ...(key.usage === 'SIGN_VERIFY' ? { SigningAlgorithms: ['ECDSA_SHA_256' as const] } : {}),
  ...(key.deletionDate ? { DeletionDate: key.deletionDate } : {}),
});

const tagsOf = (tags: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ TagKey, TagValue }) => [TagKey as string, TagValue as string]));

export const keys = operations<typeof SDK, KmsState>()({
  CreateKey({ KeySpec, CustomerMasterKeySpec, KeyUsage, Description = '', Policy, Tags, MultiRegion = false }, context) {
    const spec = KeySpec ?? (CustomerMasterKeySpec as SDK.KeySpec | undefined) ?? 'SYMMETRIC_DEFAULT';
    if (spec !== 'SYMMETRIC_DEFAULT' && !KeyUsage)
      refuse('ValidationException', 'You must specify a KeyUsage value for an asymmetric or HMAC KMS key.');
    const key = context.state.create({
      spec,
      usage: KeyUsage ?? 'ENCRYPT_DECRYPT',
      description: Description,
      tags: tagsOf(Tags),
      multiRegion: MultiRegion,
      ...(Policy ? { policy: Policy } : {}),
    });
    return { KeyMetadata: metadata(key, context) };
  },

  DescribeKey: ({ KeyId }, context) => ({ KeyMetadata: metadata(context.state.find(KeyId), context) }),

  ListKeys({ Limit = 100, Marker }, { state }) {
    const all = [...state.keys.values()];
    const from = Number(Marker ?? 0);
    const more = from + Limit < all.length;
    return {
      Keys: all.slice(from, from + Limit).map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })),
      Truncated: more,
      ...(more ? { NextMarker: String(from + Limit) } : {}),
    };
  },

  EnableKey({ KeyId }, { state }) {
    const key = state.find(KeyId);
    if (key.deletionDate) refuse('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    key.enabled = true;
    return {};
  },

  DisableKey({ KeyId }, { state }) {
    const key = state.find(KeyId);
    if (key.deletionDate) refuse('KMSInvalidStateException', `${key.arn} is pending deletion.`);
    key.enabled = false;
    return {};
  },

  ScheduleKeyDeletion({ KeyId, PendingWindowInDays = 30 }, { state, now, after }) {
    const key = state.find(KeyId);
    if (PendingWindowInDays < 7 || PendingWindowInDays > 30)
      refuse('ValidationException', 'PendingWindowInDays must be between 7 and 30.');
    const due = new Date(now().getTime() + PendingWindowInDays * 86_400_000);
    key.deletionDate = due;
    after(PendingWindowInDays * 86_400, () => {
      if (key.deletionDate === due) state.keys.delete(key.id);
    });
    return { KeyId: key.arn, DeletionDate: due, KeyState: 'PendingDeletion', PendingWindowInDays };
  },

  CancelKeyDeletion({ KeyId }, { state }) {
    const key = state.find(KeyId);
    key.deletionDate = undefined;
    key.enabled = false; // it comes back disabled (KMS API, CancelKeyDeletion)
    return { KeyId: key.arn };
  },

  UpdateKeyDescription({ KeyId, Description = '' }, { state }) {
    state.find(KeyId).description = Description;
    return {};
  },

  GetKeyPolicy: ({ KeyId }, { state }) => ({ Policy: state.find(KeyId).policy, PolicyName: 'default' }),

  PutKeyPolicy({ KeyId, Policy = '' }, { state }) {
    state.find(KeyId).policy = Policy;
    return {};
  },

  GetKeyRotationStatus({ KeyId }, { state }) {
    return { KeyId: state.find(KeyId).arn, KeyRotationEnabled: false };
  },

  CreateAlias({ AliasName = '', TargetKeyId }, { state, now }) {
    if (!AliasName.startsWith('alias/') || AliasName.startsWith('alias/aws/'))
      refuse('InvalidAliasNameException', 'Alias must start with alias/ and may not start with alias/aws/.');
    if (state.aliases.has(AliasName))
      refuse('AlreadyExistsException', `An alias with the name ${state.arn('alias', AliasName)} already exists`);
    state.aliases.set(AliasName, { target: state.find(TargetKeyId).id, createdAt: now() });
    return {};
  },

  UpdateAlias({ AliasName = '', TargetKeyId }, { state, now }) {
    state.find(AliasName);
    state.aliases.set(AliasName, { target: state.find(TargetKeyId).id, createdAt: now() });
    return {};
  },

  DeleteAlias({ AliasName = '' }, { state }) {
    if (!state.aliases.delete(AliasName)) refuse('NotFoundException', `Alias ${state.arn('alias', AliasName)} is not found.`);
    return {};
  },

  ListAliases({ KeyId }, { state }) {
    const id = KeyId === undefined ? undefined : state.find(KeyId).id;
    const own = [...state.aliases].filter(([, { target }]) => id === undefined || target === id);
    return {
      Aliases: own.map(([AliasName, { target, createdAt }]) => ({
        AliasName,
        AliasArn: state.arn('alias', AliasName),
        TargetKeyId: target,
        CreationDate: createdAt,
      })),
      Truncated: false,
    };
  },

  TagResource({ KeyId, Tags }, { state }) {
    Object.assign(state.find(KeyId).tags, tagsOf(Tags));
    return {};
  },

  UntagResource({ KeyId, TagKeys = [] }, { state }) {
    const { tags } = state.find(KeyId);
    for (const key of TagKeys) delete tags[key];
    return {};
  },

  ListResourceTags({ KeyId }, { state }) {
    return { Tags: Object.entries(state.find(KeyId).tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })), Truncated: false };
  },
});

export const grants = operations<typeof SDK, KmsState>()({
  /** With a name, asking again gives the same grant; without, a new one each time (KMS API, CreateGrant). */
  CreateGrant({ KeyId, GranteePrincipal, RetiringPrincipal, Operations, Constraints, Name }, { state, now, world }) {
    const key = state.find(KeyId).usable();
    const known =
      Name === undefined ? undefined : [...state.grants.values()].find((grant) => grant.KeyId === key.arn && grant.Name === Name);
    if (known) return { GrantId: known.GrantId, GrantToken: known.GrantToken };
    const GrantId = world.random.hex(64);
    const GrantToken = world.random.hex(64);
    state.grants.set(GrantId, {
      GrantId,
      GrantToken,
      KeyId: key.arn,
      CreationDate: now(),
      ...(Name === undefined ? {} : { Name }),
      ...(GranteePrincipal === undefined ? {} : { GranteePrincipal }),
      ...(RetiringPrincipal === undefined ? {} : { RetiringPrincipal }),
      ...(Operations === undefined ? {} : { Operations }),
      ...(Constraints === undefined ? {} : { Constraints }),
    });
    return { GrantId, GrantToken };
  },

  ListGrants({ KeyId, GrantId }, { state }) {
    const key = state.find(KeyId);
    return {
      Grants: [...state.grants.values()].filter((grant) => grant.KeyId === key.arn && (!GrantId || grant.GrantId === GrantId)),
      Truncated: false,
    };
  },

  RevokeGrant({ KeyId, GrantId = '' }, { state }) {
    state.find(KeyId);
    if (!state.grants.delete(GrantId)) refuse('NotFoundException', `Grant ${GrantId} is not found.`);
    return {};
  },

  RetireGrant({ GrantId, GrantToken }, { state }) {
    const grant = [...state.grants.values()].find((one) => one.GrantId === GrantId || one.GrantToken === GrantToken);
    if (!grant) refuse('NotFoundException', 'The grant is not found.');
    state.grants.delete(grant!.GrantId as string);
    return {};
  },
});
