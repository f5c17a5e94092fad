import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { DynamoDbState } from './state.ts';
import { schemaOf, Table } from './table.ts';
import { sizeOf, validation } from './value.ts';

/** Seconds until a new table is ACTIVE. */
const CREATING = [2, 20] as const;

export const describeTable = (table: Table): SDK.TableDescription => ({
  TableName: table.name,
  TableArn: table.arn,
  TableId: table.id,
  TableStatus: table.status,
  CreationDateTime: table.createdAt,
  AttributeDefinitions: [...table.attributes],
  KeySchema: keySchema(table),
  ItemCount: table.count,
  TableSizeBytes: table.items.reduce((sum, item) => sum + sizeOf(item), 0),
  BillingModeSummary: { BillingMode: table.billing },
  ProvisionedThroughput: {
    ReadCapacityUnits: table.throughput?.ReadCapacityUnits ?? 0,
    WriteCapacityUnits: table.throughput?.WriteCapacityUnits ?? 0,
    NumberOfDecreasesToday: 0,
  },
  DeletionProtectionEnabled: table.deletionProtection,
  TableClassSummary: { TableClass: table.tableClass },
  ...(table.globalIndexes.length > 0
    ? {
        GlobalSecondaryIndexes: table.globalIndexes.map(({ IndexName, KeySchema, Projection }) => ({
          IndexName,
          KeySchema,
          Projection,
          IndexStatus: table.status === 'ACTIVE' ? ('ACTIVE' as const) : ('CREATING' as const),
          IndexArn: `${table.arn}/index/${IndexName}`,
          ItemCount: table.count,
        })),
      }
    : {}),
  ...(table.localIndexes.length > 0
    ? {
        LocalSecondaryIndexes: table.localIndexes.map(({ IndexName, KeySchema, Projection }) => ({
          IndexName,
          KeySchema,
          Projection,
          IndexArn: `${table.arn}/index/${IndexName}`,
        })),
      }
    : {}),
  ...(table.stream?.StreamEnabled
    ? {
        StreamSpecification: {
          StreamEnabled: true,
          ...(table.stream.StreamViewType ? { StreamViewType: table.stream.StreamViewType } : {}),
        },
        LatestStreamLabel: table.stream.label,
        LatestStreamArn: `${table.arn}/stream/${table.stream.label}`,
      }
    : {}),
  ...(table.encryption?.Enabled
    ? {
        SSEDescription: {
          Status: 'ENABLED',
          SSEType: 'KMS',
          ...(table.encryption.KMSMasterKeyId ? { KMSMasterKeyArn: table.encryption.KMSMasterKeyId } : {}),
        },
      }
    : {}),
  ...(table.restoredFrom ? { RestoreSummary: table.restoredFrom } : {}),
});

export const keySchema = ({ schema: { hash, range } }: Pick<Table, 'schema'>): SDK.KeySchemaElement[] => [
  { AttributeName: hash, KeyType: 'HASH' },
  ...(range === undefined ? [] : [{ AttributeName: range, KeyType: 'RANGE' as const }]),
];

type Definition = Omit<SDK.CreateTableCommandInput, 'TableName'> & { TableName?: string | undefined };

/** Makes a table that becomes ACTIVE after a while; `fill` puts its first items there before it does. */
export function createTable(
  definition: Definition,
  context: Context<DynamoDbState>,
  seconds: readonly [number, number] = CREATING,
  fill?: (table: Table) => void,
): Table {
  const { state, now, after, world } = context;
  const name = definition.TableName ?? '';
  if (!/^[\w.-]{3,255}$/.test(name))
    validation(
      `1 validation error detected: Value '${name}' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+`,
    );
  if (state.peek(name)) refuse('ResourceInUseException', `Table already exists: ${name}`);
  const schema = schemaOf(definition.KeySchema);
  const attributes = definition.AttributeDefinitions ?? [];
  const indexKeys = [...(definition.GlobalSecondaryIndexes ?? []), ...(definition.LocalSecondaryIndexes ?? [])].flatMap(
    ({ KeySchema = [] }) => KeySchema,
  );
  for (const { AttributeName } of [...(definition.KeySchema ?? []), ...indexKeys]) {
    if (!attributes.some((one) => one.AttributeName === AttributeName)) {
      validation(
        'One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [' +
          AttributeName +
          ']',
      );
    }
  }
  const table = new Table({
    name,
    id: world.random.uuid(),
    arn: state.arn(name),
    createdAt: now(),
    schema,
    attributes,
    globalIndexes: definition.GlobalSecondaryIndexes ?? [],
    localIndexes: definition.LocalSecondaryIndexes ?? [],
    billing: definition.BillingMode ?? 'PROVISIONED',
    throughput: definition.ProvisionedThroughput,
    stream: definition.StreamSpecification?.StreamEnabled
      ? { ...definition.StreamSpecification, label: now().toISOString().slice(0, -1) }
      : undefined,
    encryption: definition.SSESpecification,
    deletionProtection: definition.DeletionProtectionEnabled ?? false,
    tableClass: definition.TableClass ?? 'STANDARD',
    tags: tagsIn(definition.Tags),
  });
  state.tables.set(name, table);
  after(seconds, () => {
    fill?.(table);
    table.status = 'ACTIVE';
  });
  return table;
}

