import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { S3State } from '../s3/state.ts';
import type { DynamoDbState, Export } from './state.ts';
import type { Change, Table } from './table.ts';
import { createTable, describeTable, keySchema } from './tables.ts';
import { type Item, sizeOf, validation } from './value.ts';

/** How far behind now the log can be asked, typically (DynamoDB guide, "Point-in-time recovery": LatestRestorableDateTime). */
const BEHIND = 300_000;
const EXPORTING = [120, 900] as const;
const RESTORING = [60, 600] as const;
const IMPORTING = [60, 600] as const;

const earliest = ({ recovery }: Table, now: number): number => Math.max(recovery!.since, now - recovery!.days * 86_400_000);
const latest = (now: number): number => Math.floor((now - BEHIND) / 1000) * 1000;

const describeRecovery = (table: Table, now: number): SDK.ContinuousBackupsDescription => ({
  ContinuousBackupsStatus: 'ENABLED',
  PointInTimeRecoveryDescription: table.recovery
    ? {
        PointInTimeRecoveryStatus: 'ENABLED',
        RecoveryPeriodInDays: table.recovery.days,
        EarliestRestorableDateTime: new Date(earliest(table, now)),
        LatestRestorableDateTime: new Date(Math.max(table.recovery.since, latest(now))),
      }
    : { PointInTimeRecoveryStatus: 'DISABLED' },
});

/**
 * What the log gives for a second: everything before it, nothing after it. What was written within that very second may be in or not, and of a
 * transaction that was in flight then a part only (Export API: no causal consistency is promised); the seed decides.
 */
function asOfSecond(table: Table, second: number, context: Context<DynamoDbState>): Item[] {
  const undecided = table.changesBetween(second, second + 1000);
  const inside = new Set<Change>();
  for (const change of undecided) if (context.world.random.chance(0.5)) inside.add(change);
  // A later change of an item cannot be there without the earlier ones having been.
  const latestKept = new Map<string, number>();
  for (const change of inside) latestKept.set(change.key, Math.max(latestKept.get(change.key) ?? 0, undecided.indexOf(change)));
  return table.itemsWhere(
    (change) =>
      change.at < second || (change.at < second + 1000 && undecided.indexOf(change) <= (latestKept.get(change.key) ?? -1)),
  );
}

