import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-s3';
import { type Context, refuse } from '../../world/service.ts';
import type { Bucket, Living } from './bucket.ts';
import { checksumsOf, md5 } from './checksums.ts';
import { checkWrite, quoted } from './conditions.ts';
import { encryptionAnswer, encryptionOf } from './encryption.ts';
import { type Reason, tell } from './events.ts';
import { lockOf } from './locks.ts';
import type { S3State } from './state.ts';

const HEADERS = [
  'ContentType',
  'ContentEncoding',
  'ContentDisposition',
  'ContentLanguage',
  'CacheControl',
  'StorageClass',
] as const;

export type Put = Omit<SDK.PutObjectRequest, 'Body'>;

/** What the maker of an object knows already, so that it need not be computed or compared again. */
interface Known {
  readonly etag?: string;
  readonly lastModified?: Date;
  readonly checksums?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly reason?: Reason;
}

const LONGEST_KEY = 1024;

/** Writes a version under its conditions. Everything that makes an object ends here: puts, copies, completed uploads. */
export function write(
  bucket: Bucket,
  key: string,
  body: Uint8Array,
  put: Put,
  context: Context<S3State>,
  known: Known = {},
): Living {
  const { state, now } = context;
  if (Buffer.byteLength(key) > LONGEST_KEY) refuse('KeyTooLongError', 'Your key is too long');
  checkWrite(bucket, key, put, context);
  const checksums = known.checksums ?? checksumsOf(body, put);
  const lock = lockOf(bucket, put, now());
  const encryption = encryptionOf(put, bucket, context);
  const sequence = state.nextSequence();
  const version: Living = {
    key,
    versionId: state.versionId(bucket, sequence),
    sequence,
    body,
    etag: encryption.key ? opaque(body, sequence, known.etag) : (known.etag ?? md5(body)),
    lastModified: known.lastModified ?? now(),
    appeared: now(),
    headers: Object.fromEntries(HEADERS.flatMap((name) => (put[name] === undefined ? [] : [[name, put[name]]]))),
    metadata: Object.fromEntries(Object.entries(put.Metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    checksums,
    encryption,
    tags: known.tags ?? Object.fromEntries(new URLSearchParams(put.Tagging ?? '')),
    ...lock,
  };
  bucket.add(version);
  tell(bucket, version, known.reason ?? 'PutObject', context);
  return version;
}

/**
 * Under a KMS key an ETag is no digest of the content, and two objects of one content have two (S3 API, "Object": ETag); how many parts an
 * upload had, it tells all the same.
 */
function opaque(body: Uint8Array, sequence: number, known = ''): string {
  const parts = /-\d+$/.exec(known)?.[0] ?? '';
  return createHash('md5').update(`${sequence}/`).update(body).digest('hex') + parts;
}

/** Bytes of their own: a view into something larger would keep all of it, and copy all of it with every answer. */
export const own = (bytes: Uint8Array): Uint8Array => (bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice());

/** What an answer says of the version that it made. */
export const written = (bucket: Bucket, version: Living) => ({
  ETag: quoted(version.etag),
  ...versionAnswer(bucket, version),
  ...encryptionAnswer(version),
  ...version.checksums,
});

export const versionAnswer = ({ versioning }: Bucket, { versionId }: Living): { VersionId?: string } =>
  versioning === 'Enabled' ? { VersionId: versionId } : {};
