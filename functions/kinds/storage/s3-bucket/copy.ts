import { GetObjectRetentionCommand, ListObjectsV2Command, PutObjectRetentionCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Instant, type Item, type Place, pointId } from '../../../domain.ts';
import {
  bundleCopying,
  bundleReading,
  bundleWriting,
  copyBundle,
  type Keeping,
  readBundle,
  retention,
  writeBundle,
} from '../../../vault/bundles.ts';
import { dataBucket, listsPrefix, versionsPrefix } from '../../../vault/layout.ts';
import { asJson, failing, handleOf } from '../../items.ts';
import { type CopyWork, done, type Passage, type Started, started } from '../../kind.ts';
import { copyObject, current, type Entry, LOCKING, objectListing, taggedCopying, withinBudget } from '../../objects.ts';
import { factsOfArtifact, type ListFacts } from './lists.ts';
import { type Marker, markerId, markerOf, markerWriting, putMarkerOnce, readMarker, replaceMarker } from './marker.ts';
import { copyKey, decodeList, encodeList, type ListedVersion, type VersionList } from './versions.ts';

const s3 = calls('s3', S3Client);

const beginning = { ...bundleCopying, ...markerWriting };
const pulling = {
  ...taggedCopying('home', LOCKING),
  ...objectListing,
  ...bundleReading,
  ...bundleWriting,
  ...markerWriting,
  markers: s3.read(ListObjectsV2Command),
  versionRetention: s3.read(GetObjectRetentionCommand),
  lockVersion: s3.again(PutObjectRetentionCommand),
};
type Pulling = Door<typeof pulling>;

/** How many versions of the list, in its order, are copied or found copied, and locked. */
type Handle = { readonly done: number };

/** Each version is copied once, whichever points need it; a point is a list. */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    beginning,
    (aws, works: readonly CopyWork[], scene): Promise<Item<Artifact>[]> =>
      Promise.all(
        works.map((work) =>
          begin(aws, work, scene).catch(failing(work.resource.id, 'The list of its versions could not be copied')),
        ),
      ),
  ),
  settle: verb(pulling, async (aws, works: readonly Started<CopyWork>[], scene): Promise<Item<Artifact>[]> => {
    const items: Item<Artifact>[] = [];
    // One after the other, for each uses the whole budget of parallel copies.
    for (const work of works)
      items.push(await pull(aws, work, scene).catch(failing(work.resource.id, 'Its versions could not be copied')));
    return items;
  }),
};

const keepingOf = ({ vault, keepUntil }: CopyWork): Keeping => ({ vault, ...(keepUntil ? { keepUntil } : {}) });

/**
 * How a copy is kept that points share: to the end of the day on which the point may go. Its lock is extended when a point needs it for another
 * day, so with hourly points once a day and not for every one; each extension is two requests for each object.
 */
function sharedKeepingOf({ vault, keepUntil }: CopyWork): Keeping {
  return keepUntil ? { vault, keepUntil: instant(Math.ceil(millis(keepUntil) / DAY_MILLIS) * DAY_MILLIS) } : { vault };
}
const DAY_MILLIS = 86_400_000;

async function begin(aws: Door<typeof beginning>, work: CopyWork, { home }: Scene): Promise<Item<Artifact>> {
  const { resource, vault, point, cut, artifact } = work;
  await copyBundle(aws, home, factsOfArtifact(artifact).list, keepingOf(work));
  const name = markerOf(vault.place, resource, point, cut);
  const copied: Artifact = { ...artifact, id: markerId(name), place: vault.place };
  await putMarkerOnce(aws, name, { artifact: copied, restorePoint: pointId(point), cut: cut.id });
  return started(resource.id, asJson({ done: 0 } satisfies Handle));
}

async function pull(aws: Pulling, work: Started<CopyWork>, { clock }: Scene): Promise<Item<Artifact>> {
  const { resource, vault } = work;
  const bucket = resource.name;
  const Bucket = dataBucket(vault.place);
  const list = decodeList(await readBundle(aws, vault.place, factsOfArtifact(work.artifact).list));
  const there = await current(aws, Bucket, versionsPrefix(bucket));
  const { reliable, lockedUntil } = await reliableCopies(aws, work);
  const keeping = sharedKeepingOf(work);
  const handle = handleOf<Handle>(work);
  const handled = await withinBudget(list.versions.slice(handle.done), clock, async (version) => {
    const Key = copyKey(bucket, version);
    const known = there.get(Key);
    if (known?.size === version.size && reliable(known)) {
      if (!keeping.keepUntil || lockedUntil(known) >= keeping.keepUntil) return;
      return extendLock(aws, Bucket, known, keeping);
    }
    const VersionId = version.versionId;
    const to = { Bucket, Key, ...retention(keeping) };
    await copyObject(aws, { from: { Bucket: bucket, Key: version.key, VersionId }, size: version.size, to });
  });
  const reached = handle.done + handled;
  if (handled > 0)
    return started(
      resource.id,
      asJson({ done: reached } satisfies Handle),
      `${reached} of ${list.versions.length} versions are copied.`,
    );
  return finish(aws, work, list, there);
}

