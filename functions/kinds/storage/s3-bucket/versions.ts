import { millis } from '../../../aws/clock.ts';
import type { Instant } from '../../../domain.ts';
import { versionKey } from '../../../vault/layout.ts';
import type { Entry } from '../../objects.ts';
import type { BucketFacts } from './bucket.ts';
import { uploadMark } from './discover.ts';

/** What a bucket held at an instant: one version of each key that was there. */
export interface VersionList {
  readonly bucket: string;
  readonly at: Instant;
  /** Whose list it is: two points never share one, so either can be expired. */
  readonly restorePoint: string;
  readonly versions: readonly ListedVersion[];
}

export interface ListedVersion {
  readonly key: string;
  readonly versionId: string;
  readonly etag: string;
  readonly size: number;
  /** The second of its last change. */
  readonly modified: number;
  /** In a vault: the version of its copy, and the copy's ETag, so that exactly what was copied is restored; where locked, at least until when. */
  readonly copy?: { readonly versionId: string; readonly etag: string; readonly lockedUntil?: Instant };
}

/** The list as lines of JSON: the first says what it is of, each other is one version. */
export function encodeList({ versions, ...head }: VersionList): Uint8Array {
  return new TextEncoder().encode([head, ...versions].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export function decodeList(bytes: Uint8Array): VersionList {
  const [head, ...versions] = new TextDecoder()
    .decode(bytes)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  return { ...(head as Omit<VersionList, 'versions'>), versions: versions as ListedVersion[] };
}

/** What the history of a bucket says of an instant, and what of it is in doubt. */
export interface Reading {
  readonly versions: readonly ListedVersion[];
  /** Listed versions that may have appeared only after the instant. */
  readonly doubtful: readonly string[];
  /** Changes that lay wholly inside a window in which nothing was to change. */
  readonly witnessed: readonly string[];
}

/** Clocks of ours and of S3 may be this far apart without being noticed. */
const CLOCKS_MILLIS = 2000;

/**
 * For every key the newest version whose last change is not after the instant; where that is a delete marker, the key was not there. Last
 * changes have a grain of one second, and that of a multipart upload is its *initiation*: one that was completed later looks as if it had been
 * there (S3 guide, "Multipart upload"). Such a version counts as doubtful unless it was complete when the plan was made.
 */
export async function readHistory(
  history: AsyncIterable<Entry>,
  at: Instant,
  { seenAt, openUploads }: BucketFacts,
  still?: { readonly from: Instant; readonly to: Instant },
): Promise<Reading> {
  const instant = millis(at);
  const seen = Math.floor((millis(seenAt) - CLOCKS_MILLIS) / 1000) * 1000;
  const open = new Set(openUploads);
  const versions: ListedVersion[] = [];
  const doubtful: string[] = [];
  const witnessed: string[] = [];
  let settledKey: string | undefined;
  for await (const entry of history) {
    const { key, versionId, deleted, etag, size, modified } = entry;
    const inParts = isMultipart(etag);
    if (still && !inParts && modified >= millis(still.from) && modified + 1000 <= millis(still.to)) witnessed.push(tell(entry));
    if (key === settledKey || modified > instant) continue;
    settledKey = key;
    if (deleted) continue;
    versions.push({ key, versionId, etag, size, modified });
    if (inParts && (modified >= seen || open.has(uploadMark(key, modified)))) doubtful.push(key);
  }
  return { versions, doubtful, witnessed };
}

/** The ETag of an object that was uploaded in parts ends in their number (S3 API, "Object"). */
const isMultipart = (etag: string): boolean => /-\d+"?$/.test(etag);

const tell = ({ key, deleted, versionId, modified }: Entry): string =>
  `${key} was ${deleted ? 'deleted' : 'written'} at ${new Date(modified).toISOString()} (version ${versionId}).`;

/** Where a version's copy lies. What was written before versioning has the version `null`, which its time tells from other such versions. */
export const copyKey = (bucket: string, { key, versionId, modified }: ListedVersion): string =>
  versionKey(bucket, key, versionId === 'null' ? `null-${modified}` : versionId);
