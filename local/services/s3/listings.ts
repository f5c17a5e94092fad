import type * as SDK from '@aws-sdk/client-s3';
import { operations, refuse } from '../../world/service.ts';
import { compareText } from '../utf8.ts';
import type { Bucket, Living, Version } from './bucket.ts';
import { quoted, whole } from './conditions.ts';
import { type S3State, sequenceIn } from './state.ts';

const LARGEST_PAGE = 1000;
type Encode = (text: string) => string;

const encoderOf = (encoding: string | undefined): Encode =>
  encoding === 'url' ? (text) => encodeURIComponent(text).replaceAll('%2F', '/') : (text) => text;

const limitOf = (asked: number | undefined): number => {
  if (asked !== undefined && asked < 0) refuse('InvalidArgument', 'Argument maxKeys must be an integer between 0 and 2147483647');
  return Math.min(asked ?? LARGEST_PAGE, LARGEST_PAGE);
};

/** What a listing groups by: everything up to the delimiter after the prefix; undefined for a key that stands alone. */
function groupOf(key: string, prefix: string, delimiter: string | undefined): string | undefined {
  const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
  return cut < 0 ? undefined : key.slice(0, cut + (delimiter as string).length);
}

interface Scope {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly limit: number;
}

/** One page of keys and common prefixes, in order, from after a marker. */
function page(bucket: Bucket, { prefix, delimiter, limit }: Scope, marker: string | undefined) {
  const objects: Living[] = [];
  const prefixes: string[] = [];
  let last = '';
  for (const key of bucket.keysFrom(prefix, marker)) {
    const current = bucket.current(key);
    const group = groupOf(key, prefix, delimiter);
    const listedAlready =
      group !== undefined && (prefixes.at(-1) === group || (marker !== undefined && compareText(group, marker) <= 0));
    if (!current || listedAlready) continue;
    if (objects.length + prefixes.length === limit) return { objects, prefixes, last, truncated: limit > 0 };
    if (group === undefined) objects.push(current);
    else prefixes.push(group);
    last = group ?? key;
  }
  return { objects, prefixes, last, truncated: false };
}

/** What every listing says of what it was asked. */
const echo = (
  asked: {
    Bucket?: string | undefined;
    Prefix?: string | undefined;
    Delimiter?: string | undefined;
    EncodingType?: SDK.EncodingType | undefined;
  },
  limit: number,
  encode: Encode,
) => ({
  Name: asked.Bucket,
  Prefix: encode(asked.Prefix ?? ''),
  MaxKeys: limit,
  ...(asked.Delimiter ? { Delimiter: encode(asked.Delimiter) } : {}),
  ...(asked.EncodingType ? { EncodingType: asked.EncodingType } : {}),
});

const commonPrefixes = (prefixes: readonly string[], encode: Encode) =>
  prefixes.length > 0 ? { CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })) } : {};

const summary = ({ key, etag, lastModified, body, headers }: Version, encode: Encode) => ({
  Key: encode(key),
  ETag: quoted(etag),
  LastModified: whole(lastModified),
  Size: body?.length ?? 0,
  StorageClass: (headers.StorageClass ?? 'STANDARD') as SDK.ObjectStorageClass,
});

