import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { dataBucket, sha256 } from '../../../vault/layout.ts';
import { current, deleteVersions, history, objectDeleting, objectListing } from '../../objects.ts';
import { proof, type Seed, type Seeded } from '../../proof.ts';
import { ownTags } from '../../scope.ts';
import { bucketArn, bucketNameOf } from './bucket.ts';
import { readSettings, settingsReading, settingsWriting } from './settings.ts';

const { again, read } = calls('s3', S3Client);

const seeding = {
  create: again(CreateBucketCommand),
  setVersioning: again(PutBucketVersioningCommand),
  setTags: again(PutBucketTaggingCommand),
  setLifecycle: settingsWriting.putLifecycle,
  setCors: settingsWriting.putCors,
  setOwnership: settingsWriting.putOwnership,
  setPublicAccess: settingsWriting.putPublicAccess,
  put: again(PutObjectCommand),
  remove: again(DeleteObjectCommand),
};

/** Keys that are easily lost on the way: spaces, plus signs, percent signs, other alphabets, what JSON and XML must escape. */
const KEYS = ['plain', 'a folder/with a space', 'plus+and%percent', 'żółw/日本語', 'quote"<&>\\', 'dots/../kept', 'ends/'];

async function seed(aws: Door<typeof seeding>, { name, tags }: Seed, { here }: Scene): Promise<Seeded> {
  const Bucket = `${name}-media`;
  const LocationConstraint = here.region as BucketLocationConstraint;
  await aws.create({ Bucket, ...(here.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint } }) });
  await aws.setVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  await aws.setTags({
    Bucket,
    Tagging: { TagSet: Object.entries({ ...tags, what: 'media' }).map(([Key, Value]) => ({ Key, Value })) },
  });
  await aws.setCors({
    Bucket,
    CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['https://shop.example'] }] },
  });
  await aws.setOwnership({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } });
  await aws.setPublicAccess({ Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true } });
  await aws.setLifecycle({
    Bucket,
    LifecycleConfiguration: {
      Rules: [{ ID: 'old', Status: 'Enabled', Filter: { Prefix: '' }, NoncurrentVersionExpiration: { NoncurrentDays: 30 } }],
    },
  });
  for (const Key of [...KEYS, 'deleted', 'replaced']) {
    const ContentType = Key === 'plain' ? 'text/plain' : 'image/png';
    await aws.put({ Bucket, Key, Body: `first of ${Key}`, ContentType, Metadata: { origin: 'seed' } });
  }
  await aws.put({ Bucket, Key: 'replaced', Body: 'second', CacheControl: 'max-age=60', Tagging: 'reviewed=yes' });
  await aws.remove({ Bucket, Key: 'deleted' });
  return { ids: [bucketArn(Bucket)] };
}

const reading = {
  ...settingsReading,
  ...objectListing,
  get: read(GetObjectCommand),
  versioning: read(GetBucketVersioningCommand),
};

/** Every current object with its bytes, headers and metadata, and the settings that a restore brings back. */
async function fingerprint(aws: Door<typeof reading>, arn: string): Promise<string> {
  const Bucket = bucketNameOf(arn);
  const { tags, policy: _, ...settings } = await readSettings(aws, Bucket);
  const { Status } = await aws.versioning({ Bucket });
  const objects: unknown[] = [];
  for (const Key of [...(await current(aws, Bucket)).keys()].sort()) {
    const { Body, ContentType, CacheControl, ContentEncoding, Metadata } = await aws.get({ Bucket, Key });
    objects.push([Key, sha256(await Body!.transformToByteArray()), ContentType, CacheControl, ContentEncoding, Metadata]);
  }
  const own = ownTags(new Map(Object.entries(tags))).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  return JSON.stringify([Status, settings, own, objects]);
}

export default proof({
  seed: verb(seeding, seed),
  mutate: verb({ put: seeding.put, remove: seeding.remove }, async (aws, arn) => {
    const Bucket = bucketNameOf(arn);
    await aws.put({ Bucket, Key: 'plain', Body: 'overwritten' });
    await aws.put({ Bucket, Key: 'deleted', Body: 'back again' });
    await aws.put({ Bucket, Key: 'late', Body: 'written after the cut' });
    await aws.remove({ Bucket, Key: KEYS[1]! });
  }),
  fingerprint: verb(reading, fingerprint),
  destroy: verb({ ...objectDeleting, removeBucket: again(DeleteBucketCommand) }, async (aws, arn) => {
    const Bucket = bucketNameOf(arn);
    await Array.fromAsync(history(aws, Bucket))
      .then((all) => deleteVersions(aws, Bucket, all))
      .then(() => aws.removeBucket({ Bucket }))
      .catch(when('NoSuchBucket', () => undefined));
  }),
  /** Something that someone else keeps beside our lists. */
  foreign: verb({ put: seeding.put }, async (aws, arn, { here }) => {
    const Bucket = dataBucket(here);
    const Key = `inventory/${bucketNameOf(arn)}/someone/else/1/list.json`;
    await aws.put({ Bucket, Key, Body: '{}' });
    return `arn:aws:s3:::${Bucket}/${Key}`;
  }),
});
