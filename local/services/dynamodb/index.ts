import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { backups } from './backups.ts';
import { tableExports } from './exports.ts';
import { imports } from './imports.ts';
import { items } from './items.ts';
import { queries } from './queries.ts';
import { recovery } from './recovery.ts';
import { DynamoDbState } from './state.ts';
import { tables } from './tables.ts';
import { transactions } from './transactions.ts';

export const service = defineService<DynamoDbState>({
  name: 'dynamodb',
  sdk: () => import('@aws-sdk/client-dynamodb'),
  client: 'DynamoDBClient',
  scope: 'region',
  state: (context) => new DynamoDbState(context),
  authorization,
  operations: { ...tables, ...items, ...transactions, ...queries, ...recovery, ...backups, ...tableExports, ...imports },
});
