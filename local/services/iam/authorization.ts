import type { Authorization } from '../../world/authorization/declared.ts';
import type { IamState } from './state.ts';

/** Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management". */
export const authorization: Authorization<IamState> = {
  refusing: { code: 'AccessDenied', status: 403 },
  members: { RoleName: 'role', PolicyName: 'policy' },
  /** A role's or a policy's path is part of its ARN, and no part of a request that names it. */
  arnOf(type, name, { state }) {
    if (type === 'role') return state.roles.get(name)?.arn ?? state.arn('role', '/', name);
    return type === 'policy' ? state.arn('policy', '/', name) : undefined;
  },
  keys: (_, { PermissionsBoundary, PolicyArn }) => ({
    'iam:permissionsboundary': PermissionsBoundary,
    'iam:policyarn': PolicyArn,
  }),
};
