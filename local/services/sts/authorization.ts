import type { Authorization } from '../../world/authorization/declared.ts';
import { trustOf } from '../../world/authorization/trust.ts';
import type { StsState } from './state.ts';

/** What needs no permission (STS API, GetCallerIdentity and GetSessionToken: Permissions). */
const FREE = ['GetCallerIdentity', 'GetSessionToken'];

/** The role that is asked for decides by its trust policy; one that is not there trusts nobody. */
export const authorization: Authorization<StsState> = {
  refusing: { code: 'AccessDenied', status: 403 },
  instead: {
    ...Object.fromEntries(FREE.map((operation) => [operation, () => []])),
    AssumeRole: ({ RoleArn = '', RoleSessionName, ExternalId }, { world }) => [
      {
        action: 'sts:AssumeRole',
        resource: RoleArn,
        keys: { 'sts:rolesessionname': RoleSessionName, 'sts:externalid': ExternalId },
        guard: trustOf(RoleArn, world),
      },
    ],
  },
  guard: () => undefined, // so that roots of other accounts are judged too
};
