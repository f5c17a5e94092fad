import type * as SDK from '@aws-sdk/client-s3';
import { operations, refuse } from '../../world/service.ts';
import type { Bucket, Version } from './bucket.ts';
import { quoted, whole } from './objects.ts';
import type { S3State } from './state.ts';

const encoded = (encoding: string | undefined) => (text: string) =>
  encoding === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
const after = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0;

/** One page of keys or common prefixes, in order, from after a marker. */
function page(
  bucket: Bucket,
  options: {
    prefix: string;
    delimiter: string | undefined;
    from: string | undefined;
    limit: number;
    has: (key: string) => boolean;
  },
) {
  const { prefix, delimiter, from, limit, has } = options;
  const keys: string[] = [];
  const prefixes: string[] = [];
  let last = '';
  for (const key of bucket.keys) {
    if (!key.startsWith(prefix) || !has(key)) continue;
    const cut = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const name = cut < 0 ? key : key.slice(0, cut + delimiter!.length);
    if (from !== undefined && !after(name, from)) continue;
    if (cut >= 0 && prefixes.at(-1) === name) continue;
    if (keys.length + prefixes.length === limit) return { keys, prefixes, last, truncated: true };
    (cut < 0 ? keys : prefixes).push(name);
    last = name;
  }
  return { keys, prefixes, last, truncated: false };
}

export const listings = operations<typeof SDK, S3State>()({
  ListObjectsV2({ Bucket: name, Prefix = '', Delimiter, MaxKeys = 1000, ContinuationToken, StartAfter, EncodingType }, context) {
    const bucket = context.state.bucket(name, context, 's3:ListBucket');
    const from = ContinuationToken === undefined ? StartAfter : Buffer.from(ContinuationToken, 'base64').toString();
    const limit = Math.min(MaxKeys, 1000);
    const found = page(bucket, {
      prefix: Prefix,
      delimiter: Delimiter,
      from,
      limit,
      has: (key) => bucket.current(key) !== undefined,
    });
    const encode = encoded(EncodingType);
    return {
      Name: name,
      Prefix: encode(Prefix),
      MaxKeys,
      KeyCount: found.keys.length + found.prefixes.length,
      IsTruncated: found.truncated,
      Contents: found.keys.map((key) => summary(bucket.current(key) as Version, encode)),
      ...(found.prefixes.length > 0 ? { CommonPrefixes: found.prefixes.map((prefix) => ({ Prefix: encode(prefix) })) } : {}),
      ...(Delimiter === undefined ? {} : { Delimiter }),
      ...(EncodingType ? { EncodingType } : {}),
      ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
      ...(StartAfter === undefined ? {} : { StartAfter }),
      ...(found.truncated ? { NextContinuationToken: Buffer.from(found.last).toString('base64') } : {}),
    };
  },

  ListObjects({ Bucket: name, Prefix = '', Delimiter, MaxKeys = 1000, Marker, EncodingType }, context) {
    const bucket = context.state.bucket(name, context, 's3:ListBucket');
    const limit = Math.min(MaxKeys, 1000);
    const found = page(bucket, {
      prefix: Prefix,
      delimiter: Delimiter,
      from: Marker,
      limit,
      has: (key) => bucket.current(key) !== undefined,
    });
    const encode = encoded(EncodingType);
    return {
      Name: name,
      Prefix: encode(Prefix),
      Marker: Marker ?? '',
      MaxKeys,
      IsTruncated: found.truncated,
      Contents: found.keys.map((key) => summary(bucket.current(key) as Version, encode)),
      ...(found.prefixes.length > 0 ? { CommonPrefixes: found.prefixes.map((prefix) => ({ Prefix: encode(prefix) })) } : {}),
      ...(Delimiter === undefined ? {} : { Delimiter }),
      ...(EncodingType ? { EncodingType } : {}),
      ...(found.truncated && Delimiter ? { NextMarker: encode(found.last) } : {}),
    };
  },

  /** Keys ascending, versions of a key newest first; a page may end between two versions of one key (S3 API, ListObjectVersions). */
  ListObjectVersions(
    { Bucket: name, Prefix = '', Delimiter, MaxKeys = 1000, KeyMarker, VersionIdMarker, EncodingType },
    context,
  ) {
    const bucket = context.state.bucket(name, context, 's3:ListBucketVersions');
    if (VersionIdMarker !== undefined && KeyMarker === undefined)
      refuse('InvalidArgument', 'A version-id marker cannot be specified without a key marker.');
    const limit = Math.min(MaxKeys, 1000);
    const encode = encoded(EncodingType);
    const listed: { version: Version; latest: boolean }[] = [];
    const prefixes: string[] = [];
    let truncated = false;
    let last: { key: string; versionId: string } | undefined;
    keys: for (const key of bucket.keys) {
      if (!key.startsWith(Prefix)) continue;
      const cut = Delimiter ? key.indexOf(Delimiter, Prefix.length) : -1;
      if (cut >= 0) {
        const prefix = key.slice(0, cut + Delimiter!.length);
        if ((KeyMarker !== undefined && !after(prefix, KeyMarker)) || prefixes.at(-1) === prefix) continue;
        if (listed.length + prefixes.length === limit) {
          truncated = true;
          break;
        }
        prefixes.push(prefix);
        last = { key: prefix, versionId: '' };
        continue;
      }
      if (KeyMarker !== undefined && (VersionIdMarker === undefined ? !after(key, KeyMarker) : after(KeyMarker, key))) continue;
      const versions = bucket.versions(key);
      const resumed =
        key === KeyMarker && VersionIdMarker !== undefined
          ? versions.findIndex(({ versionId }) => versionId === VersionIdMarker) + 1
          : 0;
      for (let i = resumed; i < versions.length; i++) {
        if (listed.length + prefixes.length === limit) {
          truncated = true;
          break keys;
        }
        listed.push({ version: versions[i]!, latest: i === 0 });
        last = { key, versionId: versions[i]!.versionId };
      }
    }
    const owner = { ID: bucket.owner };
    return {
      Name: name,
      Prefix: encode(Prefix),
      KeyMarker: encode(KeyMarker ?? ''),
      VersionIdMarker: VersionIdMarker ?? '',
      MaxKeys,
      IsTruncated: truncated,
      Versions: listed
        .filter(({ version }) => version.body)
        .map(({ version, latest }) => ({
          ...summary(version, encode),
          VersionId: version.versionId,
          IsLatest: latest,
          Owner: owner,
        })) as SDK.ObjectVersion[],
      DeleteMarkers: listed
        .filter(({ version }) => !version.body)
        .map(({ version, latest }) => ({
          Key: encode(version.key),
          VersionId: version.versionId,
          IsLatest: latest,
          LastModified: whole(version.lastModified),
          Owner: owner,
        })),
      ...(prefixes.length > 0 ? { CommonPrefixes: prefixes.map((prefix) => ({ Prefix: encode(prefix) })) } : {}),
      ...(Delimiter === undefined ? {} : { Delimiter }),
      ...(EncodingType ? { EncodingType } : {}),
      ...(truncated ? { NextKeyMarker: encode(last!.key), NextVersionIdMarker: last!.versionId } : {}),
    };
  },
});

const summary = ({ key, etag, lastModified, body, headers }: Version, encode: (text: string) => string) => ({
  Key: encode(key),
  ETag: quoted(etag),
  LastModified: whole(lastModified),
  Size: body?.length ?? 0,
  StorageClass: (headers.StorageClass ?? 'STANDARD') as SDK.ObjectStorageClass,
});
