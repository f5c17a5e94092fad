import { defineService } from '../../world/service.ts';
import { DataState } from './state.ts';
import { statements } from './statements.ts';
import { transactions } from './transactions.ts';

/**
 * The RDS Data API. AWS serves it for Aurora clusters only; that it answers for DB *instances* here is an extension of the local AWS, so that
 * what an instance holds can be written and read without a database's own wire protocol. Secrets are not read.
 */
export const service = defineService<DataState>({
  name: 'rds-data',
  sdk: () => import('@aws-sdk/client-rds-data'),
  client: 'RDSDataClient',
  scope: 'region',
  state: (context) => new DataState(context),
  operations: { ...statements, ...transactions },
});
