import {
  type CORSRule,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetPublicAccessBlockCommand,
  type LifecycleRule,
  type OwnershipControls,
  type PublicAccessBlockConfiguration,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
  S3Client,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { tagMap } from '../../scope.ts';

const { read, again } = calls('s3', S3Client);

export const settingsReading = {
  encryption: read(GetBucketEncryptionCommand),
  publicAccess: read(GetPublicAccessBlockCommand),
  ownership: read(GetBucketOwnershipControlsCommand),
  cors: read(GetBucketCorsCommand),
  lifecycle: read(GetBucketLifecycleConfigurationCommand),
  tagging: read(GetBucketTaggingCommand),
  policy: read(GetBucketPolicyCommand),
};

export const settingsBefore = {
  putVersioning: again(PutBucketVersioningCommand),
  putEncryption: again(PutBucketEncryptionCommand),
  putPublicAccess: again(PutPublicAccessBlockCommand),
  putOwnership: again(PutBucketOwnershipControlsCommand),
  putTagging: again(PutBucketTaggingCommand),
};
/** What would change objects while they are put back. */
export const settingsAfter = {
  putCors: again(PutBucketCorsCommand),
  putLifecycle: again(PutBucketLifecycleConfigurationCommand),
};
export const settingsWriting = { ...settingsBefore, ...settingsAfter };

/** What a bucket is besides its objects, as AWS gives it, in plain JSON. Null where it is not set. */
export type BucketSettings = {
  readonly encryption: readonly ServerSideEncryptionRule[] | null;
  readonly publicAccess: PublicAccessBlockConfiguration | null;
  readonly ownership: OwnershipControls | null;
  readonly cors: readonly CORSRule[] | null;
  readonly lifecycle: readonly LifecycleRule[] | null;
  readonly tags: { readonly [key: string]: string };
  /** Kept for whoever must write it anew: it names the old bucket, and rights are not given back by a restore. */
  readonly policy: string | null;
};

const nothing = () => undefined;

export async function readSettings(aws: Door<typeof settingsReading>, Bucket: string): Promise<BucketSettings> {
  const [encryption, publicAccess, ownership, cors, lifecycle, tagging, policy] = await Promise.all([
    aws.encryption({ Bucket }).catch(when('ServerSideEncryptionConfigurationNotFoundError', nothing)),
    aws.publicAccess({ Bucket }).catch(when('NoSuchPublicAccessBlockConfiguration', nothing)),
    aws.ownership({ Bucket }).catch(when('OwnershipControlsNotFoundError', nothing)),
    aws.cors({ Bucket }).catch(when('NoSuchCORSConfiguration', nothing)),
    aws.lifecycle({ Bucket }).catch(when('NoSuchLifecycleConfiguration', nothing)),
    aws.tagging({ Bucket }).catch(when('NoSuchTagSet', nothing)),
    aws.policy({ Bucket }).catch(when('NoSuchBucketPolicy', nothing)),
  ]);
  const settings: BucketSettings = {
    encryption: encryption?.ServerSideEncryptionConfiguration?.Rules ?? null,
    publicAccess: publicAccess?.PublicAccessBlockConfiguration ?? null,
    ownership: ownership?.OwnershipControls ?? null,
    cors: cors?.CORSRules ?? null,
    lifecycle: lifecycle?.Rules ?? null,
    tags: Object.fromEntries(tagMap(tagging?.TagSet)),
    policy: policy?.Policy ?? null,
  };
  return JSON.parse(JSON.stringify(settings)) as BucketSettings;
}

/** Before there are objects: what decides how they are kept. `key` stands for the original's customer key, where it had one. */
export async function applyBefore(
  aws: Door<typeof settingsBefore>,
  Bucket: string,
  { encryption, publicAccess, ownership }: BucketSettings,
  key: string | null,
): Promise<void> {
  await aws.putVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  if (encryption) {
    const Rules = encryption.map((rule) => underKey(rule, key));
    await aws.putEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
  }
  if (ownership) await aws.putOwnership({ Bucket, OwnershipControls: ownership });
  // A new bucket blocks public access (S3 guide, "Block public access"); only what the original blocked less is opened again.
  if (publicAccess) await aws.putPublicAccess({ Bucket, PublicAccessBlockConfiguration: publicAccess });
}

/** After the objects: rules that act on objects. */
export async function applyAfter(
  aws: Door<typeof settingsAfter>,
  Bucket: string,
  { cors, lifecycle }: BucketSettings,
): Promise<void> {
  if (cors) await aws.putCors({ Bucket, CORSConfiguration: { CORSRules: [...cors] } });
  if (lifecycle) await aws.putLifecycle({ Bucket, LifecycleConfiguration: { Rules: lifecycle.map(withDates) } });
}

function underKey(rule: ServerSideEncryptionRule, key: string | null): ServerSideEncryptionRule {
  const byDefault = rule.ApplyServerSideEncryptionByDefault;
  return byDefault?.KMSMasterKeyID && key !== null
    ? { ...rule, ApplyServerSideEncryptionByDefault: { ...byDefault, KMSMasterKeyID: key } }
    : rule;
}

/** Dates became text when the settings were written down. */
function withDates(rule: LifecycleRule): LifecycleRule {
  const dated = <T extends { Date?: Date | undefined }>(one: T): T => (one.Date ? { ...one, Date: new Date(one.Date) } : one);
  return {
    ...rule,
    ...(rule.Expiration ? { Expiration: dated(rule.Expiration) } : {}),
    ...(rule.Transitions ? { Transitions: rule.Transitions.map(dated) } : {}),
  };
}

/** The customer's key that a bucket encrypts with, if any. */
export const keyOf = ({ encryption }: BucketSettings): string | null =>
  encryption?.find(({ ApplyServerSideEncryptionByDefault: one }) => one?.KMSMasterKeyID)?.ApplyServerSideEncryptionByDefault
    ?.KMSMasterKeyID ?? null;

/** The fewest days after which some replaced version goes by the bucket's own lifecycle; null where none does. */
export function noncurrentDays({ lifecycle }: BucketSettings): number | null {
  const days = (lifecycle ?? [])
    .filter(({ Status }) => Status === 'Enabled')
    .flatMap(({ NoncurrentVersionExpiration: rule }) => (rule?.NoncurrentDays ? [rule.NoncurrentDays] : []));
  return days.length > 0 ? Math.min(...days) : null;
}
