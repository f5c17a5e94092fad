import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { policies } from './policies.ts';
import { rolePolicies } from './role-policies.ts';
import { roles } from './roles.ts';
import { IamState } from './state.ts';

/** AWS Identity and Access Management: roles and their policies. Users, groups and instance profiles are not modelled. */
export const service = defineService<IamState>({
  name: 'iam',
  sdk: () => import('@aws-sdk/client-iam'),
  client: 'IAMClient',
  scope: 'account',
  state: (context) => new IamState(context),
  operations: { ...roles, ...rolePolicies, ...policies },
  authorization,
});
