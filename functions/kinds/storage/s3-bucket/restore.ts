import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketTaggingCommand,
  S3Client,
  type Tag,
} from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { stamp, TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Item, type Place, pointId, type Rename, type Restored, samePlace } from '../../../domain.ts';
import { bundleReading, readBundle } from '../../../vault/bundles.ts';
import { DATA_KEY, dataBucket } from '../../../vault/layout.ts';
import { failing, inParallel } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started, started } from '../../kind.ts';
import { copyObject, current, type ObjectCopy, objectListing, taggedCopying, withinBudget } from '../../objects.ts';
import { ownTags, tagMap } from '../../scope.ts';
import { bucketArn, factsOf, KIND, restoredName } from './bucket.ts';
import { factsOfArtifact } from './lists.ts';
import { applyAfter, applyBefore, keyOf, settingsAfter, settingsBefore } from './settings.ts';
import { copyKey, decodeList, type ListedVersion } from './versions.ts';

const { read, again } = calls('s3', S3Client);

const making = {
  createBucket: again(CreateBucketCommand),
  taggingOf: read(GetBucketTaggingCommand),
  ...objectListing,
  ...settingsBefore,
};
type Making = Door<typeof making>;
const filling = { ...taggedCopying('here'), ...objectListing, ...bundleReading, ...settingsAfter };

const WIDTH = 4;

/** A bucket beside the original, with the versions that the list names: at home out of the original, in a vault out of the copies. */
export const restore: Passage<RestoreWork, Restored> = {
  start: verb(
    making,
    (aws, works: readonly RestoreWork[]): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => make(aws, work).catch(failing(work.resource.id, 'Its new bucket could not be made'))),
  ),
  settle: verb(filling, async (aws, works: readonly Started<RestoreWork>[], scene): Promise<Item<Restored>[]> => {
    const items: Item<Restored>[] = [];
    // One after the other, for each uses the whole budget of parallel copies.
    for (const work of works)
      items.push(await fill(aws, work, scene).catch(failing(work.resource.id, 'Its objects could not be restored')));
    return items;
  }),
};

async function make(aws: Making, work: RestoreWork): Promise<Item<Restored>> {
  const { resource, target } = work;
  const Bucket = restoredName(resource.name, work.restore);
  const { region } = target.place;
  const CreateBucketConfiguration = { LocationConstraint: region as BucketLocationConstraint };
  const taken = await aws
    .createBucket({ Bucket, ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration }) })
    .then(() => false)
    .catch(when('BucketAlreadyOwnedByYou', () => false))
    .catch(when('BucketAlreadyExists', () => true));
  // In us-east-1 a bucket of one's own can be created again (S3 API, CreateBucket), so whose it is only its tags say.
  if (taken || !(await isOurs(aws, Bucket, work))) {
    return failed(resource.id, `A bucket ${Bucket} exists already and is not of this restore; give the restore another name.`);
  }
  const { settings } = factsOf(resource);
  await aws.putTagging({ Bucket, Tagging: { TagSet: tagsFor(work) } });
  await applyBefore(aws, Bucket, settings, keyFor(work));
  return started(resource.id, {});
}

/** Tagged by this restore; or just created by one that died before it could tag it: then it has neither tags nor objects. */
async function isOurs(aws: Making, Bucket: string, { restore, resource }: RestoreWork): Promise<boolean> {
  const tagging = await aws.taggingOf({ Bucket }).catch(when('NoSuchTagSet', () => undefined));
  if (!tagging?.TagSet?.length) return (await current(aws, Bucket)).size === 0;
  const tags = tagMap(tagging.TagSet);
  return tags.get(TAG.restore) === restore && tags.get(TAG.resource) === resource.id;
}

async function fill(aws: Door<typeof filling>, work: Started<RestoreWork>, { clock }: Scene): Promise<Item<Restored>> {
  const { resource, vault, artifact } = work;
  const Bucket = restoredName(resource.name, work.restore);
  const { list, copies } = factsOfArtifact(artifact);
  const { versions } = decodeList(await readBundle(aws, vault.place, copies ?? list));
  const there = await current(aws, Bucket);
  const missing = versions.filter(({ key, size }) => there.get(key)?.size !== size);
  const copied = await withinBudget(missing, clock, async (version) => {
    await copyObject(aws, { from: sourceOf(work, version), size: version.size, to: { Bucket, Key: version.key } });
  });
  if (copied > 0)
    return started(resource.id, {}, `${versions.length - missing.length + copied} of ${versions.length} objects are restored.`);
  await applyAfter(aws, Bucket, factsOf(resource).settings);
  const listed = new Set(versions.map(({ key }) => key));
  const foreign = [...there.keys()].filter((key) => !listed.has(key));
  return done(resource.id, restoredAs(work, Bucket, versions, foreign));
}

/** Exactly the bytes that were listed: S3 copies them only if their ETag is still the one that the list says (S3 API, CopyObject). */
function sourceOf({ resource, vault }: RestoreWork, version: ListedVersion): ObjectCopy['from'] {
  const { copy } = version;
  if (!copy) return { Bucket: resource.name, Key: version.key, VersionId: version.versionId, etag: version.etag };
  const exactly = copy.versionId === 'null' ? {} : { VersionId: copy.versionId };
  return { Bucket: dataBucket(vault.place), Key: copyKey(resource.name, version), ...exactly, etag: copy.etag };
}

/** Where the original had a key of the customer's, so has the copy: at home the same, elsewhere the vault's. */
export function keyFor({ resource, target }: RestoreWork): string | null {
  const key = keyOf(factsOf(resource).settings);
  return key === null || samePlace(target.place, resource.place) ? key : DATA_KEY;
}

function tagsFor({ resource, point, restore }: RestoreWork): Tag[] {
  const own = ownTags(new Map(Object.entries(factsOf(resource).settings.tags)));
  return [...own, ...stamp({ application: point.application, restorePoint: pointId(point), resource: resource.id, restore })];
}

export const renamesOf = ({ resource, target }: RestoreWork, bucket: string): Rename[] => [
  { was: resource.name, is: bucket, what: 'bucket' },
  { was: resource.id, is: bucketArn(bucket), what: 'bucket ARN' },
  { was: hostOf(resource.name, resource.place), is: hostOf(bucket, target.place), what: 'bucket host' },
];

/** A bucket's own host names its region too (S3 guide, "Virtual hosting of buckets"). */
const hostOf = (bucket: string, { region }: Place): string => `${bucket}.s3.${region}.amazonaws.com`;

function restoredAs(work: RestoreWork, bucket: string, versions: readonly ListedVersion[], foreign: readonly string[]): Restored {
  const { resource, target, artifact } = work;
  const { doubtful } = factsOfArtifact(artifact);
  const { policy } = factsOf(resource).settings;
  return {
    kind: KIND,
    resource: resource.id,
    id: bucketArn(bucket),
    place: target.place,
    renames: renamesOf(work, bucket),
    notes: [
      `${resource.name} is ${bucket} in ${target.place.region}, with ${versions.length} objects.`,
      ...(policy === null
        ? []
        : [`The policy of ${resource.name} is not set on ${bucket}: it names the old bucket and gives rights; set one.`]),
      ...(doubtful.length > 0
        ? [`Uploaded in parts around the cut, so perhaps completed only after it: ${doubtful.join(', ')}.`]
        : []),
      ...(foreign.length > 0 ? [`Written by someone else while it was being restored: ${foreign.slice(0, 20).join(', ')}.`] : []),
    ],
  };
}
