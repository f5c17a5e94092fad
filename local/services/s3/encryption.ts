import type * as SDK from '@aws-sdk/client-s3';
import { Refusal, refuse } from '../../world/service.ts';
import type { Bucket, Version } from './bucket.ts';
import type { Request } from './state.ts';

/** What S3 needs of KMS: that a key can be used, or the refusal that says why not. */
interface KmsKeys {
  usable(key: string): { readonly arn: string };
}

interface Asked {
  readonly ServerSideEncryption?: SDK.ServerSideEncryption | undefined;
  readonly SSEKMSKeyId?: string | undefined;
}

/** How an object is encrypted: as the request asks, else as the bucket does, else with S3's own keys (S3 guide, "Default encryption"). */
export function encryptionOf(asked: Asked, bucket: Bucket, request: Request): Version['encryption'] {
  const configured = bucket.settings.get('encryption') as SDK.ServerSideEncryptionConfiguration | undefined;
  const byDefault = configured?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  const algorithm = asked.ServerSideEncryption ?? byDefault?.SSEAlgorithm ?? 'AES256';
  if (algorithm === 'AES256') return { algorithm };
  const key = asked.SSEKMSKeyId ?? (asked.ServerSideEncryption ? undefined : byDefault?.KMSMasterKeyID) ?? 'alias/aws/s3';
  return { algorithm, key: usable(key, bucket, request) };
}

/** Reading what is encrypted under a key needs the key: disabled, it is as good as gone. */
export function refuseLockedUp({ encryption }: Version, bucket: Bucket, request: Request): void {
  if (encryption.key) usable(encryption.key, bucket, request);
}

/** A key of the bucket's region, in the account that its ARN names; KMS's refusals pass through S3 under a prefix. */
function usable(key: string, { owner, region }: Bucket, { world }: Request): string {
  if (!world.services.has('kms')) return key;
  const account = key.startsWith('arn:') ? (key.split(':')[4] ?? owner) : owner;
  try {
    return world.state<KmsKeys>('kms', { account, region }).usable(key).arn;
  } catch (error) {
    if (error instanceof Refusal) return refuse(`KMS.${error.code}`, error.message);
    throw error;
  }
}

export const encryptionAnswer = ({ encryption }: Version) => ({
  ServerSideEncryption: encryption.algorithm,
  ...(encryption.key ? { SSEKMSKeyId: encryption.key } : {}),
});
