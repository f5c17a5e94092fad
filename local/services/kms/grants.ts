import type * as SDK from '@aws-sdk/client-kms';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { Grant, Key } from './key.ts';
import { paged } from './paging.ts';
import type { KmsState } from './state.ts';

/** Whose operations a grant can allow goes by the key's usage; none of another may be named (KMS API, CreateGrant). */
const FOR_ALL = ['CreateGrant', 'RetireGrant', 'DescribeKey'];
const GRANTABLE: Partial<Record<SDK.KeyUsageType, readonly string[]>> = {
  ENCRYPT_DECRYPT: [
    'Encrypt',
    'Decrypt',
    'GenerateDataKey',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
    'ReEncryptFrom',
    'ReEncryptTo',
  ],
  SIGN_VERIFY: ['Sign', 'Verify', 'GetPublicKey'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
};

function refuseOperations(key: Key, operations: readonly string[]): void {
  const allowed = [...FOR_ALL, ...(GRANTABLE[key.usage] ?? [])];
  const wrong = operations.find((one) => !allowed.includes(one));
  if (wrong !== undefined) refuse('ValidationException', `A grant for ${key.arn} cannot allow ${wrong}.`);
}

const withoutToken = ({ GrantToken: _, ...grant }: Grant): SDK.GrantListEntry => grant;

function grantBy(
  { GrantToken, GrantId, KeyId }: SDK.RetireGrantCommandInput,
  context: Context<KmsState>,
): { key: Key; grant: Grant } {
  const { state } = context;
  const keys = KeyId === undefined ? [...state.keys.values()] : [state.reach(KeyId, ['RetireGrant'], context)];
  for (const key of keys)
    for (const grant of key.grants.values())
      if (grant.GrantToken === GrantToken || grant.GrantId === GrantId) return { key, grant };
  return refuse('NotFoundException', 'The grant is not found.');
}

export const grants = operations<typeof SDK, KmsState>()({
  /** With a name, asking for the same again gives the same grant; without, a new one each time (KMS API, CreateGrant). */
  CreateGrant({ KeyId, GranteePrincipal, RetiringPrincipal, Operations = [], Constraints, Name }, context) {
    const { state, now, world } = context;
    const key = state.reach(KeyId, ['CreateGrant'], context).usable();
    refuseOperations(key, Operations);
    const wanted = {
      KeyId: key.arn,
      IssuingAccount: `arn:aws:iam::${key.owner}:root`,
      Operations,
      ...(Name === undefined ? {} : { Name }),
      ...(GranteePrincipal === undefined ? {} : { GranteePrincipal }),
      ...(RetiringPrincipal === undefined ? {} : { RetiringPrincipal }),
      ...(Constraints === undefined ? {} : { Constraints }),
    };
    const same = ({ GrantId: _, GrantToken: __, CreationDate: ___, ...had }: Grant) => sorted(had) === sorted(wanted);
    const known = Name === undefined ? undefined : [...key.grants.values()].find(same);
    const grant = known ?? { ...wanted, GrantId: world.random.hex(64), GrantToken: world.random.hex(64), CreationDate: now() };
    key.grants.set(grant.GrantId, grant);
    return { GrantId: grant.GrantId, GrantToken: grant.GrantToken };
  },

  ListGrants({ KeyId, GrantId, GranteePrincipal, Limit = 50, Marker }, context) {
    const key = context.state.reach(KeyId, ['ListGrants'], context);
    const found = [...key.grants.values()].filter(
      (grant) => (!GrantId || grant.GrantId === GrantId) && (!GranteePrincipal || grant.GranteePrincipal === GranteePrincipal),
    );
    const { page, ...next } = paged(found, Limit, Marker);
    return { Grants: page.map(withoutToken), ...next };
  },

  RevokeGrant({ KeyId, GrantId = '' }, context) {
    const key = context.state.reach(KeyId, ['RevokeGrant'], context);
    if (!key.grants.delete(GrantId)) refuse('NotFoundException', `Grant ${GrantId} is not found.`);
    return {};
  },

  RetireGrant(input, context) {
    const { key, grant } = grantBy(input, context);
    key.grants.delete(grant.GrantId);
    return {};
  },
});

const sorted = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
