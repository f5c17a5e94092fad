import { type Door, verb } from '../../../aws/verb.ts';
import { placeRenames } from '../../../decide/rewire.ts';
import { type Item, type Rename, type Restored, samePlace } from '../../../domain.ts';
import { failing, inParallel } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started } from '../../kind.ts';
import { holdFacts, KIND, repositoryArn, restoreTag, restoreTags } from './image.ts';
import { findImages, taggingImages, tagImage } from './registry.ts';

const WIDTH = 4;

/**
 * Nothing is copied any more: the images must be in the target's registry, under the digests that ran. Each gets a tag of the restore's, so
 * that it stays when the point expires, and the tags that workloads name it by, where nothing else bears them.
 */
export const restore: Passage<RestoreWork, Restored> = {
  start: verb(
    taggingImages,
    (aws, works: readonly RestoreWork[]): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) =>
        hold(aws, work).catch(failing(work.resource.id, 'Its images could not be held for what is restored')),
      ),
  ),
  /** Holding is done when it is asked, so there is nothing to go on with. */
  settle: verb(
    {},
    async (_, works: readonly Started<RestoreWork>[]): Promise<Item<Restored>[]> =>
      works.map(({ resource }) => failed(resource.id, 'Its images were never held.')),
  ),
};

async function hold(aws: Door<typeof taggingImages>, work: RestoreWork): Promise<Item<Restored>> {
  const { resource, artifact, restore, target } = work;
  const { images } = holdFacts(artifact);
  const notes: string[] = [];
  const found = await findImages(
    aws.images,
    resource.name,
    images.map(({ digest }) => digest),
  );
  const taken = await findImages(
    aws.images,
    resource.name,
    images.flatMap(({ names }) => names),
  );
  for (const { digest, names } of images) {
    const image = found.get(digest);
    if (!image || !(await tagImage(aws, resource.name, image, restoreTag(restore, digest))))
      return failed(resource.id, lacking(work, digest));
    for (const name of names) {
      const holder = taken.get(name);
      if (!holder) await tagImage(aws, resource.name, image, name);
      else if (holder.digest !== digest)
        notes.push(
          `Tag ${name} of ${resource.name} is on ${holder.digest} here; what ran was ${digest}, which stays reachable by its digest.`,
        );
    }
  }
  return done(resource.id, {
    kind: KIND,
    resource: resource.id,
    id: `${repositoryArn(target.place, resource.name)}:${restoreTags(restore)}`,
    place: target.place,
    renames: renamesOf(work),
    notes: [
      `${images.length} images of ${resource.name} are held in ${target.place.region} by tags ${restoreTags(restore)}….`,
      ...notes,
    ],
  });
}

export const lacking = ({ resource, target: { place } }: RestoreWork, digest: string): string =>
  `The image ${resource.name}@${digest} is not in the registry of ${place.account}/${place.region}; replicate or push it there, or choose another restore point.`;

/** The registry's hosts, and the repository's ARN. At home everything keeps its name. */
export const renamesOf = ({ resource, target: { place } }: RestoreWork): Rename[] =>
  samePlace(resource.place, place)
    ? []
    : [
        ...placeRenames(resource.place, place),
        { was: resource.id, is: repositoryArn(place, resource.name), what: 'repository ARN' },
      ];
