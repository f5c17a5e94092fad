import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { reading } from './reading.ts';
import { EbsState } from './state.ts';
import { writing } from './writing.ts';

export const service = defineService<EbsState>({
  name: 'ebs',
  sdk: () => import('@aws-sdk/client-ebs'),
  client: 'EBSClient',
  scope: 'region',
  state: () => new EbsState(),
  authorization,
  operations: { ...reading, ...writing },
});
