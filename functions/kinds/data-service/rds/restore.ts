import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp, TAG } from '../../../aws/tags.ts';
import { composed, type Verb } from '../../../aws/verb.ts';
import { type Item, pointId, type Rename, type Restored } from '../../../domain.ts';
import { failing, inParallel } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started, started, waiting } from '../../kind.ts';
import { ownTags } from '../../scope.ts';
import { ALREADY_THERE, type Database, type Databases, FULL, LOST } from './databases.ts';
import { artifactFacts, databaseFacts } from './facts.ts';
import { restoredName } from './names.ts';
import { type Source, sourceOf } from './source.ts';

const QUOTA_MILLIS = 120_000;
const WIDTH = 5;

export interface Making {
  readonly work: RestoreWork;
  /** What the restored one is called. */
  readonly name: string;
  readonly source: Source;
}

/** What differs: the calls that begin it, and what there is to do once it is available. */
export interface Restoring {
  readonly make: Verb<any, Making, void>;
  /** Brings back what a restore leaves out; answers the renames once nothing is left to do, else what is being done or why it cannot be. */
  readonly complete: Verb<any, { readonly work: Started<RestoreWork>; readonly name: string }, Completed>;
}

export type Completed = { readonly renames: readonly Rename[] } | { readonly why: string } | { readonly trouble: string };

/** A database beside the original: out of the log or a snapshot of this vault, in the groups of the target, set as the original was. */
export function restoring(of: Databases, { make, complete }: Restoring): Passage<RestoreWork, Restored> {
  const mine = (work: RestoreWork, name: string, found: Database | undefined): Item<Restored> =>
    isMine(work, found)
      ? started(work.resource.id, {})
      : failed(
          work.resource.id,
          `A ${of.noun} ${name} exists already and is not of this restore; give the restore another name.`,
        );

  const start = composed(
    { find: of.find, sourceOf: sourceOf(of), make },
    (aws, works: readonly RestoreWork[], { clock }): Promise<Item<Restored>[]> => {
      async function begin(work: RestoreWork): Promise<Item<Restored>> {
        const { resource } = work;
        const name = restoredName(resource.name, work.restore);
        const there = await aws.find(name);
        if (there) return mine(work, name, there);
        const source = await aws.sourceOf(work);
        if ('trouble' in source) return failed(resource.id, source.trouble);
        return aws
          .make({ work, name, source })
          .then(() => started(resource.id, {}))
          .catch(when(ALREADY_THERE, async () => mine(work, name, await aws.find(name))))
          .catch(
            when(FULL, ({ message }) =>
              waiting(resource.id, instant(clock.now() + QUOTA_MILLIS), `There is no room for it yet: ${message}.`),
            ),
          );
      }
      return inParallel(works, WIDTH, (work) => begin(work).catch(failing(work.resource.id, 'It could not be restored')));
    },
  );

  const settle = composed(
    { find: of.find, complete },
    (aws, works: readonly Started<RestoreWork>[]): Promise<Item<Restored>[]> => {
      async function goOn(work: Started<RestoreWork>): Promise<Item<Restored>> {
        const { resource, target } = work;
        const name = restoredName(resource.name, work.restore);
        const found = await aws.find(name);
        if (!found || found.status === 'deleting')
          return failed(resource.id, `${name} is gone: someone deleted it while it was being restored.`);
        if (LOST.includes(found.status)) return failed(resource.id, `${name} ended as ${found.status}.`);
        if (found.status !== 'available') return started(resource.id, work.handle, `${name} is ${found.status}.`);
        const completed = await aws.complete({ work, name });
        if ('trouble' in completed) return failed(resource.id, completed.trouble);
        if ('why' in completed) return started(resource.id, work.handle, completed.why);
        const { renames } = completed;
        const notes = [asOf(work, name)];
        return done(resource.id, { kind: of.kind, resource: resource.id, id: found.arn, place: target.place, renames, notes });
      }
      return inParallel(works, WIDTH, (work) => goOn(work).catch(failing(work.resource.id, 'It could not be restored')));
    },
  );
  return { start, settle, waits: true };
}

export const isMine = ({ restore, resource }: RestoreWork, found: Pick<Database, 'tags'> | undefined): boolean =>
  found?.tags.get(TAG.restore) === restore && found.tags.get(TAG.resource) === resource.id.slice(0, 256);

function asOf({ resource, artifact, target }: RestoreWork, name: string): string {
  const facts = artifactFacts(artifact);
  const of = facts.at ?? `${artifact.interval.from} to ${artifact.interval.to}`;
  return `${resource.name} is ${name} in ${target.place.region}, as it was at ${of}, out of ${facts.by === 'log' ? 'its log' : 'a snapshot'}.`;
}

/** What is made bears the original's tags, or those of a part of it, and ours. */
export const tagsFor = (
  { point, resource, restore }: RestoreWork,
  own: Readonly<Record<string, string>> = databaseFacts(resource).tags,
) => [
  ...ownTags(new Map(Object.entries(own))),
  ...stamp({ application: point.application, restorePoint: pointId(point), resource: resource.id, restore }),
];
