import { type Door, verb } from '../../../aws/verb.ts';
import type { Place } from '../../../domain.ts';
import { inParallel, why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, history, objectDeleting } from '../../objects.ts';
import { holdFacts, KIND, repositoryOf } from './image.ts';
import { type Marker, markerId, markerListing, markerNamed, markerReading, markersOf, partsOf, readMarker } from './marker.ts';
import { release, releasing } from './release.ts';

/** Every repository out of which a point of the application holds or held images here. Which one each is, its marker says. */
export const strays = verb(
  { ...markerListing, ...markerReading },
  async (aws, { application }: StraysScope, { here }): Promise<Stray[]> => {
    const found = await inParallel(await markersOf(aws, here, application), 16, async ({ name, put }) => {
      const resource = (await readMarker(aws, name))?.artifact.resource;
      return resource === undefined
        ? []
        : [{ kind: KIND, id: markerId(name), ...partsOf(name), resource, createdAt: put.toISOString() }];
    });
    return found.flat();
  },
);

const letting = { ...markerReading, ...objectDeleting, ...releasing };
type Letting = Door<typeof letting>;

/** Takes a point's tags off its images, and then its marker away. */
export const expire = verb(
  letting,
  (aws, works: readonly Expiry[], { here }): Promise<Expired[]> =>
    inParallel(works, 4, ({ id }) =>
      remove(aws, id, here).catch((error) => ({ id, gone: false, why: why(`${id} could not be deleted`)(error) })),
    ),
);

async function remove(aws: Letting, id: string, here: Place): Promise<Expired> {
  const name = markerNamed(id, here);
  if (!name) {
    return {
      id,
      gone: false,
      why: `${id} is no images under our own keys in ${here.account}/${here.region}, so it is left alone.`,
    };
  }
  const marker = await readMarker(aws, name);
  if (!marker) return { id, gone: true };
  const repository = repositoryOf(marker.artifact.resource);
  for (const { digest, tag } of tagsIn(marker)) {
    const trouble = await release(aws, repository, digest, tag);
    if (trouble !== undefined) return { id, gone: false, why: trouble };
  }
  const versions = (await Array.fromAsync(history(aws, name.bucket, name.key))).filter(({ key }) => key === name.key);
  const [left] = await deleteVersions(aws, name.bucket, versions);
  return left === undefined ? { id, gone: true } : { id, gone: false, why: `${left}.` };
}

/** Those that came along from home first: while the point's own is there, they are not the last. */
function tagsIn({ artifact, tags }: Marker): { digest: string; tag: string }[] {
  const { images, homes } = holdFacts(artifact);
  return [
    ...images.flatMap(({ digest }, index) => (homes[index] === undefined ? [] : [{ digest, tag: homes[index] }])),
    ...Object.entries(tags).map(([digest, tag]) => ({ digest, tag })),
  ];
}
