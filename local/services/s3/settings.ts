import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { S3State } from './state.ts';

/**
 * Bucket settings that are kept and given back as they were put: each a name, the member that carries it, and what AWS answers where there
 * is none. Of a lifecycle nothing comes: what expires stays, as it may for days; of notifications only those to EventBridge are made.
 */
const SETTINGS = {
  encryption: {
    member: 'ServerSideEncryptionConfiguration',
    action: 'EncryptionConfiguration',
    absent: 'ServerSideEncryptionConfigurationNotFoundError',
  },
  lifecycle: { member: undefined, action: 'LifecycleConfiguration', absent: 'NoSuchLifecycleConfiguration' },
  publicAccess: {
    member: 'PublicAccessBlockConfiguration',
    action: 'BucketPublicAccessBlock',
    absent: 'NoSuchPublicAccessBlockConfiguration',
  },
  ownership: { member: 'OwnershipControls', action: 'BucketOwnershipControls', absent: 'OwnershipControlsNotFoundError' },
  cors: { member: 'CORSConfiguration', action: 'BucketCORS', absent: 'NoSuchCORSConfiguration' },
  notification: { member: undefined, action: 'BucketNotification', absent: undefined },
} as const;

type Name = keyof typeof SETTINGS;
type In = { readonly Bucket?: string | undefined };

const put = (name: Name, value: object | undefined, { Bucket }: In, context: Context<S3State>): object => {
  context.state.bucket(Bucket, context, `s3:Put${SETTINGS[name].action}`).settings.set(name, value ?? {});
  return {};
};

const get = (name: Name, { Bucket }: In, context: Context<S3State>): any => {
  const { action, absent, member } = SETTINGS[name];
  const found = context.state.bucket(Bucket, context, `s3:Get${action}`).settings.get(name);
  if (!found && absent) refuse(absent, `The ${name} configuration was not found`, { status: 404 });
  return member ? { [member]: found } : { ...found };
};

const remove = (name: Name, { Bucket }: In, context: Context<S3State>): object => {
  context.state.bucket(Bucket, context, `s3:Put${SETTINGS[name].action}`).settings.delete(name);
  return {};
};

export const settings = operations<typeof SDK, S3State>()({
  PutBucketEncryption: (input, context) => put('encryption', input.ServerSideEncryptionConfiguration, input, context),
  /** Every bucket has default encryption, with S3's own keys unless set otherwise (S3 guide, "Default encryption"). */
  GetBucketEncryption(input, context) {
    const bucket = context.state.bucket(input.Bucket, context, 's3:GetEncryptionConfiguration');
    const own = { Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const }, BucketKeyEnabled: false }] };
    return {
      ServerSideEncryptionConfiguration:
        (bucket.settings.get('encryption') as SDK.ServerSideEncryptionConfiguration | undefined) ?? own,
    };
  },
  DeleteBucketEncryption: (input, context) => remove('encryption', input, context),
  PutBucketLifecycleConfiguration: (input, context) => put('lifecycle', input.LifecycleConfiguration, input, context),
  GetBucketLifecycleConfiguration: (input, context) => get('lifecycle', input, context),
  DeleteBucketLifecycle: (input, context) => remove('lifecycle', input, context),
  PutPublicAccessBlock: (input, context) => put('publicAccess', input.PublicAccessBlockConfiguration, input, context),
  GetPublicAccessBlock: (input, context) => get('publicAccess', input, context),
  DeletePublicAccessBlock: (input, context) => remove('publicAccess', input, context),
  PutBucketOwnershipControls: (input, context) => put('ownership', input.OwnershipControls, input, context),
  GetBucketOwnershipControls: (input, context) => get('ownership', input, context),
  PutBucketCors: (input, context) => put('cors', input.CORSConfiguration, input, context),
  GetBucketCors(input, context) {
    const { CORSConfiguration } = get('cors', input, context) as { CORSConfiguration: SDK.CORSConfiguration };
    return { CORSRules: CORSConfiguration.CORSRules };
  },
  PutBucketNotificationConfiguration: (input, context) => put('notification', input.NotificationConfiguration, input, context),
  GetBucketNotificationConfiguration: (input, context) => get('notification', input, context),
  DeleteBucketCors: (input, context) => remove('cors', input, context),
  DeleteBucketOwnershipControls: (input, context) => remove('ownership', input, context),
});

const seen = ({ Bucket }: In, context: Context<S3State>, what: string) => context.state.bucket(Bucket, context, `s3:Get${what}`);

/** What a new bucket has of settings that cannot be put here: tools ask for all of them. */
export const defaults = operations<typeof SDK, S3State>()({
  GetBucketAcl(input, context) {
    const Owner = { ID: seen(input, context, 'BucketAcl').owner };
    return { Owner, Grants: [{ Grantee: { ID: Owner.ID, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' }] };
  },
  GetBucketLogging(input, context) {
    seen(input, context, 'BucketLogging');
    return {};
  },
  GetBucketRequestPayment(input, context) {
    seen(input, context, 'BucketRequestPayment');
    return { Payer: 'BucketOwner' };
  },
  GetBucketAccelerateConfiguration(input, context) {
    seen(input, context, 'AccelerateConfiguration');
    return {};
  },
  GetBucketWebsite(input, context) {
    seen(input, context, 'BucketWebsite');
    return refuse('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration', { status: 404 });
  },
  GetBucketReplication(input, context) {
    seen(input, context, 'ReplicationConfiguration');
    return refuse('ReplicationConfigurationNotFoundError', 'The replication configuration was not found', { status: 404 });
  },
});
