import type * as SDK from '@aws-sdk/client-iam';
import type { Document } from '../../world/authorization/document.ts';
import { type Context, operations, refuse } from '../../world/service.ts';
import { encoded, type IamState, named, page, type Role, sizeOf, tagList, tagsOf, written } from './state.ts';

/** IAM guide, "IAM and AWS STS quotas": a role trust policy. */
const MOST_TRUST = 2048;
/** IAM API, CreateRole: MaxSessionDuration. */
const SESSION = { unasked: 3600, least: 3600, most: 43_200 };

export const answered = (role: Role): SDK.Role => ({
  Path: role.path,
  RoleName: role.name,
  RoleId: role.id,
  Arn: role.arn,
  CreateDate: role.createdAt,
  AssumeRolePolicyDocument: encoded(role.trust),
  MaxSessionDuration: role.maxSessionSeconds,
  ...(role.description === undefined ? {} : { Description: role.description }),
  ...(Object.keys(role.tags).length > 0 ? { Tags: tagList(role.tags) } : {}),
  ...(role.boundary === undefined
    ? {}
    : { PermissionsBoundary: { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: role.boundary } }),
});

/** A trust policy that names a role must name one that is there (IAM guide, "Troubleshoot IAM roles": Invalid principal in policy). */
function trusted(text: string | undefined, { peer }: Context<IamState>): Document {
  const document = written(text, 'trust');
  if (sizeOf(document) > MOST_TRUST)
    refuse('LimitExceededException', `Cannot exceed quota for ACLSizePerRole: ${MOST_TRUST}`, { status: 409 });
  for (const { principals } of document.statements) {
    if (principals === undefined || principals === '*') continue;
    const unknown = principals.aws.find((name) => {
      const [, account, role] = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:.+\/)?([^/]+)$/.exec(name) ?? [];
      return account !== undefined && !peer<IamState>('iam', { account }).roles.has(role as string);
    });
    if (unknown !== undefined)
      refuse('MalformedPolicyDocumentException', `Invalid principal in policy: "AWS":"${unknown}"`, { status: 400 });
  }
  return document;
}

function session(seconds: number | undefined): number {
  const duration = seconds ?? SESSION.unasked;
  if (duration < SESSION.least || duration > SESSION.most)
    refuse('ValidationError', `MaxSessionDuration is ${SESSION.least} to ${SESSION.most}, not ${duration}.`, { status: 400 });
  return duration;
}

export const roles = operations<typeof SDK, IamState>()({
  CreateRole(input, context) {
    const { state, now } = context;
    const { Path: path = '/' } = input;
    const name = named('roleName', input.RoleName, 64, path);
    if ([...state.roles.keys()].some((known) => known.toLowerCase() === name.toLowerCase()))
      refuse('EntityAlreadyExistsException', `Role with name ${name} already exists.`, { status: 409 });
    if (input.PermissionsBoundary) state.policy(input.PermissionsBoundary);
    const role: Role = {
      id: state.uniqueId('AROA'),
      name,
      path,
      arn: state.arn('role', path, name),
      createdAt: now(),
      trust: trusted(input.AssumeRolePolicyDocument, context),
      description: input.Description,
      maxSessionSeconds: session(input.MaxSessionDuration),
      boundary: input.PermissionsBoundary,
      tags: tagsOf(input.Tags),
      inline: new Map(),
      attached: new Set(),
    };
    state.roles.set(name, role);
    return { Role: answered(role) };
  },

  GetRole: ({ RoleName }, { state }) => ({ Role: answered(state.role(RoleName)) }),

  ListRoles({ PathPrefix = '/', ...paging }, { state }) {
    const { rest, next } = page(
      [...state.roles.values()].filter(({ path }) => path.startsWith(PathPrefix)).sort((a, b) => (a.name < b.name ? -1 : 1)),
      paging,
    );
    return { Roles: rest.map((role) => answered({ ...role, tags: {}, boundary: undefined })), ...next };
  },

  UpdateRole({ RoleName, Description, MaxSessionDuration }, { state }) {
    const role = state.role(RoleName);
    if (Description !== undefined) role.description = Description;
    if (MaxSessionDuration !== undefined) role.maxSessionSeconds = session(MaxSessionDuration);
    return {};
  },

  UpdateRoleDescription({ RoleName, Description }, { state }) {
    const role = state.role(RoleName);
    role.description = Description;
    return { Role: answered(role) };
  },

  UpdateAssumeRolePolicy({ RoleName, PolicyDocument }, context) {
    context.state.role(RoleName).trust = trusted(PolicyDocument, context);
    return {};
  },

  /** Only without policies (IAM API, DeleteRole). */
  DeleteRole({ RoleName }, { state }) {
    const role = state.role(RoleName);
    if (role.attached.size > 0)
      refuse('DeleteConflictException', 'Cannot delete entity, must detach all policies first.', { status: 409 });
    if (role.inline.size > 0)
      refuse('DeleteConflictException', 'Cannot delete entity, must delete policies first.', { status: 409 });
    state.roles.delete(role.name);
    return {};
  },

  PutRolePermissionsBoundary({ RoleName, PermissionsBoundary }, { state }) {
    state.role(RoleName).boundary = state.policy(PermissionsBoundary).arn;
    return {};
  },

  DeleteRolePermissionsBoundary({ RoleName }, { state }) {
    state.role(RoleName).boundary = undefined;
    return {};
  },

  TagRole({ RoleName, Tags }, { state }) {
    const role = state.role(RoleName);
    role.tags = { ...role.tags, ...tagsOf(Tags) };
    return {};
  },

  UntagRole({ RoleName, TagKeys = [] }, { state }) {
    const role = state.role(RoleName);
    role.tags = Object.fromEntries(Object.entries(role.tags).filter(([key]) => !TagKeys.includes(key)));
    return {};
  },

  ListRoleTags({ RoleName, ...paging }, { state }) {
    const { rest, next } = page(tagList(state.role(RoleName).tags), paging);
    return { Tags: rest, ...next };
  },
});