export const listings = operations<typeof SDK, S3State>()({
  ListObjectsV2(input, context) {
    const { Bucket: name, Prefix = '', Delimiter, ContinuationToken, StartAfter, FetchOwner } = input;
    const bucket = context.state.bucket(name, context, 's3:ListBucket', { 's3:prefix': Prefix });
    const limit = limitOf(input.MaxKeys);
    const marker = ContinuationToken === undefined ? StartAfter : Buffer.from(ContinuationToken, 'base64').toString();
    const found = page(bucket, { prefix: Prefix, delimiter: Delimiter, limit }, marker);
    const encode = encoderOf(input.EncodingType);
    const owner = FetchOwner ? { Owner: { ID: bucket.owner } } : {};
    return {
      ...echo(input, limit, encode),
      KeyCount: found.objects.length + found.prefixes.length,
      IsTruncated: found.truncated,
      ...(found.objects.length > 0 ? { Contents: found.objects.map((one) => ({ ...summary(one, encode), ...owner })) } : {}),
      ...commonPrefixes(found.prefixes, encode),
      ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      ...(StartAfter === undefined ? {} : { StartAfter: encode(StartAfter) }),
      ...(found.truncated ? { NextContinuationToken: Buffer.from(found.last).toString('base64') } : {}),
    };
  },

  ListObjects(input, context) {
    const { Bucket: name, Prefix = '', Delimiter, Marker } = input;
    const bucket = context.state.bucket(name, context, 's3:ListBucket', { 's3:prefix': Prefix });
    const limit = limitOf(input.MaxKeys);
    const found = page(bucket, { prefix: Prefix, delimiter: Delimiter, limit }, Marker);
    const encode = encoderOf(input.EncodingType);
    const owner = { Owner: { ID: bucket.owner } };
    return {
      ...echo(input, limit, encode),
      Marker: encode(Marker ?? ''),
      IsTruncated: found.truncated,
      ...(found.objects.length > 0 ? { Contents: found.objects.map((one) => ({ ...summary(one, encode), ...owner })) } : {}),
      ...commonPrefixes(found.prefixes, encode),
      ...(found.truncated && Delimiter ? { NextMarker: encode(found.last) } : {}),
    };
  },

  /** Keys ascending, versions of a key newest first; a page may end between two versions of one key (S3 API, ListObjectVersions). */
  ListObjectVersions(input, context) {
    const { Bucket: name, Prefix = '', Delimiter, KeyMarker, VersionIdMarker } = input;
    const bucket = context.state.bucket(name, context, 's3:ListBucketVersions', { 's3:prefix': Prefix });
    if (VersionIdMarker !== undefined && KeyMarker === undefined)
      refuse('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
    const limit = limitOf(input.MaxKeys);
    const found = versionPage(bucket, { prefix: Prefix, delimiter: Delimiter, limit }, KeyMarker, VersionIdMarker);
    const encode = encoderOf(input.EncodingType);
    const told = ({ version, latest }: Listed) => ({
      ...summary(version, encode),
      VersionId: version.versionId,
      IsLatest: latest,
      Owner: { ID: bucket.owner },
    });
    return {
      ...echo(input, limit, encode),
      KeyMarker: encode(KeyMarker ?? ''),
      VersionIdMarker: VersionIdMarker ?? '',
      IsTruncated: found.truncated,
      Versions: found.listed
        .filter(({ version }) => version.body)
        .map((one) => ({ ...told(one), StorageClass: 'STANDARD' as const })),
      DeleteMarkers: found.listed
        .filter(({ version }) => !version.body)
        .map((one) => {
          const { Size: _, ETag: __, StorageClass: ___, ...marker } = told(one);
          return marker;
        }),
      ...commonPrefixes(found.prefixes, encode),
      ...(found.truncated ? { NextKeyMarker: encode(found.last.key), NextVersionIdMarker: found.last.versionId } : {}),
    };
  },
});

interface Listed {
  readonly version: Version;
  readonly latest: boolean;
}

function versionPage(
  bucket: Bucket,
  { prefix, delimiter, limit }: Scope,
  keyMarker: string | undefined,
  versionMarker: string | undefined,
) {
  const listed: Listed[] = [];
  const prefixes: string[] = [];
  let last = { key: '', versionId: '' };
  const full = () => listed.length + prefixes.length === limit;
  const resuming = versionMarker !== undefined && versionMarker !== '';
  for (const key of bucket.keysFrom(prefix, keyMarker, { including: resuming })) {
    const group = groupOf(key, prefix, delimiter);
    if (group !== undefined) {
      if (prefixes.at(-1) === group || (keyMarker !== undefined && compareText(group, keyMarker) <= 0)) continue;
      if (full()) return { listed, prefixes, last, truncated: limit > 0 };
      prefixes.push(group);
      last = { key: group, versionId: '' };
      continue;
    }
    const versions = bucket.versions(key);
    for (let i = key === keyMarker && resuming ? after(versions, versionMarker) : 0; i < versions.length; i++) {
      if (full()) return { listed, prefixes, last, truncated: limit > 0 };
      const version = versions[i] as Version;
      listed.push({ version, latest: i === 0 });
      last = { key, versionId: version.versionId };
    }
  }
  return { listed, prefixes, last, truncated: false };
}

/** Where the versions after a marker begin, also where the marked one is gone since. */
function after(versions: readonly Version[], marker: string): number {
  const marked = versions.findIndex(({ versionId }) => versionId === marker);
  if (marked >= 0) return marked + 1;
  const sequence = sequenceIn(marker);
  if (sequence === undefined) return 0;
  const older = versions.findIndex((version) => version.sequence < sequence);
  return older < 0 ? versions.length : older;
}