const recovery = operations<typeof SDK, DynamoDbState>()({
  UpdateContinuousBackups({ TableName, PointInTimeRecoverySpecification }, { state, now }) {
    const table = state.active(TableName);
    const { PointInTimeRecoveryEnabled, RecoveryPeriodInDays = 35 } = PointInTimeRecoverySpecification ?? {};
    if (RecoveryPeriodInDays < 1 || RecoveryPeriodInDays > 35) validation('RecoveryPeriodInDays must be between 1 and 35');
    if (!PointInTimeRecoveryEnabled) table.recovery = undefined;
    else table.recovery = { since: table.recovery?.since ?? now().getTime(), days: RecoveryPeriodInDays };
    return { ContinuousBackupsDescription: describeRecovery(table, now().getTime()) };
  },

  DescribeContinuousBackups({ TableName }, { state, now }) {
    const table = state.peek(TableName);
    if (!table) refuse('TableNotFoundException', `Table not found: ${TableName}`);
    return { ContinuousBackupsDescription: describeRecovery(table as Table, now().getTime()) };
  },

  /** Settings come from now, data from then; tags, streams, TTL and PITR are not carried over (DynamoDB guide, "Restoring a table"). */
  RestoreTableToPointInTime(
    {
      SourceTableName,
      SourceTableArn,
      TargetTableName,
      RestoreDateTime,
      UseLatestRestorableTime,
      SSESpecificationOverride,
      BillingModeOverride,
    },
    context,
  ) {
    const { state, now } = context;
    const source = state.peek(SourceTableArn ?? SourceTableName);
    if (!source) return refuse('TableNotFoundException', `Table not found: ${SourceTableArn ?? SourceTableName}`);
    if (!source.recovery)
      refuse('PointInTimeRecoveryUnavailableException', `Point in time recovery is not enabled for table '${source.name}'`);
    if (state.peek(TargetTableName)) refuse('TableAlreadyExistsException', `Table already exists: ${TargetTableName}`);
    const time = now().getTime();
    const at = UseLatestRestorableTime ? latest(time) : Math.floor((RestoreDateTime?.getTime() ?? 0) / 1000) * 1000;
    if (at < Math.floor(earliest(source, time) / 1000) * 1000 || at > latest(time)) {
      refuse(
        'InvalidRestoreTimeException',
        `Restore time must be between ${new Date(earliest(source, time)).toISOString()} and ${new Date(latest(time)).toISOString()}`,
      );
    }
    const items = asOfSecond(source, at, context);
    const made = createTable(
      {
        TableName: TargetTableName,
        AttributeDefinitions: [...source.attributes],
        KeySchema: keySchema(source),
        ...(source.globalIndexes.length > 0 ? { GlobalSecondaryIndexes: [...source.globalIndexes] } : {}),
        ...(source.localIndexes.length > 0 ? { LocalSecondaryIndexes: [...source.localIndexes] } : {}),
        BillingMode: BillingModeOverride ?? source.billing,
        ...(source.throughput ? { ProvisionedThroughput: source.throughput } : {}),
        ...((SSESpecificationOverride ?? source.encryption)
          ? { SSESpecification: SSESpecificationOverride ?? source.encryption }
          : {}),
        TableClass: source.tableClass,
      },
      context,
      RESTORING,
      (table) => fill(table, items, now().getTime()),
    );
    made.restoredFrom = { SourceTableArn: source.arn, RestoreDateTime: new Date(at), RestoreInProgress: false };
    return { TableDescription: describeTable(made) };
  },
});

function fill(table: Table, items: readonly Item[], at: number): void {
  for (const item of items) table.write(table.keyOf(item), item, at);
}

