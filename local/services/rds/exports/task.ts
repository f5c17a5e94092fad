import type * as SDK from '@aws-sdk/client-rds';
import { authorize, type Check } from '../../../world/authorization/authorize.ts';
import { assumed } from '../../../world/authorization/trust.ts';
import type { Context } from '../../../world/service.ts';
import type { World } from '../../../world/world.ts';
import { engineNamed } from '../engines.ts';
import type { Snapshot } from '../snapshot.ts';
import type { RdsState } from '../state.ts';
import { type ExportedTable, tablesOf } from './table.ts';

/** An export task as DescribeExportTasks answers it. */
export type Export = { -readonly [K in keyof SDK.ExportTask]: SDK.ExportTask[K] };

/** A snapshot of an instance or of a cluster. */
type Exported = Pick<Snapshot, 'image'> & { readonly settings: Pick<Snapshot['settings'], 'database' | 'engine'> };

/** STARTING hides a full restore of the snapshot (RDS guide, "Exporting DB snapshot data to Amazon S3"). */
const STARTING = [300, 1200] as const;
const EXPORTING = [60, 600] as const;
const GIB = 2 ** 30;

/** Carries an export out over time, writing with the role's rights; what stands in its way ends it as FAILED with the reason. */
export function carryOut(task: Export, snapshot: Exported, { after, world, region, account }: Context<RdsState>): void {
  const stopped = (): boolean => {
    if (task.Status === 'CANCELING') Object.assign(task, { Status: 'CANCELED', TaskEndTime: new Date(world.clock.now()) });
    return task.Status === 'CANCELED' || task.Status === 'FAILED';
  };
  after(STARTING, () => {
    if (stopped()) return;
    task.Status = 'IN_PROGRESS';
    task.TaskStartTime = new Date(world.clock.now());
    after(EXPORTING, async () => {
      if (stopped()) return;
      try {
        const { tables, warnings } = tablesOf(snapshot.image as Uint8Array);
        if (world.dark.has(region)) throw new Error(`${region} is not available`);
        await write(task, tables, snapshot, { world, place: { account, region } });
        if (warnings.length > 0) task.WarningMessage = warnings.join(' ');
        task.TotalExtractedDataInGB = Math.ceil(tables.reduce((sum, { parquet }) => sum + parquet.length, 0) / GIB);
        Object.assign(task, { Status: 'COMPLETE', PercentProgress: 100, TaskEndTime: new Date(world.clock.now()) });
      } catch (error) {
        const { name, message } = error as Error;
        Object.assign(task, { Status: 'FAILED', FailureCause: `${name}: ${message}`, TaskEndTime: new Date(world.clock.now()) });
      }
    });
  });
}

interface Stand {
  readonly world: World;
  readonly place: { readonly account: string; readonly region: string };
}

/**
 * `<prefix>/<task>/<database>/<schema>.<table>/1/part-….gz.parquet`, each with a `_SUCCESS` beside it, and two reports
 * (RDS guide, "Exporting DB snapshot data", "File naming convention").
 */
async function write(
  task: Export,
  tables: readonly ExportedTable[],
  { settings }: Exported,
  { world, place }: Stand,
): Promise<void> {
  const root = [task.S3Prefix, task.ExportTaskIdentifier].filter(Boolean).join('/');
  const role = { service: 'export.rds.amazonaws.com', roleArn: task.IamRoleArn as string, session: 'RdsExport' };
  const caller = assumed(world, { ...role, for: place });
  authorize(demanded(task), { world, caller, region: place.region }, { code: 'AccessDenied', status: 403 });
  const put = (key: string, Body: Uint8Array) =>
    world.call({
      place,
      service: 's3',
      operation: 'PutObject',
      input: { Bucket: task.S3Bucket, Key: `${root}/${key}`, Body, ServerSideEncryption: 'aws:kms', SSEKMSKeyId: task.KmsKeyId },
      caller,
    });
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value, undefined, 2));
  const database = settings.database ?? settings.engine;
  const schema = engineNamed(settings.engine).schema ?? database;
  for (const { name, parquet } of tables) {
    const folder = `${database}/${schema}.${name}/1`;
    await put(`${folder}/part-00000-${world.random.uuid()}-c000.gz.parquet`, parquet);
    await put(`${folder}/_SUCCESS`, new Uint8Array());
  }
  const id = task.ExportTaskIdentifier;
  await put(
    `export_tables_info_${id}_from_1_to_${tables.length}.json`,
    json({ perTableStatus: tables.map((table) => reportOn(table, `${database}.${schema}`)) }),
  );
  await put(`export_info_${id}.json`, json(summaryOf(task, root)));
}

/** What the role must allow in the bucket (RDS guide, "Exporting DB snapshot data": Providing access to an Amazon S3 bucket using an IAM role). */
function demanded({ S3Bucket, S3Prefix = '' }: Export): Check[] {
  const bucket = `arn:aws:s3:::${S3Bucket}`;
  return [
    ...['s3:GetBucketLocation', 's3:ListBucket'].map((action) => ({ action, resource: bucket })),
    ...['s3:GetObject', 's3:DeleteObject'].map((action) => ({ action, resource: `${bucket}/${S3Prefix}/*` })),
  ];
}

const reportOn = ({ name, rows, columns }: ExportedTable, target: string) => ({
  target: `${target}.${name}`,
  status: 'COMPLETE',
  tableStatistics: { rowCount: rows, partitioningInfo: { numberOfPartitions: 1, numberOfCompletedPartitions: 1 } },
  schemaMetadata: {
    originalTypeMappings: columns.map(({ name, original, exported }) => ({
      columnName: name,
      originalType: original,
      expectedExportedType: exported,
    })),
  },
  warningMessage: [],
});

const summaryOf = (task: Export, root: string) => ({
  exportTaskIdentifier: task.ExportTaskIdentifier,
  sourceArn: task.SourceArn,
  sourceType: task.SourceType,
  exportOnly: task.ExportOnly ?? [],
  snapshotTime: task.SnapshotTime?.toISOString(),
  taskStartTime: task.TaskStartTime?.toISOString(),
  s3Bucket: task.S3Bucket,
  s3Prefix: task.S3Prefix,
  exportedFilesPath: root,
  iamRoleArn: task.IamRoleArn,
  kmsKeyId: task.KmsKeyId,
  status: 'COMPLETE',
  percentProgress: 100,
});
