import { defineService } from '../../world/service.ts';
import { aliases } from './aliases.ts';
import { cryptography } from './cryptography.ts';
import { grants } from './grants.ts';
import { keys } from './keys.ts';
import { signing } from './signing.ts';
import { KmsState } from './state.ts';

export const service = defineService<KmsState>({
  name: 'kms',
  sdk: () => import('@aws-sdk/client-kms'),
  client: 'KMSClient',
  scope: 'region',
  state: (context) => new KmsState(context),
  operations: { ...keys, ...aliases, ...grants, ...cryptography, ...signing },
});
