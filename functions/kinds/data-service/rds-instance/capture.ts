import { CreateDBSnapshotCommand, RDSClient, RestoreDBInstanceToPointInTimeCommand } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started, waiting } from '../../kind.ts';
import { findInstance, findLog, type Log, looksAtBackups, looksAtInstances, reaches } from './describe.ts';
import { exporting, exportOn } from './exports.ts';
import { type ArtifactFacts, daysAfter, factsOf, KIND } from './instance.ts';
import { type Handle, materialising, restoreTemporary, snapshotTemporary } from './materialise.ts';
import { beginSnapshot, snapshotted, snapshotting } from './snapshots.ts';

const { again } = calls('rds', RDSClient);

const making = {
  ...looksAtInstances,
  ...looksAtBackups,
  ...snapshotting,
  /** Both are repeatable by the name that is chosen. */
  createSnapshot: again(CreateDBSnapshotCommand, { also: ['rds:AddTagsToResource'] }),
  restoreToTime: again(RestoreDBInstanceToPointInTimeCommand, {
    also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'],
  }),
};
type Making = Door<typeof making>;
const finishing = { ...making, ...materialising, ...exporting };

/** How close to T the log is asked again: it is uploaded every five minutes (RDS guide, "Restoring a DB instance to a specified time"). */
const LEAST_WAIT_MILLIS = 15_000;
const NO_LOG_YET_MILLIS = 60_000;
const GRAIN_MILLIS = 1000;
const WIDTH = 5;

/**
 * Exact: once the log has reached T, the instance can be had as it was at T, to the second, for as long as the log is kept. A point that must
 * outlast the log is made a snapshot: of T, by way of a temporary instance (`materialise`), or of the moment of the call (`snapshot`).
 */
export const capture: Passage<CaptureWork, Artifact> = {
  start: verb(
    making,
    (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => begin(aws, work, scene).catch(failing(work.resource.id, 'It could not be captured'))),
  ),
  settle: verb(
    finishing,
    (aws, works: readonly Started<CaptureWork>[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => goOn(aws, work, scene).catch(failing(work.resource.id, 'It could not be captured'))),
  ),
};

async function begin(aws: Making, work: CaptureWork, scene: Scene): Promise<Item<Artifact>> {
  const { resource, cut, outlasting } = work;
  const found = await findInstance(aws, resource.name);
  if (found?.DbiResourceId !== factsOf(resource).resourceId || found?.DBInstanceStatus === 'deleting') {
    const what =
      found?.DbiResourceId === factsOf(resource).resourceId
        ? 'it is being deleted'
        : found
          ? 'another instance bears its name now'
          : 'there is no instance of its name now';
    return failed(resource.id, `It was deleted after the plan was made: ${what}. The next attempt plans anew.`);
  }
  if (outlasting === 'snapshot') return beginSnapshot(aws, work, found, scene);
  const at = cut.instant;
  if (at === undefined) throw new Permanent(`${resource.id} is taken at the instant of the cut, and there is none yet.`);
  const log = await logAt(aws, work, at, scene);
  if ('state' in log) return log;
  return outlasting === 'materialise' ? restoreTemporary(aws, work, at, scene) : done(resource.id, ofLog(work, at, log));
}

async function goOn(aws: Door<typeof finishing>, work: Started<CaptureWork>, scene: Scene): Promise<Item<Artifact>> {
  const handle = handleOf<Handle>(work);
  const item =
    handle.by === 'materialise' ? await snapshotTemporary(aws, work, handle.at) : await snapshotted(aws, work, handle.artifact);
  return item.state === 'done' && work.exports ? exportOn(aws, work, item.result, scene) : item;
}

/** The log where it gives T now; else when to ask again, or why never. */
async function logAt(aws: Making, { resource }: CaptureWork, at: Instant, { clock }: Scene): Promise<Log | Item<Artifact>> {
  const log = await findLog(aws, factsOf(resource).resourceId);
  if (!log)
    return failed(
      resource.id,
      'Its automated backups were turned off after the plan was made; set a backup retention period (ModifyDBInstance).',
    );
  const reached = reaches(log, at);
  if (reached === 'now') return log;
  if (typeof reached === 'object')
    return failed(resource.id, `Its log ${reached.never}: automated backups were turned on too late for it.`);
  const wait = log.window ? Math.max(LEAST_WAIT_MILLIS, millis(at) - log.window.latest) : NO_LOG_YET_MILLIS;
  return waiting(resource.id, instant(clock.now() + wait), `Its log has not reached ${at} yet.`);
}

const ofLog = ({ resource, vault }: CaptureWork, at: Instant, { arn, retentionDays }: Log): Artifact => ({
  kind: KIND,
  resource: resource.id,
  id: `${arn}@${at}`,
  place: vault.place,
  interval: { from: instant(millis(at) - GRAIN_MILLIS), to: instant(millis(at) + GRAIN_MILLIS) },
  endurance: 'log-backed',
  restorableUntil: daysAfter(at, retentionDays),
  facts: asJson({ by: 'log', at, backup: arn } satisfies ArtifactFacts),
});
