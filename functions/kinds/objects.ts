import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  type ObjectIdentifier,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { type Call, calls } from '../aws/call.ts';
import type { Clock } from '../aws/clock.ts';
import type { Door } from '../aws/verb.ts';
import { chunksOf, inParallel } from './items.ts';

/**
 * Many objects at once: list, copy and delete them in bulk. What was done is told by listings alone, so an invocation that dies loses nothing
 * but its time.
 */
const { read, again } = calls('s3', S3Client);

export const objectListing = { versions: read(ListObjectVersionsCommand) };
export const objectDeleting = {
  ...objectListing,
  deleteObjects: again(DeleteObjectsCommand),
};

/** What else is checked where copies are given a lock. */
export const LOCKING = 's3:PutObjectRetention';

/** Without tags. A forgotten upload holds no object, and the bucket's lifecycle removes it: so beginning one may be repeated. */
export const objectCopying = <At extends Call['at']>(from: At, ...also: readonly string[]) => ({
  copyObject: again(CopyObjectCommand, { also: ['s3:GetObject', 's3:GetObjectVersion', ...also] }),
  sourceHead: read(HeadObjectCommand, { at: from }),
  beginUpload: again(CreateMultipartUploadCommand, { also }),
  copyPart: again(UploadPartCopyCommand),
  completeUpload: again(CompleteMultipartUploadCommand),
});

const tagReading = <At extends Call['at']>(from: At) => ({ sourceTags: read(GetObjectTaggingCommand, { at: from }) });

/** The same for objects that may bear tags, which their copies get too (S3 API, CopyObject: permissions). */
export const taggedCopying = <At extends Call['at']>(from: At, ...also: readonly string[]) => ({
  ...objectCopying(from, 's3:GetObjectVersionTagging', 's3:PutObjectTagging', ...also),
  ...tagReading(from),
});

type Copying = Door<ReturnType<typeof objectCopying>> & Partial<Door<ReturnType<typeof tagReading>>>;

export interface ObjectCopy {
  /** With an ETag, only what bears it is copied. */
  readonly from: { readonly Bucket: string; readonly Key: string; readonly VersionId?: string; readonly etag?: string };
  readonly size: number;
  readonly to: { readonly Bucket: string; readonly Key: string; readonly [member: string]: unknown };
}

/** From here on copies go in parts, side by side, each answered within what a request may take (S3 guide, "Multipart upload": from 100 MB on). */
const WHOLE_UP_TO = 100_000_000;
/** A part has at most 5 GiB, and an object at most 10,000 parts (S3 guide, "Multipart upload limits"): so parts of the largest objects are larger. */
const PART_BYTES = 128 << 20;
const MOST_PARTS = 10_000;
/** Copies at a time: S3 serves 3,500 writes a second of one prefix (S3 guide, "Performance"), so a few dozen never meet its limits. */
const WIDTH = 32;
/** How long one invocation goes on before it lets the machine breathe. */
export const BUDGET_MILLIS = 60_000;

/** Copies one object with its headers, metadata and (where that is declared) tags, in parts where it is too large for one request. */
export async function copyObject(
  aws: Copying,
  { from, size, to }: ObjectCopy,
  { wholeUpTo = WHOLE_UP_TO, partBytes = Math.max(PART_BYTES, Math.ceil(size / MOST_PARTS)) } = {},
): Promise<void> {
  const { etag, ...source } = from;
  const copying = { CopySource: sourceOf(source), ...(etag === undefined ? {} : { CopySourceIfMatch: etag }) };
  if (size <= wholeUpTo) {
    await aws.copyObject({ ...to, ...copying });
    return;
  }
  const [head, tags] = await Promise.all([aws.sourceHead(source), aws.sourceTags?.(source)]);
  const { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl, Metadata } = head;
  const headers = { ContentType, ContentEncoding, ContentDisposition, ContentLanguage, CacheControl, Metadata };
  const Tagging = new URLSearchParams(
    (tags?.TagSet ?? []).map(({ Key = '', Value = '' }) => [Key, Value] as [string, string]),
  ).toString();
  const { UploadId } = await aws.beginUpload({ ...headers, ...(Tagging ? { Tagging } : {}), ...to });
  const upload = { Bucket: to.Bucket, Key: to.Key, UploadId };
  const numbers = Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => i + 1);
  const Parts = await inParallel(numbers, 8, async (PartNumber) => {
    const first = (PartNumber - 1) * partBytes;
    const CopySourceRange = `bytes=${first}-${Math.min(first + partBytes, size) - 1}`;
    const { CopyPartResult } = await aws.copyPart({ ...upload, ...copying, PartNumber, CopySourceRange });
    return { PartNumber, ETag: CopyPartResult?.ETag };
  });
  await aws.completeUpload({ ...upload, MultipartUpload: { Parts } });
}

