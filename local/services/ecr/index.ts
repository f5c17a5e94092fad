import { defineService } from '../../world/service.ts';
import { images } from './images.ts';
import { repositories } from './repositories.ts';
import { EcrState } from './state.ts';

export const service = defineService<EcrState>({
  name: 'ecr',
  sdk: () => import('@aws-sdk/client-ecr'),
  client: 'ECRClient',
  scope: 'region',
  state: (context) => new EcrState(context),
  operations: { ...repositories, ...images },
});
