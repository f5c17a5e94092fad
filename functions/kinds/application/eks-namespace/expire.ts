import { type Door, verb } from '../../../aws/verb.ts';
import type { Place } from '../../../domain.ts';
import { bundleKey, wrappedKeyKey } from '../../../vault/layout.ts';
import { inParallel, why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, history, objectDeleting } from '../../objects.ts';
import {
  type MarkerName,
  markerId,
  markerListing,
  markerNamed,
  markerReading,
  markersOf,
  markerWriting,
  partsOf,
  readMarker,
  replaceMarker,
  sharing,
} from './marker.ts';
import { factsOf, KIND } from './namespace.ts';

const deleting = { ...markerListing, ...markerWriting, ...objectDeleting };
type Deleting = Door<typeof deleting>;

/** Every namespace that a point of the application needs or needed here. Which resource each is, its marker says. */
export const strays = verb(
  { ...markerListing, ...markerReading },
  async (aws, { application }: StraysScope, { here }): Promise<Stray[]> => {
    const found = await inParallel(await markersOf(aws, here, application), 16, async ({ name, put }) => {
      const marker = await readMarker(aws, name);
      const { restorePoint, cut } = partsOf(name);
      const resource = marker?.artifact.resource;
      return resource === undefined
        ? []
        : [{ kind: KIND, id: markerId(name), restorePoint, cut, resource, createdAt: put.toISOString() }];
    });
    return found.flat();
  },
);

/** Deletes a point's bundles, unless another attempt to copy the same cut needs them, and then its marker. */
export const expire = verb(
  deleting,
  async (aws, works: readonly Expiry[], { here }): Promise<Expired[]> =>
    inParallel(works, 8, ({ id }) =>
      remove(aws, id, here).catch((error) => ({ id, gone: false, why: why(`${id} could not be deleted`)(error) })),
    ),
);

async function remove(aws: Deleting, id: string, here: Place): Promise<Expired> {
  const name = markerNamed(id, here);
  if (!name) {
    return {
      id,
      gone: false,
      why: `${id} is no namespace under our own keys in ${here.account}/${here.region}, so it is left alone.`,
    };
  }
  const marker = await readMarker(aws, name);
  if (!marker) return { id, gone: true };
  if (!marker.condemned) await replaceMarker(aws, name, { ...marker, condemned: true });
  const { manifests, secrets } = factsOf(marker.artifact);
  const shared = (await sharing(aws, here, name)).length > 0;
  const keys = shared ? [] : [bundleKey(manifests), bundleKey(secrets), wrappedKeyKey(secrets)];
  for (const key of [...keys, name.key]) {
    const [reason] = await deleteAll(aws, { ...name, key });
    if (reason !== undefined) return { id, gone: false, why: `${reason}.` };
  }
  return { id, gone: true };
}

async function deleteAll(aws: Deleting, { bucket, key }: MarkerName): Promise<string[]> {
  const versions = (await Array.fromAsync(history(aws, bucket, key))).filter((entry) => entry.key === key);
  return deleteVersions(aws, bucket, versions);
}