/** `bucket/key?versionId=…` as S3 wants it, each segment of the key percent-encoded. */
const sourceOf = ({ Bucket, Key, VersionId }: Omit<ObjectCopy['from'], 'etag'>): string =>
  `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}${VersionId === undefined ? '' : `?versionId=${encodeURIComponent(VersionId)}`}`;

/** Does `run` for items in order, in parallel, until the time is spent; answers how many of them are done. */
export async function withinBudget<T>(items: readonly T[], clock: Clock, run: (item: T) => Promise<void>): Promise<number> {
  const until = clock.now() + BUDGET_MILLIS;
  let done = 0;
  for (const chunk of chunksOf(items, 8 * WIDTH)) {
    await inParallel(chunk, WIDTH, run);
    done += chunk.length;
    if (clock.now() >= until) break;
  }
  return done;
}

/** One entry of a bucket's history: a version of an object, or (`deleted`) the mark of its deletion. */
export interface Entry {
  readonly key: string;
  readonly versionId: string;
  readonly deleted: boolean;
  readonly etag: string;
  readonly size: number;
  /** Milliseconds since the epoch, at a grain of one second. */
  readonly modified: number;
}

/** Every version and delete marker under a prefix, by key, newest first, page by page to the end. */
export async function* history(aws: Door<typeof objectListing>, Bucket: string, Prefix = ''): AsyncGenerator<Entry> {
  let marker: { KeyMarker: string; VersionIdMarker?: string } | undefined;
  do {
    const page = await aws.versions({ Bucket, ...(Prefix ? { Prefix } : {}), EncodingType: 'url', ...marker });
    yield* inOrder(page);
    marker = page.IsTruncated
      ? {
          KeyMarker: decode(page.NextKeyMarker!),
          ...(page.NextVersionIdMarker ? { VersionIdMarker: page.NextVersionIdMarker } : {}),
        }
      : undefined;
  } while (marker);
}

/**
 * A page has its versions and its delete markers in two lists, each in the order of the listing. Merged by key and time they are one history
 * again; of one second, the marker counts as the newer unless S3 says that the version is the latest.
 */
function* inOrder({ Versions = [], DeleteMarkers = [] }: Pick<ListObjectVersionsCommandOutput, 'Versions' | 'DeleteMarkers'>) {
  let markers = 0;
  for (const version of Versions) {
    const entry = { ...entryOf(version), etag: version.ETag ?? '', size: version.Size ?? 0 };
    for (; markers < DeleteMarkers.length; markers++) {
      const marker = entryOf(DeleteMarkers[markers]!);
      const order = compareKeys(marker.key, entry.key);
      if (order > 0 || (order === 0 && (version.IsLatest || marker.modified < entry.modified))) break;
      yield { ...marker, deleted: true };
    }
    yield entry;
  }
  for (; markers < DeleteMarkers.length; markers++) yield { ...entryOf(DeleteMarkers[markers]!), deleted: true };
}

const entryOf = ({
  Key = '',
  VersionId = 'null',
  LastModified,
}: {
  Key?: string;
  VersionId?: string;
  LastModified?: Date;
}): Entry => ({
  key: decode(Key),
  versionId: VersionId,
  deleted: false,
  etag: '',
  size: 0,
  modified: LastModified?.getTime() ?? 0,
});

const compareKeys = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));

/** The newest version of every key under a prefix that is not deleted. */
export async function current(aws: Door<typeof objectListing>, Bucket: string, Prefix = ''): Promise<Map<string, Entry>> {
  const newest = new Map<string, Entry>();
  for await (const entry of history(aws, Bucket, Prefix)) if (!newest.has(entry.key)) newest.set(entry.key, entry);
  for (const [key, { deleted }] of newest) if (deleted) newest.delete(key);
  return newest;
}

/** Deletes versions for good; answers why some are still there (locked, not allowed), one sentence each kind of reason. */
export async function deleteVersions(
  aws: Pick<Door<typeof objectDeleting>, 'deleteObjects'>,
  Bucket: string,
  versions: readonly Pick<Entry, 'key' | 'versionId'>[],
): Promise<string[]> {
  const reasons = new Map<string, string>();
  for (const chunk of chunksOf(versions, 1000)) {
    const Objects = chunk.map(({ key, versionId }): ObjectIdentifier => ({ Key: key, VersionId: versionId }));
    const { Errors = [] } = await aws.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
    for (const { Code = 'Error', Key = '', Message = '' } of Errors) {
      if (!reasons.has(Code)) reasons.set(Code, `${Bucket}/${Key} could not be deleted (${Code}: ${Message})`);
    }
  }
  return [...reasons.values()];
}
