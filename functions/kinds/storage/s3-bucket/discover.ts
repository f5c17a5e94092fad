import { GetBucketVersioningCommand, ListBucketsCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Application, Resource } from '../../../domain.ts';
import { asJson, inParallel } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { madeByRestore, namedArns, scoping, taggedArns } from '../../scope.ts';
import { type BucketFacts, bucketArn, bucketNameOf, isBucketArn, KIND } from './bucket.ts';
import { noncurrentDays, readSettings, settingsReading } from './settings.ts';

const { read } = calls('s3', S3Client);

const looking = {
  ...scoping,
  ...settingsReading,
  buckets: read(ListBucketsCommand),
  versioning: read(GetBucketVersioningCommand),
  uploads: read(ListMultipartUploadsCommand),
};
type Looking = Door<typeof looking>;

const WIDTH = 5;

type Found = { readonly resource?: Resource; readonly note?: string; readonly refusal?: string };

/** Buckets by the application's tags and ARNs, in home's region. One without versioning is refused: what it held at the cut could not be told. */
export const discover = verb(looking, async (aws, application: Application, scene): Promise<Discovery> => {
  const { arns, refusals } = namedArns(application, isBucketArn);
  const tagged = (await taggedArns(aws, application, 's3')).filter(isBucketArn);
  const all = [...new Set([...arns, ...tagged])].sort();
  if (all.length === 0) return { resources: [], notes: [], refusals };
  const created = await bucketsHere(aws, scene);
  const found = await inParallel(all, WIDTH, (arn) =>
    look(aws, application, arn, created.get(bucketNameOf(arn)), arns.includes(arn), scene),
  );
  return {
    resources: found.flatMap(({ resource }) => (resource ? [resource] : [])),
    notes: found.flatMap(({ note }) => (note ? [note] : [])),
    refusals: [...refusals, ...found.flatMap(({ refusal }) => (refusal ? [refusal] : []))],
  };
});

/** When each bucket of this account and region was created; a bucket's ARN says nothing of either. */
async function bucketsHere(aws: Looking, { here }: Scene): Promise<Map<string, Date>> {
  const created = new Map<string, Date>();
  let ContinuationToken: string | undefined;
  do {
    const page = await aws.buckets({
      BucketRegion: here.region,
      MaxBuckets: 1000,
      ...(ContinuationToken ? { ContinuationToken } : {}),
    });
    for (const { Name, CreationDate } of page.Buckets ?? []) if (Name && CreationDate) created.set(Name, CreationDate);
    ContinuationToken = page.ContinuationToken;
  } while (ContinuationToken);
  return created;
}

async function look(
  aws: Looking,
  { name: application, home }: Application,
  arn: string,
  createdAt: Date | undefined,
  named: boolean,
  { clock }: Scene,
): Promise<Found> {
  const Bucket = bucketNameOf(arn);
  if (!createdAt) {
    if (!named) return {};
    return {
      refusal: `${arn} is no bucket of account ${home.account} in ${home.region}, where "${application}" lives; correct applications.${application}.resources.arns.`,
    };
  }
  const settings = await readSettings(aws, Bucket);
  const note = named ? undefined : madeByRestore(`Bucket ${Bucket}`, new Map(Object.entries(settings.tags)));
  if (note) return { note };
  const { Status } = await aws.versioning({ Bucket });
  if (Status !== 'Enabled') {
    return {
      refusal: `Bucket ${Bucket} has versioning ${Status === 'Suspended' ? 'suspended' : 'turned off'}, so what it held at the instant of the cut could not be told; turn it on (console: Properties → Bucket Versioning; API: PutBucketVersioning).`,
    };
  }
  const days = noncurrentDays(settings);
  const facts: BucketFacts = {
    settings,
    seenAt: instant(clock.now()),
    openUploads: await openUploads(aws, Bucket),
    noncurrentDays: days,
  };
  return {
    resource: {
      kind: KIND,
      id: bucketArn(Bucket),
      name: Bucket,
      createdAt: createdAt.toISOString(),
      place: home,
      ...(days === null ? {} : { logDays: days }),
      facts: asJson(facts),
    },
  };
}

/** A bucket may have been deleted in between; then its objects' listing will say so. */
async function openUploads(aws: Looking, Bucket: string): Promise<string[]> {
  const open: string[] = [];
  let marker: { KeyMarker: string; UploadIdMarker: string } | undefined;
  do {
    const page = await aws.uploads({ Bucket, ...marker }).catch(when('NoSuchBucket', () => undefined));
    for (const { Key = '', Initiated } of page?.Uploads ?? []) open.push(uploadMark(Key, Initiated?.getTime() ?? 0));
    marker = page?.IsTruncated ? { KeyMarker: page.NextKeyMarker!, UploadIdMarker: page.NextUploadIdMarker! } : undefined;
  } while (marker);
  return open;
}

/** An upload's object will say as its last change the second in which the upload was initiated. */
export const uploadMark = (key: string, initiated: number): string => `${key}\n${Math.floor(initiated / 1000)}`;