/** What is known of the copies that are there, without asking for each. */
interface Reliance {
  /** Whether it may be relied on: it was made since our marker was put, or the newest other live list names it, and no other version in its place. */
  reliable(copy: Entry): boolean;
  /** Until when that list says that it is locked. A lock is only ever extended (S3 guide, "Object Lock": retention modes). */
  lockedUntil(copy: Entry): Instant;
}

async function reliableCopies(aws: Pulling, { resource, vault, point, cut }: CopyWork): Promise<Reliance> {
  const Bucket = dataBucket(vault.place);
  const ours = markerOf(vault.place, resource, point, cut);
  const markers: { key: string; put: number }[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await aws.markers({
      Bucket,
      Prefix: listsPrefix(resource.name),
      ...(ContinuationToken ? { ContinuationToken } : {}),
    });
    for (const { Key, LastModified } of page.Contents ?? [])
      if (Key) markers.push({ key: Key, put: LastModified?.getTime() ?? 0 });
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  const since = markers.find(({ key }) => key === ours.key)?.put ?? Number.POSITIVE_INFINITY;
  const others = markers.filter(({ key }) => key !== ours.key).sort((a, b) => b.put - a.put);
  const named = new Map<string, ListedVersion['copy']>();
  for (const { key } of others) {
    const marker = await readMarker(aws, { bucket: Bucket, key });
    const list = marker && !marker.condemned && (await readListOf(aws, vault.place, marker));
    if (!list) continue;
    for (const version of list.versions) named.set(copyKey(resource.name, version), version.copy);
    break;
  }
  return {
    reliable: ({ key, versionId, modified }) =>
      modified >= since || (named.has(key) && (named.get(key)?.versionId ?? versionId) === versionId),
    lockedUntil: ({ key }) => named.get(key)?.lockedUntil ?? '',
  };
}

/** The list that a marker names, with where the copies lie once it knows that; an expiry may have deleted it in between. */
export const readListOf = (
  aws: Door<typeof bundleReading>,
  place: Place,
  { artifact }: Marker,
): Promise<VersionList | undefined> => {
  const { list, copies } = factsOfArtifact(artifact);
  return readBundle(aws, place, copies ?? list).then(
    decodeList,
    when('NoSuchKey', () => undefined),
  );
};

/** A copy that is shared must stay as long as the last point that needs it. */
async function extendLock(aws: Pulling, Bucket: string, { key: Key, versionId }: Entry, keeping: Keeping): Promise<void> {
  const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = retention(keeping);
  if (!Mode || !RetainUntilDate) return;
  const where = { Bucket, Key, VersionId: versionId };
  const held = await aws.versionRetention(where).catch(when('NoSuchObjectLockConfiguration', () => undefined));
  if ((held?.Retention?.RetainUntilDate ?? 0) >= RetainUntilDate) return;
  await aws.lockVersion({ ...where, Retention: { Mode, RetainUntilDate } });
}

/** Every version of the list is there: writes down where each copy lies, to the version. */
async function finish(
  aws: Pulling,
  work: CopyWork,
  list: VersionList,
  there: ReadonlyMap<string, Entry>,
): Promise<Item<Artifact>> {
  const { resource, vault, point, cut, artifact } = work;
  const located: ListedVersion[] = [];
  const { ObjectLockRetainUntilDate: locked } = retention(sharedKeepingOf(work));
  const lock = locked ? { lockedUntil: instant(locked.getTime()) } : {};
  for (const version of list.versions) {
    const copied = there.get(copyKey(resource.name, version));
    if (copied?.size !== version.size)
      return started(resource.id, asJson({ done: 0 } satisfies Handle), `The copy of ${version.key} is gone and is made anew.`);
    located.push({ ...version, copy: { versionId: copied.versionId, etag: copied.etag, ...lock } });
  }
  const copies = await writeBundle(aws, encodeList({ ...list, versions: located }), keepingOf(work));
  const name = markerOf(vault.place, resource, point, cut);
  const { restorableUntil: _, ...kept } = artifact; // copies do not end with the original's lifecycle
  const result: Artifact = {
    ...kept,
    id: markerId(name),
    place: vault.place,
    endurance: 'durable',
    facts: asJson({ ...factsOfArtifact(artifact), copies } satisfies ListFacts),
  };
  await replaceMarker(aws, name, { artifact: result, restorePoint: pointId(point), cut: cut.id });
  return done(resource.id, result);
}
