import { instant, millis } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import { composed } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { asJson } from '../../items.ts';
import { type CaptureWork, done, failed, type Started, started, waiting } from '../../kind.ts';
import { ALREADY_THERE, type Databases, FULL, LOST, SNAPSHOT_ALREADY_THERE, WRONG_STATE } from './databases.ts';
import { ofSnapshot, snapshotName, stampOf, troubleWith } from './snapshots.ts';

/** How a snapshot comes to be: by way of a temporary database of `at`, or of the moment of the call. */
export type Handle =
  | { readonly by: 'materialise'; readonly at: Instant }
  | { readonly by: 'snapshot'; readonly artifact: Artifact };

const QUOTA_MILLIS = 300_000;
const GRAIN_MILLIS = 1000;

/** Begins to restore T into a database that nobody else uses, named as its snapshot will be. It bears our tags, and without them none is ever deleted. */
export const beginTemporary = (of: Databases) =>
  composed(
    { findSnapshot: of.findSnapshot, restoreTemporary: of.restoreTemporary },
    async (aws, { work, at }: { work: CaptureWork; at: Instant }, { clock }): Promise<Item<Artifact>> => {
      const { resource } = work;
      const name = snapshotName(of, work);
      const handle: Handle = { by: 'materialise', at };
      const begun = started(resource.id, asJson(handle), 'It is being restored to be snapshotted.');
      if (await aws.findSnapshot(name)) return begun;
      return aws
        .restoreTemporary({ resource, at, name, tags: stampOf(work) })
        .then(() => begun)
        .catch(when(ALREADY_THERE, () => begun))
        .catch(
          when(FULL, ({ message }) =>
            waiting(
              resource.id,
              instant(clock.now() + QUOTA_MILLIS),
              `There is no room for the temporary ${of.short}: ${message}.`,
            ),
          ),
        );
    },
  );

/** Goes on: restored, then snapshotted, then removed; done when the snapshot is there and the temporary database is not any more. */
export const snapshotTemporary = (of: Databases) =>
  composed(
    { find: of.find, findSnapshot: of.findSnapshot, createSnapshot: of.createSnapshot, remove: of.remove },
    async (aws, { work, at }: { work: Started<CaptureWork>; at: Instant }): Promise<Item<Artifact>> => {
      const { resource } = work;
      const name = snapshotName(of, work);
      const temporary = `temporary ${of.short}`;
      const onTheWay = (why: string) => started(resource.id, work.handle, why);
      const [snapshot, found] = [await aws.findSnapshot(name), await aws.find(name)];
      if (found && found.tags.get(TAG.resource) !== resource.id.slice(0, 256))
        return failed(resource.id, `A ${of.noun} ${name} exists and was not made for it; it is left alone.`);
      if (!snapshot) {
        if (!found || found.status === 'deleting')
          return failed(resource.id, `Its ${temporary} ${name} is gone: someone deleted it.`);
        if (LOST.includes(found.status)) return failed(resource.id, `Its ${temporary} ${name} ended as ${found.status}.`);
        if (found.status !== 'available') return onTheWay(`Its ${temporary} is ${found.status}.`);
        await aws
          .createSnapshot({ of: name, name, tags: stampOf(work) })
          .catch(when([...SNAPSHOT_ALREADY_THERE, ...WRONG_STATE], () => undefined));
        return onTheWay(`Its ${temporary} is being snapshotted.`);
      }
      const trouble = troubleWith(snapshot, name, resource.id);
      if (trouble) return failed(resource.id, trouble);
      if (snapshot.status !== 'available') return onTheWay(`The snapshot of its ${temporary} is ${snapshot.status}.`);
      if (found && found.status !== 'deleting') {
        await aws.remove(name);
        return onTheWay(`Its ${temporary} is being removed.`);
      }
      const interval = { from: instant(millis(at) - GRAIN_MILLIS), to: instant(millis(at) + GRAIN_MILLIS) };
      return done(resource.id, ofSnapshot(of, work, interval, at));
    },
  );
