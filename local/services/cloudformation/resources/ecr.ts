import { attributes, documentText, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

async function settle(repositoryName: string, properties: Properties, { call }: Maker, before?: Properties): Promise<void> {
  const { ImageTagMutability: imageTagMutability, LifecyclePolicy, RepositoryPolicyText } = properties;
  if (before && before['ImageTagMutability'] !== imageTagMutability)
    await call('ecr', 'PutImageTagMutability', { repositoryName, imageTagMutability });
  if (LifecyclePolicy?.LifecyclePolicyText)
    await call('ecr', 'PutLifecyclePolicy', { repositoryName, lifecyclePolicyText: LifecyclePolicy.LifecyclePolicyText });
  else if (before?.['LifecyclePolicy']) await call('ecr', 'DeleteLifecyclePolicy', { repositoryName });
  if (RepositoryPolicyText)
    await call('ecr', 'SetRepositoryPolicy', { repositoryName, policyText: documentText(RepositoryPolicyText) });
}

export const ecr: ResourceTypes = {
  'AWS::ECR::Repository': {
    properties: ['RepositoryName', 'ImageTagMutability', 'LifecyclePolicy', 'RepositoryPolicyText', 'Tags', 'EmptyOnDelete'],
    replaced: ['RepositoryName'],
    async create(properties, maker) {
      const repositoryName = properties['RepositoryName'] ?? maker.name(256).toLowerCase();
      const { ImageTagMutability: imageTagMutability, Tags: tags } = properties;
      const { repository } = await maker.call('ecr', 'CreateRepository', given({ repositoryName, imageTagMutability, tags }));
      await settle(repositoryName, properties, maker);
      return attributes(repositoryName, { Arn: repository.repositoryArn, RepositoryUri: repository.repositoryUri });
    },
    async update(properties, made, maker, before) {
      await settle(made.id, properties, maker, before);
      return made;
    },
    remove: async ({ id: repositoryName }, { call }, { EmptyOnDelete: force = false }) =>
      void (await call('ecr', 'DeleteRepository', { repositoryName, force })),
  },
};
