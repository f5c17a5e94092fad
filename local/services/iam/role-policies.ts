import type * as SDK from '@aws-sdk/client-iam';
import { operations, refuse } from '../../world/service.ts';
import { encoded, type IamState, named, page, type Role, sizeOf, written } from './state.ts';

/** IAM guide, "IAM and AWS STS quotas": inline policies of a role, all together; managed policies attached to a role. */
const MOST_INLINE = 10_240;
const MOST_ATTACHED = 10;

function inlineOf(role: Role, name: string | undefined) {
  const found = role.inline.get(name ?? '');
  return found ?? refuse('NoSuchEntityException', `The role policy with name ${name} cannot be found.`, { status: 404 });
}

/** What a role's policies are: written into it, or attached. */
export const rolePolicies = operations<typeof SDK, IamState>()({
  PutRolePolicy({ RoleName, PolicyName, PolicyDocument }, { state }) {
    const role = state.role(RoleName);
    const name = named('policyName', PolicyName, 128);
    const document = written(PolicyDocument, 'identity');
    const others = [...role.inline].filter(([other]) => other !== name).reduce((sum, [, other]) => sum + sizeOf(other), 0);
    if (others + sizeOf(document) > MOST_INLINE)
      refuse('LimitExceededException', `Maximum policy size of ${MOST_INLINE} bytes exceeded for role ${role.name}`, {
        status: 409,
      });
    role.inline.set(name, document);
    return {};
  },

  GetRolePolicy({ RoleName, PolicyName }, { state }) {
    const role = state.role(RoleName);
    return { RoleName: role.name, PolicyName, PolicyDocument: encoded(inlineOf(role, PolicyName)) };
  },

  ListRolePolicies({ RoleName, ...paging }, { state }) {
    const { rest, next } = page([...state.role(RoleName).inline.keys()].sort(), paging);
    return { PolicyNames: rest, ...next };
  },

  DeleteRolePolicy({ RoleName, PolicyName = '' }, { state }) {
    const role = state.role(RoleName);
    inlineOf(role, PolicyName);
    role.inline.delete(PolicyName);
    return {};
  },

  AttachRolePolicy({ RoleName, PolicyArn }, { state }) {
    const role = state.role(RoleName);
    const { arn } = state.policy(PolicyArn);
    if (!role.attached.has(arn) && role.attached.size >= MOST_ATTACHED)
      refuse('LimitExceededException', `Cannot exceed quota for PoliciesPerRole: ${MOST_ATTACHED}`, { status: 409 });
    role.attached.add(arn);
    return {};
  },

  DetachRolePolicy({ RoleName, PolicyArn = '' }, { state }) {
    if (!state.role(RoleName).attached.delete(PolicyArn))
      refuse('NoSuchEntityException', `Policy ${PolicyArn} was not found.`, { status: 404 });
    return {};
  },

  ListAttachedRolePolicies({ RoleName, PathPrefix = '/', ...paging }, { state }) {
    const attached = [...state.role(RoleName).attached]
      .map((arn) => state.policy(arn))
      .filter(({ path }) => path.startsWith(PathPrefix));
    const { rest, next } = page(attached, paging);
    return { AttachedPolicies: rest.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn })), ...next };
  },
});
