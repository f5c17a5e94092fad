import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { download } from './downloads.ts';
import { images } from './images.ts';
import { layers } from './layers.ts';
import { repositories } from './repositories.ts';
import { EcrState } from './state.ts';

export const service = defineService<EcrState>({
  name: 'ecr',
  sdk: () => import('@aws-sdk/client-ecr'),
  client: 'ECRClient',
  scope: 'region',
  state: (context) => new EcrState(context),
  authorization,
  operations: { ...repositories, ...images, ...layers },
  http: download,
});
