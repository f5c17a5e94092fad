import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import { describeTable } from './describe.ts';
import { restore } from './restore.ts';
import { type DynamoDbState, stateOf } from './state.ts';
import type { Definition, Table } from './table.ts';
import { type Item, sizeOf } from './value.ts';

/** Seconds until a backup is AVAILABLE. */
const BACKING_UP = [5, 120] as const;
/** A backup's content is of some instant within a minute of the request, on either side (CreateBackup API). */
const FUZZ_SECONDS = 60;
/** How far its items may be apart: no causal consistency, but usually less than a second (DynamoDB guide, "On-demand backup"). */
const SKEW_MILLIS = 999;
const KEPT_MILLIS = 35 * 86_400_000;

export interface Backup {
  readonly arn: string;
  readonly name: string;
  readonly type: 'USER' | 'SYSTEM';
  readonly createdAt: Date;
  readonly source: Table;
  readonly definition: Definition;
  /** What it holds, once it is AVAILABLE. */
  items?: readonly Item[];
}

/** A deleted table that had point-in-time recovery leaves a backup for 35 days (DynamoDB guide, "Deleting a table with PITR"). */
export function keepOnDelete(table: Table, context: Context<DynamoDbState>): void {
  if (!table.recovery) return;
  const backup = begin(table, `${table.name}$DeletedTableBackup`, 'SYSTEM', context);
  backup.items = table.items;
  context.after(KEPT_MILLIS / 1000, () => context.state.backups.delete(backup.arn));
}

function begin(source: Table, name: string, type: Backup['type'], { state, now, world }: Context<DynamoDbState>): Backup {
  const arn = `${source.arn}/backup/${idAt(now(), world.random.hex(8))}`;
  const backup: Backup = { arn, name, type, createdAt: now(), source, definition: source.definition };
  state.backups.set(arn, backup);
  return backup;
}

/** As AWS numbers exports and backups: when, and something that tells two of one instant apart. */
export const idAt = (now: Date, suffix: string): string => `${String(now.getTime()).padStart(14, '0')}-${suffix}`;

const find = (arn: string | undefined, state: DynamoDbState): Backup =>
  state.backups.get(arn ?? '') ?? refuse('BackupNotFoundException', `Backup not found: ${arn}`);

const details = ({ arn, name, type, createdAt, items }: Backup) => ({
  BackupArn: arn,
  BackupName: name,
  BackupType: type,
  BackupStatus: items ? ('AVAILABLE' as const) : ('CREATING' as const),
  BackupCreationDateTime: createdAt,
  BackupSizeBytes: items?.reduce((sum, item) => sum + sizeOf(item), 0) ?? 0,
  ...(type === 'SYSTEM' ? { BackupExpiryDateTime: new Date(createdAt.getTime() + KEPT_MILLIS) } : {}),
});

const describe = (backup: Backup): SDK.BackupDescription => ({
  BackupDetails: details(backup),
  SourceTableDetails: {
    TableName: backup.source.name,
    TableId: backup.source.id,
    TableArn: backup.source.arn,
    TableCreationDateTime: backup.source.createdAt,
    KeySchema: [...backup.definition.keySchema],
    BillingMode: backup.definition.billing,
    ProvisionedThroughput: backup.definition.throughput ?? { ReadCapacityUnits: 0, WriteCapacityUnits: 0 },
    ...(backup.items ? { ItemCount: backup.items.length } : {}),
  },
  SourceTableFeatureDetails: {
    GlobalSecondaryIndexes: backup.definition.globalIndexes.map(({ IndexName, KeySchema, Projection }) => ({
      IndexName,
      KeySchema,
      Projection,
    })),
    LocalSecondaryIndexes: [...backup.definition.localIndexes],
  },
});

export const backups = operations<typeof SDK, DynamoDbState>()({
  /** There is no token: asked twice, it makes two, of the same name too (CreateBackup API). */
  CreateBackup({ TableName, BackupName = '' }, context) {
    const { state, world } = context;
    const table = state.source(TableName);
    if (table.status === 'CREATING' || table.status === 'DELETING')
      refuse('TableInUseException', `Table is being ${table.status === 'CREATING' ? 'created' : 'deleted'}: ${table.name}`);
    const backup = begin(table, BackupName, 'USER', context);
    const dice = world.random.stream(`backup/${backup.arn}`);
    const seconds = dice.between(...BACKING_UP);
    const instant = world.clock.now() + 1000 * dice.between(-FUZZ_SECONDS, Math.min(FUZZ_SECONDS, seconds) - 1);
    context.after(seconds, () => {
      backup.items = [...table.history.at(instant, () => dice.integer(0, SKEW_MILLIS)).values()];
    });
    return { BackupDetails: details(backup) };
  },

  DescribeBackup: ({ BackupArn }, { state }) => ({ BackupDescription: describe(find(BackupArn, state)) }),

  ListBackups(input, { state }) {
    const { TableName, BackupType = 'USER', TimeRangeLowerBound: from, TimeRangeUpperBound: until, Limit = 100 } = input;
    const matching = [...state.backups.values()].filter(
      ({ source, type, createdAt }) =>
        (!TableName || source.name === TableName || source.arn === TableName) &&
        (BackupType === 'ALL' || type === BackupType) &&
        (!from || createdAt >= from) &&
        (!until || createdAt < until),
    );
    const start = matching.findIndex(({ arn }) => arn === input.ExclusiveStartBackupArn) + 1;
    const listed = matching.slice(start, start + Limit);
    return {
      BackupSummaries: listed.map((backup) => ({
        ...details(backup),
        TableName: backup.source.name,
        TableArn: backup.source.arn,
        TableId: backup.source.id,
      })),
      ...(start + Limit < matching.length ? { LastEvaluatedBackupArn: listed.at(-1)?.arn } : {}),
    };
  },

  DeleteBackup({ BackupArn }, { state }) {
    const backup = find(BackupArn, state);
    if (!backup.items) refuse('BackupInUseException', `Backup is being created: ${BackupArn}`);
    state.backups.delete(backup.arn);
    const description = describe(backup);
    return { BackupDescription: { ...description, BackupDetails: { ...details(backup), BackupStatus: 'DELETED' } } };
  },

  RestoreTableFromBackup(input, context) {
    const { BackupArn, TargetTableName = '' } = input;
    const { source, arn, createdAt, definition, items } = find(BackupArn, stateOf(BackupArn, context.state));
    if (!items) return refuse('BackupInUseException', `Backup is being created: ${BackupArn}`);
    const from = {
      SourceBackupArn: arn,
      SourceTableArn: source.arn,
      RestoreDateTime: createdAt,
      RestoreInProgress: true,
    };
    const table = restore({ name: TargetTableName, definition, items: () => items, from, overrides: input }, context);
    return { TableDescription: describeTable(table) };
  },
});
