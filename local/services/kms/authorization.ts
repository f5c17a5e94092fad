import type { Check } from '../../world/authorization/authorize.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import type { Key } from './key.ts';
import type { KmsState } from './state.ts';

/** These ask for themselves, since the key that they use may be named by what is encrypted, lie in another account, or be open by a grant. */
const THEMSELVES = [
  'CreateGrant',
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ListGrants',
  'ReEncrypt',
  'RetireGrant',
  'RevokeGrant',
  'Sign',
  'Verify',
  'VerifyMac',
];

const known = (name: string, { state }: Context<KmsState>): Key | undefined => {
  const id = name.startsWith('alias/') ? state.aliases.get(name)?.target : name.replace(/^.*key\//, '');
  return state.keys.get(id ?? '');
};

/** KMS guide, "AWS KMS permissions". */
export const authorization: Authorization<KmsState> = {
  members: { KeyId: 'key', TargetKeyId: 'key', AliasName: 'alias' },
  arnOf: (type, name, context) =>
    type === 'alias' ? context.state.arn('alias', name) : (known(name, context)?.arn ?? context.state.arn('key', name)),
  instead: Object.fromEntries(THEMSELVES.map((operation) => [operation, (): readonly Check[] => []])),
  keys(_, { KeyId, TargetKeyId }, context) {
    const key = known(KeyId ?? TargetKeyId ?? '', context);
    return key ? context.state.keysOf(key, context.caller) : { 'kms:calleraccount': context.caller.account };
  },
  guard(resource, context) {
    const key = /:key\//.test(resource) ? known(resource, context) : undefined;
    return key && context.state.guardOf(key);
  },
};
