import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { calls } from '../aws/call.ts';
import { Conflict, when } from '../aws/errors.ts';
import type { Door } from '../aws/verb.ts';

const { read, again } = calls('s3', S3Client);

/** Who may not list a bucket is told that a key is denied, not that it is not there (S3 API, GetObject: Permissions). */
export const MAY_BE_ABSENT = { also: ['s3:ListBucket'] } as const;

/** How one asks for an object by its version, which is an action of its own (Service Authorization Reference, Amazon S3). */
export const BY_VERSION = { instead: ['s3:GetObjectVersion'] } as const;

/** How the ledger reads: the oldest version of a key is the truth, whatever was written or marked deleted after it. */
export const readingOldest = { versions: read(ListObjectVersionsCommand), getVersion: read(GetObjectCommand, BY_VERSION) };
/** The same, and what is replaced. */
export const reading = { ...readingOldest, getObject: read(GetObjectCommand, MAY_BE_ABSENT) };
/** How the ledger writes: conditionally, always. */
export const writing = { ...reading, putObject: again(PutObjectCommand) };
/** The same, where what is written may bear a lock. */
export const writingLocked = { ...reading, putObject: again(PutObjectCommand, { also: ['s3:PutObjectRetention'] }) };
export const listing = { listObjects: read(ListObjectsV2Command) };

/** Versions under a prefix as S3 lists them: by key, those of a key newest first (S3 API, ListObjectVersions). */
async function* versionsUnder(
  aws: Door<Pick<typeof readingOldest, 'versions'>>,
  Bucket: string,
  Prefix: string,
): AsyncGenerator<{ readonly key: string; readonly versionId: string }> {
  let from: { KeyMarker: string; VersionIdMarker?: string } | undefined;
  do {
    const page = await aws.versions({ Bucket, Prefix, ...from });
    for (const { Key = '', VersionId = '' } of page.Versions ?? []) yield { key: Key, versionId: VersionId };
    const { NextKeyMarker, NextVersionIdMarker } = page;
    from =
      page.IsTruncated && NextKeyMarker
        ? { KeyMarker: NextKeyMarker, ...(NextVersionIdMarker ? { VersionIdMarker: NextVersionIdMarker } : {}) }
        : undefined;
  } while (from);
}

async function textOf(
  aws: Door<Pick<typeof readingOldest, 'getVersion'>>,
  Bucket: string,
  Key: string,
  VersionId: string,
): Promise<string> {
  const { Body } = await aws.getVersion({ Bucket, Key, VersionId });
  return Body!.transformToString();
}

/** The text of the oldest version of a key; undefined where there never was one. */
export async function readOldest(aws: Door<typeof readingOldest>, Bucket: string, Key: string): Promise<string | undefined> {
  let oldest: string | undefined;
  for await (const { key, versionId } of versionsUnder(aws, Bucket, Key)) {
    if (key !== Key) break;
    oldest = versionId;
  }
  return oldest === undefined ? undefined : textOf(aws, Bucket, Key, oldest);
}

/** The texts of the oldest versions of many keys under one prefix, by key, with one listing for all; none of those that never were. */
export async function readOldestOf(
  aws: Door<typeof readingOldest>,
  Bucket: string,
  Prefix: string,
  keys: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const oldest = new Map<string, string>();
  if (keys.size === 0) return oldest;
  for await (const { key, versionId } of versionsUnder(aws, Bucket, Prefix)) if (keys.has(key)) oldest.set(key, versionId);
  const texts = await Promise.all(
    [...oldest].map(async ([key, versionId]) => [key, await textOf(aws, Bucket, key, versionId)] as const),
  );
  return new Map(texts);
}

/** The newest version of a key and the ETag under which it may be replaced; undefined where there is none. */
export async function readNewest(
  aws: Door<Pick<typeof reading, 'getObject'>>,
  Bucket: string,
  Key: string,
): Promise<{ text: string; etag: string } | undefined> {
  const found = await aws.getObject({ Bucket, Key }).catch(when('NoSuchKey', () => undefined));
  return found && { text: await found.Body!.transformToString(), etag: found.ETag! };
}

/**
 * Writes a key that is written once, and answers the text that counts. If it was there already, `ours` tells from that text whether our own
 * answer was lost (then all is well) or another wrote it: Conflict. An `If-None-Match` succeeds again after a delete marker (S3 guide,
 * "Conditional writes"), so even after a success the oldest version decides.
 */
export async function writeOnce(
  aws: Door<typeof writing>,
  put: { readonly Bucket: string; readonly Key: string; readonly Body: string; readonly [member: string]: unknown },
  ours: (text: string) => boolean,
): Promise<string> {
  await aws
    .putObject({ ...put, ContentType: 'application/json', IfNoneMatch: '*' })
    .catch(when('PreconditionFailed', () => undefined));
  const text = await readOldest(aws, put.Bucket, put.Key);
  if (text === undefined || !ours(text)) throw new Conflict(`${put.Key} in ${put.Bucket} was written by another.`);
  return text;
}

/** Replaces a key under the ETag that was read, or makes it where none was. A 412 whose text is ours means that our answer was lost. */
export async function replace(
  aws: Door<typeof writing>,
  Bucket: string,
  Key: string,
  Body: string,
  etag: string | undefined,
): Promise<string> {
  const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: etag };
  const written = await aws
    .putObject({ Bucket, Key, Body, ContentType: 'application/json', ...condition })
    .catch(when('PreconditionFailed', () => undefined));
  if (written) return written.ETag!;
  const now = await readNewest(aws, Bucket, Key);
  if (now?.text === Body) return now.etag;
  throw new Conflict(`${Key} in ${Bucket} was changed by another in the meantime.`);
}

/** Every key under a prefix. */
export async function listKeys(aws: Door<typeof listing>, Bucket: string, Prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await aws.listObjects({ Bucket, Prefix, ...(ContinuationToken ? { ContinuationToken } : {}) });
    for (const { Key } of page.Contents ?? []) if (Key) keys.push(Key);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return keys;
}
