import { givingTags } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { EcrState } from './state.ts';

/** Service Authorization Reference, "Amazon Elastic Container Registry"; a repository's policy lets others in (ECR guide, "Private repository policies"). */
export const authorization: Authorization<EcrState> = {
  members: { repositoryName: 'repository', repositoryNames: 'repository' },
  arnOf: (_, name, { world, account, region }, { registryId = account }) =>
    world.state<EcrState>('ecr', { account: registryId, region }).arn(name),
  also: {
    /** ECR guide, "Tagging a private repository": tags while it is made. */
    CreateRepository: ({ repositoryName = '', tags }, { state }) =>
      givingTags('ecr:TagResource', state.arn(repositoryName), tags),
  },
};
