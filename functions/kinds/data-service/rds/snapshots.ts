import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp, TAG } from '../../../aws/tags.ts';
import { composed } from '../../../aws/verb.ts';
import { type Artifact, type Instant, type Interval, type Item, pointId } from '../../../domain.ts';
import { asJson } from '../../items.ts';
import { type CaptureWork, done, failed, type Started, started, waiting } from '../../kind.ts';
import { type Database, type Databases, SNAPSHOT_ALREADY_THERE, type Snapshot, WRONG_STATE } from './databases.ts';
import type { ArtifactFacts } from './facts.ts';
import { nameFor, rdsArn } from './names.ts';

/** A snapshot is taken of what is available (RDS API, CreateDBSnapshot, CreateDBClusterSnapshot); while another backup runs, that ends soon. */
const BUSY_MILLIS = 30_000;

/** What a cut calls its snapshot of a resource. */
export const snapshotName = (of: Databases, { cut, resource }: Pick<CaptureWork, 'cut' | 'resource'>): string =>
  nameFor(of.prefix, cut.id, resource.id);

export const stampOf = ({ point, resource, cut }: Pick<CaptureWork, 'point' | 'resource' | 'cut'>) =>
  stamp({ application: point.application, restorePoint: pointId(point), cut: cut.id, resource: resource.id });

/** Asks for a snapshot now: its instant lies between the asking and what RDS will say of when it was taken. */
export const beginSnapshot = (of: Databases) =>
  composed(
    { findSnapshot: of.findSnapshot, createSnapshot: of.createSnapshot },
    async (aws, { work, found }: { work: CaptureWork; found: Database }, { clock }): Promise<Item<Artifact>> => {
      const { resource, cut } = work;
      const name = snapshotName(of, work);
      const begun = (interval: Interval) =>
        started(
          resource.id,
          asJson({ by: 'snapshot', artifact: ofSnapshot(of, work, interval, null) }),
          'Its snapshot is being made.',
        );
      const since = () => begun({ from: cut.begun, to: instant(clock.now()) });
      if (await aws.findSnapshot(name)) return since();
      if (found.status === 'backing-up')
        return waiting(resource.id, instant(clock.now() + BUSY_MILLIS), 'Another backup of it is running.');
      const busy = `It is ${found.status}, and a snapshot can be taken only of what is available; the next attempt asks again.`;
      return aws
        .createSnapshot({ of: found.name, name, tags: stampOf(work) })
        .then(begun)
        .catch(when(WRONG_STATE, () => failed(resource.id, busy)))
        .catch(when(SNAPSHOT_ALREADY_THERE, since));
    },
  );

/** How a snapshot stands that was asked for; when it is there, RDS says when it was taken. */
export const snapshotted = (of: Databases) =>
  composed(
    { findSnapshot: of.findSnapshot },
    async (aws, { work, artifact }: { work: Started<CaptureWork>; artifact: Artifact }): Promise<Item<Artifact>> => {
      const { resource } = work;
      const name = snapshotName(of, work);
      const snapshot = await aws.findSnapshot(name);
      const trouble = troubleWith(snapshot, name, resource.id);
      if (trouble) return failed(resource.id, trouble);
      if (snapshot?.status !== 'available') return started(resource.id, work.handle, `Its snapshot is ${snapshot?.status}.`);
      const taken = snapshot.takenAt ?? artifact.interval.to;
      const to = taken > artifact.interval.to ? taken : artifact.interval.to;
      return done(resource.id, { ...artifact, interval: { from: artifact.interval.from, to } });
    },
  );

/** Why a snapshot will not come to be, or is not ours. */
export function troubleWith(snapshot: Snapshot | undefined, name: string, resource: string): string | undefined {
  if (!snapshot) return `Its snapshot ${name} is gone: someone deleted it while it was being made.`;
  if (snapshot.tags.get(TAG.resource) !== resource.slice(0, 256)) return `The snapshot ${name} exists and was not made for it.`;
  return ['creating', 'copying', 'available'].includes(snapshot.status)
    ? undefined
    : `Its snapshot ${name} ended as ${snapshot.status}.`;
}

/** A snapshot as an artifact; `at` where it is of exactly that second. */
export function ofSnapshot(of: Databases, work: CaptureWork, interval: Interval, at: Instant | null): Artifact {
  const id = rdsArn(work.vault.place, of.snapshotType, snapshotName(of, work));
  return {
    kind: of.kind,
    resource: work.resource.id,
    id,
    place: work.vault.place,
    interval,
    endurance: 'durable',
    facts: asJson({ by: 'snapshot', at, snapshot: id, files: null } satisfies ArtifactFacts),
  };
}
