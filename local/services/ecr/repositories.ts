import type * as SDK from '@aws-sdk/client-ecr';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { review, rulesOf } from './lifecycle.ts';
import type { EcrState, Repository } from './state.ts';

const TOKEN_HOURS = 12;

const describe = (repository: Repository, state: EcrState): SDK.Repository => ({
  repositoryArn: state.arn(repository.name),
  registryId: state.place.account,
  repositoryName: repository.name,
  repositoryUri: `${state.host}/${repository.name}`,
  createdAt: repository.createdAt,
  imageTagMutability: repository.mutability,
  imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
  encryptionConfiguration: repository.encryption,
});

const tagsOf = (list: readonly SDK.Tag[] = []): Record<string, string> =>
  Object.fromEntries(list.map(({ Key, Value }) => [Key ?? '', Value ?? '']));

function byArn(state: EcrState, arn = ''): Repository {
  return (
    state.tagged(arn) ??
    refuse('RepositoryNotFoundException', `The repository ${arn} does not exist in the registry with id '${state.place.account}'`)
  );
}

const NAME = /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

export const repositories = operations<typeof SDK, EcrState>()({
  CreateRepository(
    { repositoryName: name = '', imageTagMutability, imageScanningConfiguration, encryptionConfiguration, tags },
    { state },
  ) {
    if (!NAME.test(name) || name.length < 2 || name.length > 256) {
      refuse(
        'InvalidParameterException',
        `Invalid parameter at 'repositoryName' failed to satisfy constraint: '${name}' must be lower case and at most 256 long`,
      );
    }
    if (state.repositories.has(name)) {
      refuse(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${state.place.account}'`,
      );
    }
    const repository = state.create(name, {
      mutability: imageTagMutability ?? 'MUTABLE',
      scanOnPush: imageScanningConfiguration?.scanOnPush ?? false,
      encryption: encryptionConfiguration ?? { encryptionType: 'AES256' },
      tags: tagsOf(tags),
    });
    return { repository: describe(repository, state) };
  },

  DescribeRepositories({ repositoryNames, maxResults, nextToken }, { state }) {
    const found = repositoryNames?.length ? repositoryNames.map((name) => state.find(name)) : [...state.repositories.values()];
    const { page, ...next } = paged(found, maxResults, nextToken);
    return { repositories: page.map((repository) => describe(repository, state)), ...next };
  },

  DeleteRepository({ repositoryName, force }, { state }) {
    const repository = state.find(repositoryName);
    if (repository.images.size > 0 && !force) {
      const message = `The repository with name '${repository.name}' in registry with id '${state.place.account}' cannot be deleted because it still contains images`;
      refuse('RepositoryNotEmptyException', message);
    }
    state.repositories.delete(repository.name);
    return { repository: describe(repository, state) };
  },

  PutImageTagMutability({ repositoryName, imageTagMutability = 'MUTABLE' }, { state }) {
    const repository = state.find(repositoryName);
    repository.mutability = imageTagMutability;
    return { registryId: state.place.account, repositoryName: repository.name, imageTagMutability };
  },

  SetRepositoryPolicy({ repositoryName, policyText = '' }, { state }) {
    const repository = state.find(repositoryName);
    repository.policy = policyText;
    return { registryId: state.place.account, repositoryName: repository.name, policyText };
  },

  GetRepositoryPolicy({ repositoryName }, { state }) {
    const { name, policy } = state.find(repositoryName);
    if (policy === undefined)
      return refuse(
        'RepositoryPolicyNotFoundException',
        `Repository policy does not exist for the repository with name '${name}'`,
      );
    return { registryId: state.place.account, repositoryName: name, policyText: policy };
  },

  PutLifecyclePolicy({ repositoryName, lifecyclePolicyText = '' }, { state, now }) {
    const repository = state.find(repositoryName);
    rulesOf(lifecyclePolicyText);
    repository.lifecycle = { text: lifecyclePolicyText, at: now() };
    review(state, repository);
    return { registryId: state.place.account, repositoryName: repository.name, lifecyclePolicyText };
  },

  GetLifecyclePolicy({ repositoryName }, { state }) {
    const { name, lifecycle } = state.find(repositoryName);
    if (!lifecycle)
      return refuse('LifecyclePolicyNotFoundException', `Lifecycle policy does not exist for the repository with name '${name}'`);
    return {
      registryId: state.place.account,
      repositoryName: name,
      lifecyclePolicyText: lifecycle.text,
      lastEvaluatedAt: lifecycle.at,
    };
  },

  DeleteLifecyclePolicy({ repositoryName }, { state }) {
    const repository = state.find(repositoryName);
    const { name, lifecycle } = repository;
    if (!lifecycle)
      return refuse('LifecyclePolicyNotFoundException', `Lifecycle policy does not exist for the repository with name '${name}'`);
    delete repository.lifecycle;
    return { registryId: state.place.account, repositoryName: name, lifecyclePolicyText: lifecycle.text };
  },

  PutReplicationConfiguration({ replicationConfiguration }, { state }) {
    state.replication = replicationConfiguration ?? { rules: [] };
    return { replicationConfiguration: state.replication };
  },

  DescribeRegistry: (_, { state }) => ({ registryId: state.place.account, replicationConfiguration: state.replication }),

  PutRegistryPolicy({ policyText = '' }, { state }) {
    state.registryPolicy = policyText;
    return { registryId: state.place.account, policyText };
  },

  GetRegistryPolicy(_, { state }) {
    const { registryPolicy: policyText } = state;
    if (policyText === undefined)
      return refuse(
        'RegistryPolicyNotFoundException',
        `Registry policy does not exist in the registry with id '${state.place.account}'`,
      );
    return { registryId: state.place.account, policyText };
  },

  GetAuthorizationToken(_, { state, now, world }) {
    const authorizationToken = Buffer.from(`AWS:${world.random.hex(64)}`).toString('base64');
    const expiresAt = new Date(now().getTime() + TOKEN_HOURS * 3_600_000);
    return { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: `https://${state.host}` }] };
  },

  TagResource({ resourceArn, tags }, { state }) {
    Object.assign(byArn(state, resourceArn).tags, tagsOf(tags));
    return {};
  },

  UntagResource({ resourceArn, tagKeys = [] }, { state }) {
    const repository = byArn(state, resourceArn);
    for (const key of tagKeys) delete repository.tags[key];
    return {};
  },

  ListTagsForResource: ({ resourceArn }, { state }) => ({
    tags: Object.entries(byArn(state, resourceArn).tags).map(([Key, Value]) => ({ Key, Value })),
  }),
});
