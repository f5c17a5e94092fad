import { defineService } from '../../world/service.ts';
import { access } from './access.ts';
import { addons } from './addons.ts';
import { authorization } from './authorization.ts';
import { clusters } from './clusters.ts';
import { nodegroups } from './nodegroups.ts';
import { EksState } from './state.ts';
import { tags } from './tags.ts';

export const service = defineService<EksState>({
  name: 'eks',
  sdk: () => import('@aws-sdk/client-eks'),
  client: 'EKSClient',
  scope: 'region',
  state: (context) => new EksState(context),
  authorization,
  operations: { ...clusters, ...nodegroups, ...access, ...addons, ...tags },
});