const tagsIn = (tags: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key as string, Value as string]));

export const tables = operations<typeof SDK, DynamoDbState>()({
  CreateTable: (input, context) => ({ TableDescription: describeTable(createTable(input, context)) }),

  DescribeTable: ({ TableName }, { state }) => ({ Table: describeTable(state.table(TableName)) }),

  UpdateTable(input, { state, now }) {
    const table = state.active(input.TableName);
    if (input.BillingMode) table.billing = input.BillingMode;
    if (input.ProvisionedThroughput) table.throughput = input.ProvisionedThroughput;
    if (input.DeletionProtectionEnabled !== undefined) table.deletionProtection = input.DeletionProtectionEnabled;
    if (input.TableClass) table.tableClass = input.TableClass;
    if (input.SSESpecification) table.encryption = input.SSESpecification;
    if (input.StreamSpecification)
      table.stream = input.StreamSpecification.StreamEnabled
        ? { ...input.StreamSpecification, label: now().toISOString().slice(0, -1) }
        : undefined;
    for (const { Create, Delete } of input.GlobalSecondaryIndexUpdates ?? []) {
      if (Create) {
        table.attributes = [
          ...table.attributes,
          ...(input.AttributeDefinitions ?? []).filter(
            ({ AttributeName }) => !table.attributes.some((one) => one.AttributeName === AttributeName),
          ),
        ];
        table.globalIndexes = [...table.globalIndexes, Create];
      }
      if (Delete) table.globalIndexes = table.globalIndexes.filter(({ IndexName }) => IndexName !== Delete.IndexName);
    }
    return { TableDescription: describeTable(table) };
  },

  DeleteTable({ TableName }, { state }) {
    const table = state.table(TableName);
    if (table.deletionProtection)
      validation('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.');
    if (table.status !== 'ACTIVE')
      refuse(
        'ResourceInUseException',
        `Attempt to change a resource which is still in use: Table is being created: ${table.name}`,
      );
    state.tables.delete(table.name);
    table.status = 'DELETING';
    return { TableDescription: describeTable(table) };
  },

  ListTables({ ExclusiveStartTableName, Limit = 100 }, { state }) {
    const names = [...state.tables.keys()]
      .sort()
      .filter((name) => ExclusiveStartTableName === undefined || name > ExclusiveStartTableName);
    return { TableNames: names.slice(0, Limit), ...(names.length > Limit ? { LastEvaluatedTableName: names[Limit - 1] } : {}) };
  },

  TagResource({ ResourceArn, Tags }, { state }) {
    Object.assign(state.table(ResourceArn).tags, tagsIn(Tags));
    return {};
  },

  UntagResource({ ResourceArn, TagKeys = [] }, { state }) {
    const { tags } = state.table(ResourceArn);
    for (const key of TagKeys) delete tags[key];
    return {};
  },

  ListTagsOfResource: ({ ResourceArn }, { state }) => ({
    Tags: Object.entries(state.table(ResourceArn).tags).map(([Key, Value]) => ({ Key, Value })),
  }),

  UpdateTimeToLive({ TableName, TimeToLiveSpecification }, { state }) {
    state.active(TableName).ttl = TimeToLiveSpecification?.Enabled ? TimeToLiveSpecification : undefined;
    return { TimeToLiveSpecification };
  },

  DescribeTimeToLive({ TableName }, { state }) {
    const { ttl } = state.active(TableName);
    return {
      TimeToLiveDescription: ttl
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.AttributeName }
        : { TimeToLiveStatus: 'DISABLED' },
    };
  },
});
