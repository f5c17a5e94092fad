import type { CreateDBSnapshotCommand, DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import type { Call } from '../../../aws/call.ts';
import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp, TAG } from '../../../aws/tags.ts';
import type { Door, Scene } from '../../../aws/verb.ts';
import { type Artifact, type Instant, type Interval, type Item, pointId } from '../../../domain.ts';
import { asJson } from '../../items.ts';
import { type CaptureWork, done, failed, type Started, started, waiting } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { findSnapshot, looksAtSnapshots } from './describe.ts';
import { type ArtifactFacts, KIND, nameFor, snapshotArn } from './instance.ts';

export const snapshotting = looksAtSnapshots;
type Snapshotting = Door<typeof snapshotting & { createSnapshot: Call<typeof CreateDBSnapshotCommand> }>;

/** A snapshot is taken of an instance that is available (RDS API, CreateDBSnapshot); while another backup runs, that ends soon. */
const BUSY_MILLIS = 30_000;

/** What a cut calls its snapshot of a resource. */
export const snapshotName = ({ cut, resource }: Pick<CaptureWork, 'cut' | 'resource'>): string => nameFor(cut.id, resource.id);

export const stampOf = ({ point, resource, cut }: Pick<CaptureWork, 'point' | 'resource' | 'cut'>) =>
  stamp({ application: point.application, restorePoint: pointId(point), cut: cut.id, resource: resource.id });

/** Asks for a snapshot now: its instant lies between the asking and what RDS will say of when it was taken. */
export async function beginSnapshot(
  aws: Snapshotting,
  work: CaptureWork,
  { DBInstanceStatus, DBInstanceIdentifier }: DBInstance,
  { clock }: Scene,
): Promise<Item<Artifact>> {
  const { resource, cut } = work;
  const name = snapshotName(work);
  const known = await findSnapshot(aws, name);
  if (known) return begun(work, { from: cut.begun, to: instant(clock.now()) });
  if (DBInstanceStatus === 'backing-up')
    return waiting(resource.id, instant(clock.now() + BUSY_MILLIS), 'Another backup of it is running.');
  return aws
    .createSnapshot({ DBInstanceIdentifier, DBSnapshotIdentifier: name, Tags: stampOf(work) })
    .then(({ asked }) => begun(work, asked))
    .catch(
      when('InvalidDBInstanceStateFault', () =>
        failed(
          resource.id,
          `It is ${DBInstanceStatus}, and a snapshot can be taken of an instance that is available only; the next attempt asks again.`,
        ),
      ),
    )
    .catch(when('DBSnapshotAlreadyExistsFault', () => begun(work, { from: cut.begun, to: instant(clock.now()) })));
}

const begun = (work: CaptureWork, interval: Interval) =>
  started(
    work.resource.id,
    asJson({ by: 'snapshot', artifact: ofSnapshot(work, interval, null) }),
    'Its snapshot is being made.',
  );

/** How a snapshot stands that was asked for; when it is there, RDS says when it was taken. */
export async function snapshotted(aws: Snapshotting, work: Started<CaptureWork>, artifact: Artifact): Promise<Item<Artifact>> {
  const { resource } = work;
  const name = snapshotName(work);
  const snapshot = await findSnapshot(aws, name);
  const trouble = troubleWith(snapshot, name, resource.id);
  if (trouble) return failed(resource.id, trouble);
  if (snapshot?.Status !== 'available') return started(resource.id, work.handle, `Its snapshot is ${snapshot?.Status}.`);
  const taken = snapshot.SnapshotCreateTime?.toISOString() ?? artifact.interval.to;
  const to = taken > artifact.interval.to ? taken : artifact.interval.to;
  return done(resource.id, { ...artifact, interval: { from: artifact.interval.from, to } });
}

/** Why a snapshot will not come to be, or is not ours. */
export function troubleWith(snapshot: DBSnapshot | undefined, name: string, resource: string): string | undefined {
  if (!snapshot) return `Its snapshot ${name} is gone: someone deleted it while it was being made.`;
  if (tagMap(snapshot.TagList).get(TAG.resource) !== resource.slice(0, 256))
    return `The snapshot ${name} exists and was not made for it.`;
  return ['creating', 'copying', 'available'].includes(snapshot.Status ?? '')
    ? undefined
    : `Its snapshot ${name} ended as ${snapshot.Status}.`;
}

/** A snapshot as an artifact; `at` where it is of exactly that second. */
export function ofSnapshot(work: CaptureWork, interval: Interval, at: Instant | null): Artifact {
  const id = snapshotArn(work.vault.place, snapshotName(work));
  return {
    kind: KIND,
    resource: work.resource.id,
    id,
    place: work.vault.place,
    interval,
    endurance: 'durable',
    facts: asJson({ by: 'snapshot', at, snapshot: id, files: null } satisfies ArtifactFacts),
  };
}
