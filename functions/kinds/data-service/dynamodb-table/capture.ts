import {
  DescribeContinuousBackupsCommand,
  DescribeExportCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExportTableToPointInTimeCommand,
} from '@aws-sdk/client-dynamodb';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { bundleWriting, writeBundle } from '../../../vault/bundles.ts';
import { sha256, stagingBucket } from '../../../vault/layout.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started, started, waiting } from '../../kind.ts';
import { encodeDefinition } from './definition.ts';
import { type ExportFacts, exportAt, exportId, readSummary, rootOf, summaryReading } from './exports.ts';
import { daysAfter, factsOf, KIND } from './table.ts';

const { read, again } = calls('dynamodb', DynamoDBClient);

const exporting = {
  describeTable: read(DescribeTableCommand),
  backups: read(DescribeContinuousBackupsCommand),
  /** The token makes it repeatable for eight hours, and AWS writes to the bucket with the caller's rights (DynamoDB API). */
  exportTable: again(ExportTableToPointInTimeCommand, { also: ['s3:PutObject', 's3:AbortMultipartUpload'] }),
  ...bundleWriting,
};
const looking = { describeExport: read(DescribeExportCommand), ...summaryReading('here') };

/** How close to T the log is asked again: it usually runs five minutes behind (DynamoDB guide, "Point-in-time recovery"). */
const LEAST_WAIT_MILLIS = 15_000;
const QUOTA_WAIT_MILLIS = 60_000;
const GRAIN_MILLIS = 1000;
const WIDTH = 5;

type Handle = { readonly exportArn: string; readonly definition: string; readonly at: Instant };

/**
 * Exact: once the log has reached T, the table is exported as it was at T, to the second; a transaction that was in flight in that second may be
 * in it in part (DynamoDB guide, "Exporting table data"). The export carries items only, so the definition is kept beside it.
 */
export const capture: Passage<CaptureWork, Artifact> = {
  waits: true,
  start: verb(
    exporting,
    (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => begin(aws, work, scene).catch(failing(work.resource.id, 'Its export was refused'))),
  ),
  settle: verb(
    looking,
    (aws, works: readonly Started<CaptureWork>[]): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => finish(aws, work).catch(failing(work.resource.id, 'Its export could not be read'))),
  ),
};

async function begin(aws: Door<typeof exporting>, work: CaptureWork, scene: Scene): Promise<Item<Artifact>> {
  const { resource, cut, point, vault, keepUntil } = work;
  const at = cut.instant;
  if (at === undefined) throw new Permanent(`${resource.id} is taken at the instant of the cut, and there is none yet.`);
  const not = await notYet(aws, work, at, scene);
  if (not) return not;
  const definition = await writeBundle(aws, encodeDefinition(factsOf(resource).definition), {
    vault,
    ...(keepUntil ? { keepUntil } : {}),
  });
  const { bucket, prefix } = exportAt(stagingBucket(vault.place), point, resource.name);
  return aws
    .exportTable({
      TableArn: resource.id,
      ExportTime: new Date(at),
      ExportType: 'FULL_EXPORT',
      ExportFormat: 'DYNAMODB_JSON',
      S3Bucket: bucket,
      S3BucketOwner: vault.place.account,
      S3Prefix: prefix,
      ClientToken: sha256(`${cut.id}\n${resource.id}`).slice(0, 36),
    })
    .then(({ ExportDescription }) =>
      started(resource.id, asJson({ exportArn: ExportDescription!.ExportArn!, definition, at } satisfies Handle)),
    )
    .catch(
      when('LimitExceededException', () =>
        waiting(
          resource.id,
          instant(scene.clock.now() + QUOTA_WAIT_MILLIS),
          'As many exports are running as the account’s quota allows.',
        ),
      ),
    );
}

/** Why the export cannot begin now: the log has not reached T yet, or will never. */
async function notYet(
  aws: Door<typeof exporting>,
  { resource }: CaptureWork,
  at: Instant,
  { clock }: Scene,
): Promise<Item<Artifact> | undefined> {
  const TableName = resource.name;
  const found = await aws.describeTable({ TableName }).catch(when('ResourceNotFoundException', () => undefined));
  if (found?.Table?.TableId !== factsOf(resource).tableId) {
    const what = found ? 'another table bears its name now' : 'there is no table of its name now';
    return failed(resource.id, `It was deleted after the plan was made: ${what}. The next attempt plans anew.`);
  }
  const { ContinuousBackupsDescription } = await aws.backups({ TableName });
  const log = ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
  if (log?.PointInTimeRecoveryStatus !== 'ENABLED') {
    return failed(
      resource.id,
      'Its point-in-time recovery was turned off after the plan was made; turn it on (UpdateContinuousBackups).',
    );
  }
  const wanted = millis(at);
  const earliest = log.EarliestRestorableDateTime?.getTime() ?? Number.POSITIVE_INFINITY;
  const latest = log.LatestRestorableDateTime?.getTime() ?? Number.NEGATIVE_INFINITY;
  if (Number.isFinite(earliest) && earliest > wanted) {
    return failed(
      resource.id,
      `Its log begins at ${instant(earliest)}, after the cut at ${at}: point-in-time recovery was turned on too late for it.`,
    );
  }
  if (latest >= wanted) return undefined;
  const wait = Number.isFinite(latest) ? Math.max(LEAST_WAIT_MILLIS, wanted - latest) : QUOTA_WAIT_MILLIS;
  return waiting(resource.id, instant(clock.now() + wait), `Its log has not reached ${at} yet.`);
}

async function finish(aws: Door<typeof looking>, work: Started<CaptureWork>): Promise<Item<Artifact>> {
  const { resource, point, vault } = work;
  const { exportArn, definition, at } = handleOf<Handle>(work);
  const { ExportDescription } = await aws.describeExport({ ExportArn: exportArn });
  const { ExportStatus, FailureMessage, ExportManifest, BilledSizeBytes } = ExportDescription ?? {};
  if (ExportStatus === 'FAILED') return failed(resource.id, `Its export failed: ${FailureMessage ?? 'AWS gives no reason'}.`);
  if (ExportStatus !== 'COMPLETED') return started(resource.id, work.handle, 'Its export is in progress.');
  const lies = exportAt(stagingBucket(vault.place), point, resource.name);
  const manifest = ExportManifest ?? `${rootOf(exportArn, lies.prefix)}manifest-summary.json`;
  const { itemCount } = await readSummary(aws, lies.bucket, manifest);
  const facts: ExportFacts = { ...lies, at, exportArn, manifest, items: itemCount, definition, digest: null };
  return done(resource.id, {
    kind: KIND,
    resource: resource.id,
    id: exportId(lies),
    place: vault.place,
    interval: { from: instant(millis(at) - GRAIN_MILLIS), to: instant(millis(at) + GRAIN_MILLIS) },
    endurance: 'log-backed',
    restorableUntil: daysAfter(at, factsOf(resource).recoveryDays),
    ...(BilledSizeBytes === undefined ? {} : { bytes: BilledSizeBytes }),
    facts: asJson(facts),
  });
}
