import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { identities } from './identities.ts';
import { StsState } from './state.ts';

export const service = defineService<StsState>({
  name: 'sts',
  sdk: () => import('@aws-sdk/client-sts'),
  client: 'STSClient',
  scope: 'partition',
  state: () => new StsState(),
  operations: { ...identities },
  authorization,
});
