import { defineService } from '../../world/service.ts';
import { items } from './items.ts';
import { queries } from './queries.ts';
import { pointInTime } from './recovery.ts';
import { DynamoDbState } from './state.ts';
import { tables } from './tables.ts';

export const service = defineService<DynamoDbState>({
  name: 'dynamodb',
  sdk: () => import('@aws-sdk/client-dynamodb'),
  client: 'DynamoDBClient',
  scope: 'region',
  state: (context) => new DynamoDbState(context),
  operations: { ...tables, ...items, ...queries, ...pointInTime },
});