const exportsAndImports = operations<typeof SDK, DynamoDbState>()({
  ExportTableToPointInTime(input, context) {
    const { state, now, world, after, region, account } = context;
    const {
      TableArn,
      S3Bucket = '',
      S3Prefix,
      ExportTime,
      ClientToken: token,
      ExportFormat = 'DYNAMODB_JSON',
      ExportType = 'FULL_EXPORT',
    } = input;
    const table = state.peek(TableArn);
    if (!table) return refuse('TableNotFoundException', `Table not found: ${TableArn}`);
    if (!table.recovery)
      refuse('PointInTimeRecoveryUnavailableException', `Point in time recovery is not enabled for table '${table.name}'`);
    if (ExportType !== 'FULL_EXPORT' || ExportFormat !== 'DYNAMODB_JSON') {
      refuse('NotImplemented', 'The local AWS models dynamodb:ExportTableToPointInTime as a full export in DYNAMODB_JSON only.', {
        status: 501,
      });
    }
    const { ClientToken: _, ...rest } = input;
    const asked = JSON.stringify(rest);
    const known = token === undefined ? undefined : [...state.exports.values()].find((one) => one.token === token);
    if (known) {
      if (known.asked !== asked) refuse('ExportConflictException', 'The client token was used with other parameters.');
      return { ExportDescription: known.description };
    }
    const time = now().getTime();
    const at = Math.floor((ExportTime?.getTime() ?? time) / 1000) * 1000;
    if (at < Math.floor(earliest(table, time) / 1000) * 1000 || at > time) {
      refuse(
        'InvalidExportTimeException',
        `Export time must be between ${new Date(earliest(table, time)).toISOString()} and now`,
      );
    }
    const exportId = `${String(time).padStart(17, '0')}-${world.random.hex(8)}`;
    const description: Export['description'] = {
      ExportArn: `${table.arn}/export/${exportId}`,
      ExportStatus: 'IN_PROGRESS',
      StartTime: now(),
      ExportTime: new Date(at),
      TableArn: table.arn,
      TableId: table.id,
      S3Bucket,
      ...(S3Prefix === undefined ? {} : { S3Prefix }),
      S3SseAlgorithm: input.S3SseAlgorithm ?? 'AES256',
      ExportFormat: 'DYNAMODB_JSON',
      ExportType: 'FULL_EXPORT',
      ...(token === undefined ? {} : { ClientToken: token }),
      ExportManifest: manifestKey(S3Prefix, exportId),
    };
    state.exports.set(description.ExportArn as string, { description, token, asked });
    const items = asOfSecond(table, at, context);
    after(EXPORTING, () => {
      const bucketRegion = context.peer<S3State>('s3').peek(S3Bucket)?.region;
      const put = (Key: string, Body: Uint8Array) =>
        context.call('s3', 'PutObject', { Bucket: S3Bucket, Key, Body }, { region: bucketRegion ?? region });
      void landExport(description, items, put, exportId, now(), account).then(
        () => Object.assign(description, { ExportStatus: 'COMPLETED', EndTime: now() }),
        (error: Error) =>
          Object.assign(description, {
            ExportStatus: 'FAILED',
            EndTime: now(),
            FailureCode: 'S3Error',
            FailureMessage: `${error.name}: ${error.message}`,
          }),
      );
    });
    return { ExportDescription: description };
  },

  DescribeExport({ ExportArn = '' }, { state }) {
    const found = state.exports.get(ExportArn);
    return found ? { ExportDescription: found.description } : refuse('ExportNotFoundException', `Export not found: ${ExportArn}`);
  },

  ListExports({ TableArn }, { state }) {
    const own = [...state.exports.values()].filter(({ description }) => !TableArn || description.TableArn === TableArn);
    return {
      ExportSummaries: own.map(({ description }) => ({
        ExportArn: description.ExportArn,
        ExportStatus: description.ExportStatus,
        ExportType: 'FULL_EXPORT' as const,
      })),
    };
  },

  /** From this region's S3, into a new table; local indexes are not taken (DynamoDB guide, "Importing data from S3"). */
  ImportTable({ S3BucketSource, InputFormat, InputCompressionType = 'NONE', TableCreationParameters, ClientToken }, context) {
    const { state, now, region, account, world } = context;
    const known =
      ClientToken === undefined ? undefined : [...state.imports.values()].find((one) => one.ClientToken === ClientToken);
    if (known) return { ImportTableDescription: known };
    if (InputFormat !== 'DYNAMODB_JSON')
      refuse('NotImplemented', `The local AWS models dynamodb:ImportTable from DYNAMODB_JSON only.`, { status: 501 });
    const { S3Bucket = '', S3KeyPrefix = '' } = S3BucketSource ?? {};
    const description: SDK.ImportTableDescription = {
      ImportArn: '',
      ImportStatus: 'IN_PROGRESS',
      StartTime: now(),
      S3BucketSource: { S3Bucket, S3KeyPrefix },
      InputFormat,
      InputCompressionType,
      ...(TableCreationParameters ? { TableCreationParameters } : {}),
      ...(ClientToken === undefined ? {} : { ClientToken }),
      ErrorCount: 0,
    };
    const table = createTable(TableCreationParameters as SDK.CreateTableCommandInput, context, IMPORTING, (made) => {
      try {
        const items = readImport(context.peer<S3State>('s3'), S3Bucket, S3KeyPrefix, InputCompressionType, region);
        fill(made, items, now().getTime());
        Object.assign(description, {
          ImportStatus: 'COMPLETED',
          EndTime: now(),
          ImportedItemCount: items.length,
          ProcessedItemCount: items.length,
        });
      } catch (error) {
        Object.assign(description, {
          ImportStatus: 'FAILED',
          EndTime: now(),
          FailureCode: 'S3Error',
          FailureMessage: (error as Error).message,
        });
        state.tables.delete(made.name);
      }
    });
    Object.assign(description, {
      ImportArn: `arn:aws:dynamodb:${region}:${account}:table/${table.name}/import/${world.random.hex(24)}`,
      TableArn: table.arn,
      TableId: table.id,
    });
    state.imports.set(description.ImportArn as string, description);
    return { ImportTableDescription: description };
  },

  DescribeImport({ ImportArn = '' }, { state }) {
    const found = state.imports.get(ImportArn);
    return found ? { ImportTableDescription: found } : refuse('ImportNotFoundException', `Import not found: ${ImportArn}`);
  },
});

