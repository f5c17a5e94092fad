import type * as SDK from '@aws-sdk/client-s3';
import type { Version } from './bucket.ts';
import type { Request, S3State } from './state.ts';

/** What S3 needs of KMS: that a key can be used, or the refusal that says why not. */
export interface KmsKeys {
  usable(key: string): { readonly arn: string };
}

interface Asked {
  readonly ServerSideEncryption?: SDK.ServerSideEncryption | undefined;
  readonly SSEKMSKeyId?: string | undefined;
}

/** How an object is encrypted: as the request asks, else as the bucket does, else with S3's own keys (S3 guide, "Default encryption"). */
export function encryptionOf(
  asked: Asked,
  settings: ReadonlyMap<string, object>,
  state: S3State,
  request: Request,
): Version['encryption'] {
  const configured = settings.get('encryption') as SDK.ServerSideEncryptionConfiguration | undefined;
  const byDefault = configured?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  const algorithm = asked.ServerSideEncryption ?? byDefault?.SSEAlgorithm ?? 'AES256';
  if (algorithm === 'AES256') return { algorithm };
  const key = asked.SSEKMSKeyId ?? byDefault?.KMSMasterKeyID ?? 'alias/aws/s3';
  return { algorithm, key: state.keys(request)?.usable(key).arn ?? key };
}

/** Reading what is encrypted under a key needs the key: disabled, it is as good as gone. */
export function refuseLockedUp({ encryption }: Version, state: S3State, request: Request): void {
  if (encryption.key) state.keys(request)?.usable(encryption.key);
}

export const encryptionAnswer = ({ encryption }: Version) => ({
  ServerSideEncryption: encryption.algorithm,
  ...(encryption.key ? { SSEKMSKeyId: encryption.key } : {}),
});
