import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, refuse } from '../../world/service.ts';
import { definitionIn } from './definition.ts';
import { makeTable } from './make.ts';
import type { DynamoDbState } from './state.ts';
import type { Definition, Table } from './table.ts';
import type { Item } from './value.ts';

const RESTORING = [60, 600] as const;
/** Restores of an account in a region at a time (DynamoDB guide, "Quotas"). */
const MOST_RESTORES = 50;

type Overrides = Pick<
  SDK.RestoreTableToPointInTimeCommandInput,
  | 'BillingModeOverride'
  | 'ProvisionedThroughputOverride'
  | 'GlobalSecondaryIndexOverride'
  | 'LocalSecondaryIndexOverride'
  | 'SSESpecificationOverride'
>;

interface Restoration {
  readonly name: string;
  readonly definition: Definition;
  readonly items: () => readonly Item[];
  readonly from: SDK.RestoreSummary;
  readonly overrides: Overrides;
}

/**
 * A new table as another one was. Not carried over: tags, streams, TTL, deletion protection, the setting of point-in-time recovery
 * (DynamoDB guide, "Restoring a table"). Indexes can be left out, but not added.
 */
export function restore({ name, definition, items, from, overrides }: Restoration, context: Context<DynamoDbState>): Table {
  const { state, world } = context;
  if (state.peek(name)) refuse('TableAlreadyExistsException', `Table already exists: ${name}`);
  const restoring = state.tables.filter(({ status, restoredFrom }) => status === 'CREATING' && restoredFrom);
  if (restoring.length >= MOST_RESTORES)
    refuse('LimitExceededException', `Subscriber limit exceeded: Only ${MOST_RESTORES} tables can be restored simultaneously`);
  const table = makeTable(restoredDefinition(name, definition, overrides, context), context, RESTORING, (made) =>
    made.fill(items(), world.clock.now()),
  );
  table.restoredFrom = from;
  return table;
}

function restoredDefinition(name: string, was: Definition, overrides: Overrides, context: Context<DynamoDbState>): Definition {
  const globalIndexes = overrides.GlobalSecondaryIndexOverride ?? [...was.globalIndexes];
  const localIndexes = overrides.LocalSecondaryIndexOverride ?? [...was.localIndexes];
  const used = new Set(
    [{ KeySchema: [...was.keySchema] }, ...globalIndexes, ...localIndexes].flatMap(({ KeySchema = [] }) =>
      KeySchema.map(({ AttributeName }) => AttributeName),
    ),
  );
  const billing = overrides.BillingModeOverride ?? was.billing;
  const throughput = overrides.ProvisionedThroughputOverride ?? (billing === was.billing ? was.throughput : undefined);
  return {
    ...definitionIn(
      {
        TableName: name,
        KeySchema: [...was.keySchema],
        AttributeDefinitions: was.attributes.filter(({ AttributeName }) => used.has(AttributeName)),
        GlobalSecondaryIndexes: globalIndexes,
        LocalSecondaryIndexes: localIndexes,
        BillingMode: billing,
        ...(throughput ? { ProvisionedThroughput: throughput } : {}),
        ...(overrides.SSESpecificationOverride ? { SSESpecification: overrides.SSESpecificationOverride } : {}),
        TableClass: was.tableClass,
      },
      context,
    ),
    ...(overrides.SSESpecificationOverride ? {} : { encryptionKey: was.encryptionKey }),
  };
}