const folder = (prefix: string | undefined, exportId: string): string =>
  `${prefix ? `${prefix.replace(/\/$/, '')}/` : ''}AWSDynamoDB/${exportId}`;
const manifestKey = (prefix: string | undefined, exportId: string): string => `${folder(prefix, exportId)}/manifest-summary.json`;

/** The layout of an export (DynamoDB guide, "DynamoDB table export output format"): data first, the summary last. */
async function landExport(
  description: SDK.ExportDescription,
  items: readonly Item[],
  put: (key: string, body: Uint8Array) => Promise<unknown>,
  exportId: string,
  end: Date,
  account: string,
): Promise<void> {
  const base = folder(description.S3Prefix, exportId);
  const dataKey = `${base}/data/${createHash('sha256').update(exportId).digest('hex').slice(0, 26)}.json.gz`;
  const lines = items.map((item) => `${JSON.stringify({ Item: item }, binary)}\n`).join('');
  const data = gzipSync(lines);
  await put(`${base}/_started`, new Uint8Array());
  await put(dataKey, data);
  const files = `${JSON.stringify({ itemCount: items.length, md5Checksum: md5(data, 'base64'), etag: md5(data, 'hex'), dataFileS3Key: dataKey })}\n`;
  await put(`${base}/manifest-files.json`, Buffer.from(files));
  await put(`${base}/manifest-files.md5`, Buffer.from(md5(Buffer.from(files), 'base64')));
  const billed = items.reduce((sum, item) => sum + sizeOf(item), 0);
  const summary = JSON.stringify({
    version: '2023-08-01',
    exportArn: description.ExportArn,
    startTime: description.StartTime,
    endTime: end,
    tableArn: description.TableArn,
    tableId: description.TableId,
    exportTime: description.ExportTime,
    s3Bucket: description.S3Bucket,
    s3Prefix: description.S3Prefix ?? null,
    s3SseAlgorithm: description.S3SseAlgorithm,
    s3SseKmsKeyId: null,
    manifestFilesS3Key: `${base}/manifest-files.json`,
    billedSizeBytes: billed,
    itemCount: items.length,
    outputFormat: 'DYNAMODB_JSON',
    exportType: 'FULL_EXPORT',
    accountId: account,
  });
  await put(`${base}/manifest-summary.md5`, Buffer.from(md5(Buffer.from(summary), 'base64')));
  await put(`${base}/manifest-summary.json`, Buffer.from(summary));
  Object.assign(description, { ItemCount: items.length, BilledSizeBytes: billed });
}

const md5 = (bytes: Uint8Array, encoding: 'hex' | 'base64'): string => createHash('md5').update(bytes).digest(encoding);
const binary = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value;

function readImport(s3: S3State, name: string, prefix: string, compression: SDK.InputCompressionType, region: string): Item[] {
  const bucket = s3.peek(name);
  if (bucket?.region !== region) throw new Error(`The bucket ${name} does not exist in ${region}.`);
  const keys = bucket.keys.filter((key) => key.startsWith(prefix) && bucket.current(key) && /\.json(\.gz)?$/.test(key));
  return keys.flatMap((key) => {
    const body = bucket.current(key)!.body as Uint8Array;
    const text = (compression === 'GZIP' ? gunzipSync(body) : Buffer.from(body)).toString();
    return text.split('\n').flatMap((line) => (line ? [readItem((JSON.parse(line) as { Item: Item }).Item)] : []));
  });
}

