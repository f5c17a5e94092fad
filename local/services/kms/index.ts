import { defineService } from '../../world/service.ts';
import { cryptography } from './cryptography.ts';
import { grants, keys } from './keys.ts';
import { KmsState } from './state.ts';

export const service = defineService<KmsState>({
  name: 'kms',
  sdk: () => import('@aws-sdk/client-kms'),
  client: 'KMSClient',
  scope: 'region',
  state: (context) => new KmsState(context),
  operations: { ...keys, ...grants, ...cryptography },
});
