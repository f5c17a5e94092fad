import type * as SDK from '@aws-sdk/client-s3';
import { operations, refuse } from '../../world/service.ts';
import { compareText } from '../utf8.ts';
import { Bucket } from './bucket.ts';
import type { S3State } from './state.ts';

const NAME = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** What one must be allowed besides, to make a bucket that can lock (S3 API, CreateBucket: Permissions). */
const LOCKABLE = ['s3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning'];

export const buckets = operations<typeof SDK, S3State>()({
  CreateBucket({ Bucket: name = '', CreateBucketConfiguration: asked, ObjectLockEnabledForBucket = false }, context) {
    const { state, account, region, now } = context;
    if (!NAME.test(name)) refuse('InvalidBucketName', 'The specified bucket is not valid.');
    const wanted = asked?.LocationConstraint ?? 'us-east-1';
    if (wanted !== region) {
      refuse(
        'IllegalLocationConstraintException',
        `The ${asked?.LocationConstraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      );
    }
    const making = [
      's3:CreateBucket',
      ...(ObjectLockEnabledForBucket ? LOCKABLE : []),
      ...(asked?.Tags ? ['s3:TagResource'] : []),
    ];
    for (const action of making) state.allowAccount(context, action, `arn:aws:s3:::${name}`);
    const known = state.peek(name);
    if (known) refuseTaken(known, account, region);
    else {
      const bucket = new Bucket({ name, owner: account, region, createdAt: now(), lockable: ObjectLockEnabledForBucket });
      if (asked?.Tags) bucket.tags = tagsIn(asked.Tags);
      state.create(bucket);
    }
    return {
      Location: region === 'us-east-1' ? `/${name}` : `http://${name}.s3.amazonaws.com/`,
      BucketArn: `arn:aws:s3:::${name}`,
    };
  },

  DeleteBucket({ Bucket: name }, context) {
    const bucket = context.state.bucket(name, context, 's3:DeleteBucket');
    if (!bucket.empty)
      refuse('BucketNotEmpty', 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.', {
        status: 409,
      });
    context.state.delete(bucket.name);
    return {};
  },

  HeadBucket({ Bucket: name }, context) {
    const { region } = context.state.bucket(name, context, 's3:ListBucket');
    return { BucketRegion: region };
  },

  ListBuckets({ Prefix = '', BucketRegion, MaxBuckets = 10_000, ContinuationToken }, context) {
    const { state, account } = context;
    state.allowAccount(context, 's3:ListAllMyBuckets', '*');
    const all = state.buckets
      .filter(({ owner, name, region }) => owner === account && name.startsWith(Prefix) && region === (BucketRegion ?? region))
      .sort((a, b) => compareText(a.name, b.name))
      .filter(({ name }) => ContinuationToken === undefined || compareText(name, ContinuationToken) > 0);
    const listed = all.slice(0, MaxBuckets);
    return {
      Buckets: listed.map(({ name, createdAt, region }) => ({ Name: name, CreationDate: createdAt, BucketRegion: region })),
      Owner: { ID: account },
      ...(Prefix ? { Prefix } : {}),
      ...(all.length > listed.length ? { ContinuationToken: listed.at(-1)?.name } : {}),
    };
  },

  GetBucketLocation({ Bucket: name }, context) {
    const bucket = context.state.peek(name ?? '');
    // Any region tells where a bucket is, so that it can be found.
    const { region } = context.state.bucket(
      name,
      { ...context, region: bucket?.region ?? context.region },
      's3:GetBucketLocation',
    );
    return region === 'us-east-1' ? {} : { LocationConstraint: region as SDK.BucketLocationConstraint };
  },

  PutBucketVersioning({ Bucket: name, VersioningConfiguration }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutBucketVersioning');
    const status = VersioningConfiguration?.Status;
    if (bucket.lockable && status !== 'Enabled') {
      refuse(
        'InvalidBucketState',
        'An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.',
        { status: 409 },
      );
    }
    bucket.versioning = status ?? bucket.versioning;
    return {};
  },

  GetBucketVersioning({ Bucket: name }, context) {
    const { versioning } = context.state.bucket(name, context, 's3:GetBucketVersioning');
    return versioning ? { Status: versioning } : {};
  },

  PutBucketTagging({ Bucket: name, Tagging }, context) {
    context.state.bucket(name, context, 's3:PutBucketTagging').tags = tagsIn(Tagging?.TagSet);
    return {};
  },

  GetBucketTagging({ Bucket: name }, context) {
    const { tags } = context.state.bucket(name, context, 's3:GetBucketTagging');
    if (!tags) return refuse('NoSuchTagSet', 'The TagSet does not exist', { status: 404 });
    return { TagSet: tagSet(tags) };
  },

  DeleteBucketTagging({ Bucket: name }, context) {
    context.state.bucket(name, context, 's3:PutBucketTagging').tags = undefined;
    return {};
  },

  PutBucketPolicy({ Bucket: name, Policy = '' }, context) {
    context.state.bucket(name, context, 's3:PutBucketPolicy').policy = Policy;
    return {};
  },

  GetBucketPolicy({ Bucket: name }, context) {
    const { policy } = context.state.bucket(name, context, 's3:GetBucketPolicy');
    if (!policy) return refuse('NoSuchBucketPolicy', 'The bucket policy does not exist', { status: 404 });
    return { Policy: policy };
  },

  DeleteBucketPolicy({ Bucket: name }, context) {
    context.state.bucket(name, context, 's3:DeleteBucketPolicy').policy = undefined;
    return {};
  },
});

/** Names are global; only us-east-1 lets an owner create a bucket again (S3 API, CreateBucket). */
function refuseTaken({ owner, region: lies }: Bucket, account: string, region: string): void {
  if (owner !== account) {
    refuse(
      'BucketAlreadyExists',
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.',
      { status: 409 },
    );
  }
  if (region !== 'us-east-1' || lies !== region) {
    refuse('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', {
      status: 409,
    });
  }
}

export const tagsIn = (set: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((set ?? []).map(({ Key, Value }) => [Key as string, Value ?? '']));
export const tagSet = (tags: Readonly<Record<string, string>>): SDK.Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
