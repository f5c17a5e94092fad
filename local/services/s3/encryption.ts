import type * as SDK from '@aws-sdk/client-s3';
import { Refusal, refuse } from '../../world/service.ts';
import type { Bucket, Version } from './bucket.ts';
import type { Request } from './state.ts';

/** What S3 needs of KMS: that a key can be used by who asks through S3, or the refusal that says why not. */
interface KmsKeys {
  reach(key: string, operations: readonly string[], asking: object): { usable(usage: string): { readonly arn: string } };
}

/** What S3 does with a key in the caller's name (S3 guide, "Using server-side encryption with AWS KMS keys": Permissions). */
const TO_WRITE = 'GenerateDataKey';
const TO_READ = 'Decrypt';

interface Asked {
  readonly ServerSideEncryption?: SDK.ServerSideEncryption | undefined;
  readonly SSEKMSKeyId?: string | undefined;
}

/** How an object is encrypted: as the request asks, else as the bucket does, else with S3's own keys (S3 guide, "Default encryption"). */
export function encryptionOf(asked: Asked, bucket: Bucket, request: Request): Version['encryption'] {
  const key = keyFor(asked, bucket);
  if (key === undefined) return { algorithm: 'AES256' };
  return { algorithm: algorithmFor(asked, bucket), key: usable(key, TO_WRITE, bucket, request) };
}

const defaultOf = (bucket: Bucket) =>
  (bucket.settings.get('encryption') as SDK.ServerSideEncryptionConfiguration | undefined)?.Rules?.[0]
    ?.ApplyServerSideEncryptionByDefault;

const algorithmFor = (asked: Asked, bucket: Bucket): SDK.ServerSideEncryption =>
  asked.ServerSideEncryption ?? defaultOf(bucket)?.SSEAlgorithm ?? 'AES256';

function keyFor(asked: Asked, bucket: Bucket): string | undefined {
  if (algorithmFor(asked, bucket) === 'AES256') return undefined;
  return asked.SSEKMSKeyId ?? (asked.ServerSideEncryption ? undefined : defaultOf(bucket)?.KMSMasterKeyID) ?? 'alias/aws/s3';
}

/** A part is added under the key that the upload was begun with, which must be opened for it (S3 guide, "Multipart upload": with KMS). */
export function refuseLockedPart(asked: Asked, bucket: Bucket, request: Request): void {
  const key = keyFor(asked, bucket);
  if (key !== undefined) usable(key, TO_READ, bucket, request);
}

/** Reading what is encrypted under a key needs the key: disabled, it is as good as gone. */
export function refuseLockedUp({ encryption }: Version, bucket: Bucket, request: Request): void {
  if (encryption.key) usable(encryption.key, TO_READ, bucket, request);
}

/** A key of the bucket's region, in the account that its ARN names; KMS's refusals pass through S3 under a prefix. */
function usable(key: string, operation: string, { owner, region }: Bucket, { world, caller }: Request): string {
  if (!world.services.has('kms')) return key;
  const account = key.startsWith('arn:') ? (key.split(':')[4] ?? owner) : owner;
  try {
    const asking = { caller, via: `s3.${region}.amazonaws.com` };
    return world.state<KmsKeys>('kms', { account, region }).reach(key, [operation], asking).usable('ENCRYPT_DECRYPT').arn;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'AccessDeniedException')
      refuse('AccessDenied', error.message, { status: 403 });
    if (error instanceof Refusal) return refuse(`KMS.${error.code}`, error.message);
    throw error;
  }
}

export const encryptionAnswer = ({ encryption }: Version) => ({
  ServerSideEncryption: encryption.algorithm,
  ...(encryption.key ? { SSEKMSKeyId: encryption.key } : {}),
});
