import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Place } from '../../../domain.ts';
import { bundleReading } from '../../../vault/bundles.ts';
import { bundleKey, dataBucket, listsPrefix, versionsPrefix } from '../../../vault/layout.ts';
import { why } from '../../items.ts';
import type { Expired, Expiry, Stray, StraysScope } from '../../kind.ts';
import { deleteVersions, type Entry, history, objectDeleting } from '../../objects.ts';
import { bucketArn, KIND } from './bucket.ts';
import { readListOf } from './copy.ts';
import {
  bundlesOf,
  type Marker,
  type MarkerName,
  markerId,
  markerNamed,
  markerWriting,
  protectedBucketOf,
  readMarker,
  replaceMarker,
} from './marker.ts';
import { copyKey } from './versions.ts';

const listing = { markers: calls('s3', S3Client).read(ListObjectsV2Command) };
const deleting = { ...listing, ...objectDeleting, ...markerWriting, ...bundleReading };
type Deleting = Door<typeof deleting>;

/** Every list of versions that a point of the application needs or needed here. */
export const strays = verb(
  listing,
  async (aws, { application }: StraysScope, { here }): Promise<Stray[]> =>
    (await markersIn(aws, here)).flatMap(({ name, put }): Stray[] => {
      const [, bucket = '', whose, slot, attempt, file = ''] = name.key.split('/');
      if (whose !== application) return [];
      const cut = file.replace(/\.json$/, '');
      return [
        {
          kind: KIND,
          id: markerId(name),
          restorePoint: `${slot}/${attempt}`,
          cut,
          resource: bucketArn(bucket),
          createdAt: put.toISOString(),
        },
      ];
    }),
);

async function markersIn(aws: Door<typeof listing>, place: Place, bucket?: string): Promise<{ name: MarkerName; put: Date }[]> {
  const Bucket = dataBucket(place);
  const found: { name: MarkerName; put: Date }[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await aws.markers({ Bucket, Prefix: listsPrefix(bucket), ...(ContinuationToken ? { ContinuationToken } : {}) });
    for (const { Key, LastModified } of page.Contents ?? []) {
      if (Key) found.push({ name: { bucket: Bucket, key: Key }, put: LastModified ?? new Date(0) });
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return found;
}

/** Deletes the point's list and the copies that no other list needs, by the rule that stands in marker.ts. */
export const expire = verb(deleting, async (aws, works: readonly Expiry[], { here }): Promise<Expired[]> => {
  const expired: Expired[] = [];
  for (const { id } of works) {
    expired.push(
      await remove(aws, id, here).catch((error) => ({ id, gone: false, why: why(`${id} could not be deleted`)(error) })),
    );
  }
  return expired;
});

async function remove(aws: Deleting, id: string, here: Place): Promise<Expired> {
  const name = markerNamed(id, here);
  if (!name)
    return {
      id,
      gone: false,
      why: `${id} is no list under our own keys in ${here.account}/${here.region}, so it is left alone.`,
    };
  const marker = await readMarker(aws, name);
  if (!marker) return { id, gone: true };
  if (!marker.condemned) await replaceMarker(aws, name, { ...marker, condemned: true });
  const bucket = protectedBucketOf(name);
  const there = await Array.fromAsync(history(aws, name.bucket, versionsPrefix(bucket)));
  const others = await markersOf(aws, here, bucket, name.key);
  const reasons = [
    ...(await deleteVersions(aws, name.bucket, await unneeded(aws, here, bucket, marker, others, there))),
    ...(await deleteBundles(aws, name.bucket, marker, others)),
  ];
  if (reasons.length > 0) return { id, gone: false, why: `${reasons[0]}.` };
  const [left] = await deleteVersions(aws, name.bucket, await versionsOf(aws, name.bucket, name.key));
  return left === undefined ? { id, gone: true } : { id, gone: false, why: `${left}.` };
}

async function markersOf(aws: Deleting, place: Place, bucket: string, except: string): Promise<Marker[]> {
  const names = (await markersIn(aws, place, bucket)).map(({ name }) => name).filter(({ key }) => key !== except);
  return (await Promise.all(names.map((name) => readMarker(aws, name)))).filter((marker) => marker !== undefined);
}

/** What this list names and no other live one does, of what was there before the others were read. */
async function unneeded(
  aws: Deleting,
  place: Place,
  bucket: string,
  marker: Marker,
  others: readonly Marker[],
  there: readonly Entry[],
): Promise<Entry[]> {
  const own = await readListOf(aws, place, marker);
  const doomed = new Set((own?.versions ?? []).map((version) => copyKey(bucket, version)));
  for (const other of others.filter(({ condemned }) => !condemned)) {
    if (doomed.size === 0) return [];
    const list = await readListOf(aws, place, other);
    for (const version of list?.versions ?? []) doomed.delete(copyKey(bucket, version));
  }
  return there.filter(({ key }) => doomed.has(key));
}

/** A list's bundles belong to its point alone, but another attempt may have copied the same list. */
async function deleteBundles(aws: Deleting, bucket: string, marker: Marker, others: readonly Marker[]): Promise<string[]> {
  const needed = new Set(others.flatMap(bundlesOf));
  const reasons: string[] = [];
  for (const digest of bundlesOf(marker).filter((one) => !needed.has(one))) {
    reasons.push(...(await deleteVersions(aws, bucket, await versionsOf(aws, bucket, bundleKey(digest)))));
  }
  return reasons;
}

const versionsOf = async (aws: Deleting, bucket: string, key: string): Promise<Entry[]> =>
  (await Array.fromAsync(history(aws, bucket, key))).filter((entry) => entry.key === key);
