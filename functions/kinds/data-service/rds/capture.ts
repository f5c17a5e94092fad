import { instant, millis } from '../../../aws/clock.ts';
import { Permanent } from '../../../aws/errors.ts';
import { composed } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started, waiting } from '../../kind.ts';
import { type Database, type Databases, type Log, reaches } from './databases.ts';
import { exportOn } from './exports.ts';
import { type ArtifactFacts, databaseFacts } from './facts.ts';
import { beginTemporary, type Handle, snapshotTemporary } from './materialise.ts';
import { daysAfter } from './names.ts';
import { beginSnapshot, snapshotted } from './snapshots.ts';

/** How close to T the log is asked again: it is uploaded every five minutes (RDS guide, "Restoring a DB instance to a specified time"). */
const LEAST_WAIT_MILLIS = 15_000;
const NO_LOG_YET_MILLIS = 60_000;
const GRAIN_MILLIS = 1000;
const WIDTH = 5;

/**
 * Exact: once the log has reached T, a database can be had as it was at T, to the second, for as long as the log is kept. A point that must
 * outlast the log, or be where the log does not reach, is made a snapshot: of T, by way of a temporary database (`materialise`), or of the
 * moment of the call (`snapshot`).
 */
export function capturing(of: Databases): Passage<CaptureWork, Artifact> {
  const by = { beginSnapshot: beginSnapshot(of), beginTemporary: beginTemporary(of) };
  const start = composed({ find: of.find, findLog: of.findLog, ...by }, (aws, works: readonly CaptureWork[], { clock }) => {
    async function begin(work: CaptureWork): Promise<Item<Artifact>> {
      const { resource, cut, outlasting } = work;
      const found = planned(await aws.find(resource.name), work, of.short);
      if ('state' in found) return found;
      if (outlasting === 'snapshot') return aws.beginSnapshot({ work, found });
      const at = cut.instant;
      if (at === undefined) throw new Permanent(`${resource.id} is taken at the instant of the cut, and there is none yet.`);
      const log = logAt(await aws.findLog(databaseFacts(resource).resourceId), work, at, clock.now());
      if ('state' in log) return log;
      const promised = outlasting === undefined && (of.replicated || work.homeOnly);
      return promised ? done(resource.id, ofLog(of, work, at, log)) : aws.beginTemporary({ work, at });
    }
    return inParallel(works, WIDTH, (work) => begin(work).catch(failing(work.resource.id, 'It could not be captured')));
  });
  const finishing = { snapshotted: snapshotted(of), snapshotTemporary: snapshotTemporary(of), exportOn };
  const settle = composed(finishing, (aws, works: readonly Started<CaptureWork>[]) => {
    async function goOn(work: Started<CaptureWork>): Promise<Item<Artifact>> {
      const handle = handleOf<Handle>(work);
      const item = await (handle.by === 'materialise'
        ? aws.snapshotTemporary({ work, at: handle.at })
        : aws.snapshotted({ work, artifact: handle.artifact }));
      return item.state === 'done' && work.exports ? aws.exportOn({ work, artifact: item.result }) : item;
    }
    return inParallel(works, WIDTH, (work) => goOn(work).catch(failing(work.resource.id, 'It could not be captured')));
  });
  return { start, settle, waits: true };
}

/** Plain snapshots alone: inside the freeze nothing else is asked of a database. */
export const snapshotting = (of: Databases) =>
  composed({ find: of.find, beginSnapshot: beginSnapshot(of) }, (aws, works: readonly CaptureWork[]) => {
    async function begin(work: CaptureWork): Promise<Item<Artifact>> {
      const found = planned(await aws.find(work.resource.name), work, of.short);
      return 'state' in found ? found : aws.beginSnapshot({ work, found });
    }
    return inParallel(works, WIDTH, (work) => begin(work).catch(failing(work.resource.id, 'It could not be captured')));
  });

/** What was planned as it is now, or the failure that it is not there any more. */
function planned(found: Database | undefined, { resource }: CaptureWork, noun: string): Database | ReturnType<typeof failed> {
  const gone = vanished(found, databaseFacts(resource).resourceId, noun);
  return gone === undefined
    ? (found as Database)
    : failed(resource.id, `It was deleted after the plan was made: ${gone}. The next attempt plans anew.`);
}

/** How what was planned is not there any more, in words; undefined where it is. */
function vanished(found: Database | undefined, resourceId: string, noun: string): string | undefined {
  if (!found) return `there is no ${noun} of its name now`;
  if (found.resourceId !== resourceId) return `another ${noun} bears its name now`;
  return found.status === 'deleting' ? 'it is being deleted' : undefined;
}

/** The log where it gives T now; else when to ask again, or why never. */
function logAt(log: Log | undefined, { resource }: CaptureWork, at: Instant, now: number): Log | Item<Artifact> {
  if (!log)
    return failed(
      resource.id,
      'Its automated backups were turned off after the plan was made; set its backup retention period again.',
    );
  const reached = reaches(log, at);
  if (reached === 'now') return log;
  if (typeof reached === 'object')
    return failed(resource.id, `Its log ${reached.never}: automated backups were turned on too late for it.`);
  const wait = log.window ? Math.max(LEAST_WAIT_MILLIS, millis(at) - log.window.latest) : NO_LOG_YET_MILLIS;
  return waiting(resource.id, instant(now + wait), `Its log has not reached ${at} yet.`);
}

const ofLog = (of: Databases, { resource, vault }: CaptureWork, at: Instant, { arn, retentionDays }: Log): Artifact => ({
  kind: of.kind,
  resource: resource.id,
  id: `${arn}@${at}`,
  place: vault.place,
  interval: { from: instant(millis(at) - GRAIN_MILLIS), to: instant(millis(at) + GRAIN_MILLIS) },
  endurance: 'log-backed',
  restorableUntil: daysAfter(at, retentionDays),
  facts: asJson({ by: 'log', at, backup: arn } satisfies ArtifactFacts),
});
