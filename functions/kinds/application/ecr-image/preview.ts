import { type Door, verb } from '../../../aws/verb.ts';
import type { Preview } from '../../../domain.ts';
import { inParallel } from '../../items.ts';
import type { RestoreWork } from '../../kind.ts';
import { holdFacts, KIND, restoreTags } from './image.ts';
import { findImages, findingImages } from './registry.ts';
import { lacking, renamesOf } from './restore.ts';

/** Tags are put in seconds. */
const MINUTES = 0.1;

/** Which images would be held at the target, and which it lacks. */
export const preview = verb(
  findingImages,
  (aws, works: readonly RestoreWork[]): Promise<Preview[]> => inParallel(works, 4, (work) => look(aws, work)),
);

async function look(aws: Door<typeof findingImages>, work: RestoreWork): Promise<Preview> {
  const { resource, artifact, restore, target } = work;
  const digests = holdFacts(artifact).images.map(({ digest }) => digest);
  const found = await findImages(aws.images, resource.name, digests);
  return {
    resource: resource.id,
    kind: KIND,
    creates: digests.map((digest) => `tag ${restoreTags(restore)}… on ${resource.name}@${digest} in ${target.place.region}`),
    binds: [],
    renames: renamesOf(work),
    lacks: digests.filter((digest) => !found.has(digest)).map((digest) => lacking(work, digest)),
    notes: [],
    minutes: MINUTES,
  };
}
