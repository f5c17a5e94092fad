import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import { keepOnDelete } from './backups.ts';
import { checkDefinition, definitionIn, encryptionKeyIn, throughputIn } from './definition.ts';
import { describeTable } from './describe.ts';
import { makeTable } from './make.ts';
import { invalidValue, validation } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import type { Definition, Table } from './table.ts';

/** Seconds until a table has become what it was asked to be. */
const UPDATING = [2, 10] as const;
const DELETING = [1, 10] as const;

const streamIn = (stream: SDK.StreamSpecification | undefined, now: Date): Table['stream'] =>
  stream?.StreamEnabled ? { ...stream, label: now.toISOString().slice(0, -1) } : undefined;

const tagsIn = (tags: readonly SDK.Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key = '', Value = '' }) => [Key, Value]));

export const tables = operations<typeof SDK, DynamoDbState>()({
  CreateTable(input, context) {
    const table = makeTable(definitionIn(input, context), context);
    table.stream = streamIn(input.StreamSpecification, context.now());
    table.deletionProtection = input.DeletionProtectionEnabled ?? false;
    table.tags = tagsIn(input.Tags);
    return { TableDescription: describeTable(table) };
  },

  DescribeTable: ({ TableName }, { state }) => ({ Table: describeTable(state.table(TableName)) }),

  UpdateTable(input, context) {
    const { state, now, after } = context;
    const table = settled(state.table(input.TableName));
    if (input.ReplicaUpdates || input.MultiRegionConsistency)
      refuse('NotImplemented', 'The local AWS does not model global tables of DynamoDB.', { status: 501 });
    if (input.StreamSpecification?.StreamEnabled && table.stream)
      validation(`Table already has an enabled stream: TableName: ${table.name}`);
    table.definition = updatedDefinition(table, input, context);
    if (input.DeletionProtectionEnabled !== undefined) table.deletionProtection = input.DeletionProtectionEnabled;
    if (input.StreamSpecification) table.stream = streamIn(input.StreamSpecification, now());
    for (const { Create } of input.GlobalSecondaryIndexUpdates ?? []) if (Create?.IndexName) table.filling.add(Create.IndexName);
    table.status = 'UPDATING';
    after(UPDATING, () => {
      table.filling.clear();
      if (table.status === 'UPDATING') table.status = 'ACTIVE';
    });
    return { TableDescription: describeTable(table) };
  },

  DeleteTable({ TableName }, context) {
    const { state, after } = context;
    const table = settled(state.table(TableName));
    if (table.deletionProtection)
      validation('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.');
    table.status = 'DELETING';
    keepOnDelete(table, context);
    after(DELETING, () => state.drop(table));
    return { TableDescription: describeTable(table) };
  },

  ListTables({ ExclusiveStartTableName: start, Limit = 100 }, { state }) {
    const names = state.tables.map(({ name }) => name).sort();
    const rest = start === undefined ? names : names.filter((name) => name > start);
    return { TableNames: rest.slice(0, Limit), ...(rest.length > Limit ? { LastEvaluatedTableName: rest[Limit - 1] } : {}) };
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

  /** Kept and told; expired items stay, as they may for days (DynamoDB guide, "Using time to live"). */
  UpdateTimeToLive({ TableName, TimeToLiveSpecification: asked }, { state }) {
    const table = state.active(TableName);
    if (asked?.Enabled === (table.ttl !== undefined))
      validation(`TimeToLive is already ${asked.Enabled ? 'enabled' : 'disabled'}`);
    table.ttl = asked?.Enabled ? asked : undefined;
    return { TimeToLiveSpecification: asked };
  },

  DescribeTimeToLive({ TableName }, { state }) {
    const { ttl } = state.table(TableName);
    return {
      TimeToLiveDescription: ttl
        ? { TimeToLiveStatus: 'ENABLED', AttributeName: ttl.AttributeName }
        : { TimeToLiveStatus: 'DISABLED' },
    };
  },
});

/** A table that can be changed: nothing else is happening to it. */
function settled(table: Table): Table {
  if (table.status === 'ACTIVE') return table;
  const doing = { CREATING: 'created', UPDATING: 'updated', DELETING: 'deleted' }[table.status as string] ?? table.status;
  return refuse(
    'ResourceInUseException',
    `Attempt to change a resource which is still in use: Table is being ${doing}: ${table.name}`,
  );
}

function updatedDefinition(
  { definition: was }: Table,
  input: SDK.UpdateTableCommandInput,
  context: Context<DynamoDbState>,
): Definition {
  const billing = input.BillingMode ?? was.billing;
  const throughput =
    billing === was.billing && !input.ProvisionedThroughput ? was.throughput : throughputIn(input.ProvisionedThroughput, billing);
  let globalIndexes = was.globalIndexes;
  for (const { Create, Update, Delete } of input.GlobalSecondaryIndexUpdates ?? []) {
    const name = (Create ?? Update ?? Delete)?.IndexName;
    const known = globalIndexes.find(({ IndexName }) => IndexName === name);
    if (Create && known) invalidValue(`Attempting to create an index which already exists: ${name}`);
    if (!Create && !known) refuse('ResourceNotFoundException', `Requested resource not found: Index: ${name}`);
    if (Create) globalIndexes = [...globalIndexes, Create];
    if (Delete) globalIndexes = globalIndexes.filter(({ IndexName }) => IndexName !== name);
    if (Update) globalIndexes = globalIndexes.map((index) => (index === known ? { ...index, ...Update } : index));
  }
  const used = new Set(
    [{ KeySchema: was.keySchema }, ...globalIndexes, ...was.localIndexes].flatMap(({ KeySchema = [] }) =>
      KeySchema.map(({ AttributeName }) => AttributeName),
    ),
  );
  const named = new Map([...was.attributes, ...(input.AttributeDefinitions ?? [])].map((one) => [one.AttributeName, one]));
  const definition: Definition = {
    ...was,
    billing,
    throughput,
    globalIndexes,
    attributes: [...named.values()].filter(({ AttributeName }) => used.has(AttributeName)),
    tableClass: input.TableClass ?? was.tableClass,
    encryptionKey: input.SSESpecification ? encryptionKeyIn(input.SSESpecification, context) : was.encryptionKey,
  };
  checkDefinition(definition);
  return definition;
}
