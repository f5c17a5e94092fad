import type * as SDK from '@aws-sdk/client-s3';
import { operations, refuse } from '../../world/service.ts';
import { Bucket } from './bucket.ts';
import type { S3State } from './state.ts';

const NAME = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const buckets = operations<typeof SDK, S3State>()({
  CreateBucket(
    { Bucket: name = '', CreateBucketConfiguration, ObjectLockEnabledForBucket = false },
    { state, account, region, now },
  ) {
    if (!NAME.test(name)) refuse('InvalidBucketName', 'The specified bucket is not valid.');
    const wanted = CreateBucketConfiguration?.LocationConstraint ?? 'us-east-1';
    if (wanted !== region) {
      refuse(
        'IllegalLocationConstraintException',
        `The ${wanted === 'us-east-1' ? 'unspecified' : wanted} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      );
    }
    const known = state.peek(name);
    if (known) {
      if (known.owner !== account) refuse('BucketAlreadyExists', 'The requested bucket name is not available.', { status: 409 });
      if (region !== 'us-east-1' || known.region !== region) {
        refuse('BucketAlreadyOwnedByYou', 'Your previous request to create the named bucket succeeded and you already own it.', {
          status: 409,
        });
      }
    } else state.create(new Bucket({ name, owner: account, region, createdAt: now(), lockable: ObjectLockEnabledForBucket }));
    return { Location: `/${name}`, BucketArn: `arn:aws:s3:::${name}` };
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

  ListBuckets({ Prefix = '', BucketRegion }, { state, account }) {
    return {
      Buckets: state.buckets
        .filter(
          (bucket) =>
            bucket.owner === account && bucket.name.startsWith(Prefix) && (!BucketRegion || bucket.region === BucketRegion),
        )
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map(({ name, createdAt, region }) => ({ Name: name, CreationDate: createdAt, BucketRegion: region })),
      Owner: { ID: account },
    };
  },

  GetBucketLocation({ Bucket: name }, context) {
    const { region } = context.state.bucket(name, context, 's3:GetBucketLocation');
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

  PutObjectLockConfiguration({ Bucket: name, ObjectLockConfiguration }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutBucketObjectLockConfiguration');
    if (!bucket.lockable) {
      if (bucket.versioning !== 'Enabled') {
        refuse('InvalidBucketState', "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", {
          status: 409,
        });
      }
      Object.assign(bucket, { lockable: true });
    }
    bucket.defaultRetention = ObjectLockConfiguration?.Rule?.DefaultRetention;
    return {};
  },

  GetObjectLockConfiguration({ Bucket: name }, context) {
    const bucket = context.state.bucket(name, context, 's3:GetBucketObjectLockConfiguration');
    if (!bucket.lockable) {
      refuse('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket', { status: 404 });
    }
    const rule = bucket.defaultRetention ? { Rule: { DefaultRetention: bucket.defaultRetention } } : {};
    return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...rule } };
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
    const bucket = context.state.bucket(name, context, 's3:PutBucketPolicy');
    try {
      JSON.parse(Policy);
    } catch {
      refuse('MalformedPolicy', 'Policies must be valid JSON and the first byte must be "{"');
    }
    bucket.policy = Policy;
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

export const tagsIn = (set: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((set ?? []).map(({ Key, Value }) => [Key as string, Value ?? '']));
export const tagSet = (tags: Readonly<Record<string, string>>): SDK.Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