/** Binary values are base64 in text. */
const readItem = (item: Item): Item => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, readValue(value)]));
function readValue(value: SDK.AttributeValue): SDK.AttributeValue {
  if (value.B !== undefined) return { B: new Uint8Array(Buffer.from(value.B as unknown as string, 'base64')) };
  if (value.BS) return { BS: value.BS.map((text) => new Uint8Array(Buffer.from(text as unknown as string, 'base64'))) };
  if (value.L) return { L: value.L.map(readValue) };
  if (value.M) return { M: readItem(value.M) as Record<string, SDK.AttributeValue> };
  return value;
}

const backups = operations<typeof SDK, DynamoDbState>()({
  /** The contents are only good to a minute either way (CreateBackup API); the seed chooses the instant. */
  CreateBackup({ TableName, BackupName = '' }, { state, now, world }) {
    const table = state.active(TableName);
    const fuzz = now().getTime() - Math.round(world.random.next() * 60_000);
    const arn = `${table.arn}/backup/${String(now().getTime()).padStart(17, '0')}-${world.random.hex(8)}`;
    state.backups.set(arn, { arn, name: BackupName, createdAt: now(), table, items: table.itemsWhere(({ at }) => at <= fuzz) });
    return {
      BackupDetails: { BackupArn: arn, BackupName, BackupStatus: 'CREATING', BackupType: 'USER', BackupCreationDateTime: now() },
    };
  },

  DescribeBackup({ BackupArn = '' }, { state }) {
    const found = state.backups.get(BackupArn) ?? refuse('BackupNotFoundException', `Backup not found: ${BackupArn}`);
    return { BackupDescription: { BackupDetails: details(found), SourceTableDetails: sourceDetails(found.table) } };
  },

  ListBackups({ TableName }, { state }) {
    const own = [...state.backups.values()].filter(
      ({ table }) => !TableName || table.name === TableName || table.arn === TableName,
    );
    return {
      BackupSummaries: own.map((one) => ({
        ...details(one),
        TableName: one.table.name,
        TableArn: one.table.arn,
        TableId: one.table.id,
      })),
    };
  },

  DeleteBackup({ BackupArn = '' }, { state }) {
    const found = state.backups.get(BackupArn) ?? refuse('BackupNotFoundException', `Backup not found: ${BackupArn}`);
    state.backups.delete(BackupArn);
    return { BackupDescription: { BackupDetails: { ...details(found), BackupStatus: 'DELETED' } } };
  },

  RestoreTableFromBackup({ TargetTableName, BackupArn = '' }, context) {
    const { state, now } = context;
    const { table, items } = state.backups.get(BackupArn) ?? refuse('BackupNotFoundException', `Backup not found: ${BackupArn}`);
    if (state.peek(TargetTableName)) refuse('TableAlreadyExistsException', `Table already exists: ${TargetTableName}`);
    const definition = {
      TableName: TargetTableName,
      AttributeDefinitions: [...table.attributes],
      KeySchema: keySchema(table),
      BillingMode: table.billing,
    };
    return {
      TableDescription: describeTable(createTable(definition, context, RESTORING, (made) => fill(made, items, now().getTime()))),
    };
  },
});

const details = ({ arn, name, createdAt }: { arn: string; name: string; createdAt: Date }) => ({
  BackupArn: arn,
  BackupName: name,
  BackupStatus: 'AVAILABLE' as const,
  BackupType: 'USER' as const,
  BackupCreationDateTime: createdAt,
});
const sourceDetails = (table: Table) => ({
  TableName: table.name,
  TableId: table.id,
  TableArn: table.arn,
  KeySchema: keySchema(table),
  TableCreationDateTime: table.createdAt,
  ProvisionedThroughput: {
    ReadCapacityUnits: table.throughput?.ReadCapacityUnits ?? 0,
    WriteCapacityUnits: table.throughput?.WriteCapacityUnits ?? 0,
  },
});

export const pointInTime = { ...recovery, ...exportsAndImports, ...backups };
