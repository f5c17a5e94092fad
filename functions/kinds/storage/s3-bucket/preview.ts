import { HeadBucketCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Preview } from '../../../domain.ts';
import { bundleKey, dataBucket } from '../../../vault/layout.ts';
import { MAY_BE_ABSENT } from '../../../vault/objects.ts';
import { looksAtKeys, troubleWithKey } from '../../keys.ts';
import type { RestoreWork } from '../../kind.ts';
import { factsOf, KIND, restoredName } from './bucket.ts';
import { factsOfArtifact } from './lists.ts';
import { keyFor, renamesOf } from './restore.ts';

const { read } = calls('s3', S3Client);
const looking = { bucket: read(HeadBucketCommand), list: read(HeadObjectCommand, MAY_BE_ABSENT), ...looksAtKeys };

/** Some thirty copies at a time of some 50 ms each, and bytes at some 500 MiB/s. */
const OBJECTS_A_MINUTE = 30_000;
const BYTES_A_MINUTE = 30 * 2 ** 30;

export const preview = verb(
  looking,
  (aws, works: readonly RestoreWork[]): Promise<Preview[]> => Promise.all(works.map((work) => look(aws, work))),
);

async function look(aws: Door<typeof looking>, work: RestoreWork): Promise<Preview> {
  const { resource, artifact, target, vault } = work;
  const { list, copies, objects } = factsOfArtifact(artifact);
  const Bucket = restoredName(resource.name, work.restore);
  const key = keyFor(work);
  const lists = dataBucket(vault.place);
  const listed = await exists(aws.list({ Bucket: lists, Key: bundleKey(copies ?? list) }));
  const original = copies !== null || (await exists(aws.bucket({ Bucket: resource.name })));
  return {
    resource: resource.id,
    kind: KIND,
    creates: [`bucket ${Bucket} in ${target.place.region} with ${objects} objects`],
    binds: [],
    renames: renamesOf(work, Bucket),
    lacks: [
      ...(listed ? [] : [`The list of ${resource.name}'s versions is not in ${lists}; choose another restore point.`]),
      ...(original
        ? []
        : [`The bucket ${resource.name} and its versions are gone; restore from a vault that keeps copies of them.`]),
      ...((await exists(aws.bucket({ Bucket }))) ? [`A bucket ${Bucket} exists already; give the restore another name.`] : []),
      ...(key === null ? [] : await troubleWithKey(aws, key, target.place)),
    ],
    notes: factsOf(resource).settings.policy === null ? [] : [`The policy of ${resource.name} is not set on the new bucket.`],
    minutes: 1 + objects / OBJECTS_A_MINUTE + (artifact.bytes ?? 0) / BYTES_A_MINUTE,
  };
}

/** A bucket of another's (403) or elsewhere (301) exists too. */
const exists = (asked: Promise<unknown>): Promise<boolean> =>
  asked
    .then(() => true)
    .catch(when(['NotFound', 'NoSuchBucket', 'NoSuchKey'], () => false))
    .catch(when(['Forbidden', 'AccessDenied', 'PermanentRedirect', 'Moved', '301', '403'], () => true));
