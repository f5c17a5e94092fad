import type * as SDK from '@aws-sdk/client-iam';
import { operations, refuse } from '../../world/service.ts';
import { AWS_MANAGED } from './managed.ts';
import {
  encoded,
  type IamState,
  type ManagedPolicy,
  named,
  page,
  sizeOf,
  tagList,
  tagsOf,
  type Version,
  written,
} from './state.ts';

/** IAM guide, "IAM and AWS STS quotas": a managed policy's characters, and its versions. */
const MOST_CHARACTERS = 6144;
const MOST_VERSIONS = 5;

const answered = (policy: ManagedPolicy, state: IamState): SDK.Policy => ({
  PolicyName: policy.name,
  PolicyId: policy.id,
  Arn: policy.arn,
  Path: policy.path,
  DefaultVersionId: policy.inForce,
  AttachmentCount: state.attachments(policy.arn),
  PermissionsBoundaryUsageCount: [...state.roles.values()].filter(({ boundary }) => boundary === policy.arn).length,
  IsAttachable: true,
  CreateDate: policy.createdAt,
  UpdateDate: policy.updatedAt,
  ...(policy.description === undefined ? {} : { Description: policy.description }),
  ...(Object.keys(policy.tags).length > 0 ? { Tags: tagList(policy.tags) } : {}),
});

const answeredVersion = ({ id, createdAt }: Version, policy: ManagedPolicy): SDK.PolicyVersion => ({
  VersionId: id,
  IsDefaultVersion: id === policy.inForce,
  CreateDate: createdAt,
});

/** A policy that is this account's to change. */
function own(arn: string | undefined, state: IamState): ManagedPolicy {
  const policy = state.policy(arn);
  if (AWS_MANAGED.has(policy.arn))
    refuse('AccessDenied', `Policy ${policy.arn} is an AWS managed policy and cannot be changed.`, { status: 403 });
  return policy;
}

function versionOf(policy: ManagedPolicy, id: string | undefined): Version {
  const found = policy.versions.get(id ?? '');
  return found ?? refuse('NoSuchEntityException', `Policy ${policy.arn} version ${id} does not exist.`, { status: 404 });
}

function documentIn(text: string | undefined) {
  const document = written(text, 'identity');
  if (sizeOf(document) > MOST_CHARACTERS)
    refuse('LimitExceededException', `Cannot exceed quota for PolicySize: ${MOST_CHARACTERS}`, { status: 409 });
  return document;
}

/** Managed policies and their versions. */
export const policies = operations<typeof SDK, IamState>()({
  CreatePolicy({ PolicyName, Path: path = '/', PolicyDocument, Description, Tags }, { state, now }) {
    const name = named('policyName', PolicyName, 128, path);
    const arn = state.arn('policy', path, name);
    if ([...state.policies.values()].some((policy) => policy.name.toLowerCase() === name.toLowerCase()))
      refuse('EntityAlreadyExistsException', `A policy called ${name} already exists. Duplicate names are not allowed.`, {
        status: 409,
      });
    const policy: ManagedPolicy = {
      id: state.uniqueId('ANPA'),
      name,
      path,
      arn,
      description: Description,
      createdAt: now(),
      updatedAt: now(),
      tags: tagsOf(Tags),
      versions: new Map([['v1', { id: 'v1', document: documentIn(PolicyDocument), createdAt: now() }]]),
      inForce: 'v1',
      lastVersion: 1,
    };
    state.policies.set(arn, policy);
    return { Policy: answered(policy, state) };
  },

  GetPolicy: ({ PolicyArn }, { state }) => ({ Policy: answered(state.policy(PolicyArn), state) }),

  ListPolicies({ Scope = 'All', OnlyAttached = false, PathPrefix = '/', ...paging }, { state }) {
    const all = [...(Scope === 'AWS' ? [] : state.policies.values()), ...(Scope === 'Local' ? [] : AWS_MANAGED.values())];
    const matching = all.filter(({ path, arn }) => path.startsWith(PathPrefix) && (!OnlyAttached || state.attachments(arn) > 0));
    const { rest, next } = page(matching, paging);
    return { Policies: rest.map((policy) => answered({ ...policy, tags: {} }, state)), ...next };
  },

  /** Only without attachments and further versions (IAM API, DeletePolicy). */
  DeletePolicy({ PolicyArn }, { state }) {
    const policy = own(PolicyArn, state);
    if (state.attachments(policy.arn) > 0)
      refuse('DeleteConflictException', 'Cannot delete a policy attached to entities.', { status: 409 });
    if (policy.versions.size > 1)
      refuse(
        'DeleteConflictException',
        'This policy has more than one version. Before you delete a policy, you must delete its versions.',
        {
          status: 409,
        },
      );
    state.policies.delete(policy.arn);
    return {};
  },

  CreatePolicyVersion({ PolicyArn, PolicyDocument, SetAsDefault = false }, { state, now }) {
    const policy = own(PolicyArn, state);
    if (policy.versions.size >= MOST_VERSIONS)
      refuse(
        'LimitExceededException',
        `A managed policy can have up to ${MOST_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
        { status: 409 },
      );
    const document = documentIn(PolicyDocument);
    policy.lastVersion += 1;
    const version: Version = { id: `v${policy.lastVersion}`, document, createdAt: now() };
    policy.versions.set(version.id, version);
    policy.updatedAt = now();
    if (SetAsDefault) policy.inForce = version.id;
    return { PolicyVersion: answeredVersion(version, policy) };
  },

  GetPolicyVersion({ PolicyArn, VersionId }, { state }) {
    const policy = state.policy(PolicyArn);
    const version = versionOf(policy, VersionId);
    return { PolicyVersion: { ...answeredVersion(version, policy), Document: encoded(version.document) } };
  },

  ListPolicyVersions({ PolicyArn, ...paging }, { state }) {
    const policy = state.policy(PolicyArn);
    const { rest, next } = page([...policy.versions.values()].reverse(), paging);
    return { Versions: rest.map((version) => answeredVersion(version, policy)), ...next };
  },

  SetDefaultPolicyVersion({ PolicyArn, VersionId }, { state }) {
    const policy = own(PolicyArn, state);
    policy.inForce = versionOf(policy, VersionId).id;
    return {};
  },

  DeletePolicyVersion({ PolicyArn, VersionId }, { state }) {
    const policy = own(PolicyArn, state);
    const { id } = versionOf(policy, VersionId);
    if (id === policy.inForce)
      refuse('DeleteConflictException', 'Cannot delete the default version of a policy.', { status: 409 });
    policy.versions.delete(id);
    return {};
  },

  TagPolicy({ PolicyArn, Tags }, { state }) {
    const policy = own(PolicyArn, state);
    policy.tags = { ...policy.tags, ...tagsOf(Tags) };
    return {};
  },

  UntagPolicy({ PolicyArn, TagKeys = [] }, { state }) {
    const policy = own(PolicyArn, state);
    policy.tags = Object.fromEntries(Object.entries(policy.tags).filter(([key]) => !TagKeys.includes(key)));
    return {};
  },

  ListPolicyTags({ PolicyArn, ...paging }, { state }) {
    const { rest, next } = page(tagList(state.policy(PolicyArn).tags), paging);
    return { Tags: rest, ...next };
  },
});
