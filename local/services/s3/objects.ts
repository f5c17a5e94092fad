import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Bucket, md5, refuseLocked, type Version } from './bucket.ts';
import { tagSet, tagsIn } from './buckets.ts';
import { encryptionAnswer, encryptionOf, refuseLockedUp } from './encryption.ts';
import type { S3State } from './state.ts';

const HEADERS = [
  'ContentType',
  'ContentEncoding',
  'ContentDisposition',
  'ContentLanguage',
  'CacheControl',
  'StorageClass',
] as const;
const CHECKSUMS = ['ChecksumCRC32', 'ChecksumCRC32C', 'ChecksumCRC64NVME', 'ChecksumSHA1', 'ChecksumSHA256'] as const;

type Put = Omit<SDK.PutObjectRequest, 'Body'>;

/** Writes a version under its conditions. Everything that makes an object ends here: puts, copies, completed uploads. */
export function write(
  bucket: Bucket,
  key: string,
  body: Uint8Array,
  put: Put,
  context: Context<S3State>,
  { etag = md5(body), lastModified = context.now() } = {},
): Version {
  const { state, now } = context;
  checkConditions(bucket, key, put);
  checkChecksums(body, put);
  const retention = retentionOf(bucket, put, now());
  const version: Version = {
    key,
    versionId: state.versionId(bucket),
    body,
    etag,
    lastModified,
    appeared: now(),
    headers: Object.fromEntries(HEADERS.flatMap((name) => (put[name] === undefined ? [] : [[name, put[name]]]))),
    metadata: { ...put.Metadata },
    checksums: Object.fromEntries(CHECKSUMS.flatMap((name) => (put[name] === undefined ? [] : [[name, put[name] as string]]))),
    encryption: encryptionOf(put, bucket.settings, state, context),
    tags: put.Tagging ? Object.fromEntries(new URLSearchParams(put.Tagging)) : {},
    ...(retention ? { retention } : {}),
    ...(put.ObjectLockLegalHoldStatus ? { legalHold: put.ObjectLockLegalHoldStatus } : {}),
  };
  bucket.add(version);
  return version;
}

/** `If-None-Match: *` succeeds where there is no current object, also behind a delete marker; `If-Match` where its ETag is the current one (S3 guide, "Conditional writes"). */
function checkConditions(bucket: Bucket, key: string, { IfNoneMatch, IfMatch }: Pick<Put, 'IfNoneMatch' | 'IfMatch'>): void {
  const current = bucket.current(key);
  const failed = (Condition: string) =>
    refuse('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { status: 412, Condition });
  if (IfNoneMatch === '*' && current) failed('If-None-Match');
  if (IfMatch !== undefined && !current) refuse('NoSuchKey', 'The specified key does not exist.', { status: 404, Key: key });
  if (IfMatch !== undefined && unquoted(IfMatch) !== current!.etag) failed('If-Match');
}

const base64 = (hex: Buffer): string => hex.toString('base64');
const VERIFIED: Readonly<Record<string, (body: Uint8Array) => string>> = {
  ContentMD5: (body) => base64(createHash('md5').update(body).digest()),
  ChecksumSHA1: (body) => base64(createHash('sha1').update(body).digest()),
  ChecksumSHA256: (body) => base64(createHash('sha256').update(body).digest()),
  ChecksumCRC32: (body) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return base64(sum);
  },
};

function checkChecksums(body: Uint8Array, put: Put): void {
  for (const [name, digest] of Object.entries(VERIFIED)) {
    const claimed = put[name as keyof Put];
    if (claimed !== undefined && claimed !== digest(body))
      refuse('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
  }
}

function retentionOf({ lockable, defaultRetention }: Bucket, put: Put, now: Date): Version['retention'] {
  if (put.ObjectLockMode && put.ObjectLockRetainUntilDate) {
    if (!lockable) refuse('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    if (put.ObjectLockRetainUntilDate <= now) refuse('InvalidArgument', 'The retain until date must be in the future!');
    return { Mode: put.ObjectLockMode, RetainUntilDate: put.ObjectLockRetainUntilDate };
  }
  if (!defaultRetention?.Mode) return undefined;
  const days = defaultRetention.Days ?? 365 * (defaultRetention.Years ?? 0);
  return { Mode: defaultRetention.Mode, RetainUntilDate: new Date(now.getTime() + days * 86_400_000) };
}

const unquoted = (etag: string): string => etag.replaceAll('"', '');
export const quoted = (etag: string): string => `"${etag}"`;
const whole = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);

export { whole };

const written = (bucket: Bucket, version: Version) => ({
  ETag: quoted(version.etag),
  ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
  ...encryptionAnswer(version),
  ...version.checksums,
});

/** What HeadObject and GetObject both say. */
const described = (bucket: Bucket, version: Version & { body: Uint8Array }) => ({
  AcceptRanges: 'bytes',
  ContentLength: version.body.length,
  ETag: quoted(version.etag),
  LastModified: whole(version.lastModified),
  ContentType: 'binary/octet-stream',
  ...version.headers,
  Metadata: { ...version.metadata },
  ...(bucket.versioning ? { VersionId: version.versionId } : {}),
  ...encryptionAnswer(version),
  ...(version.retention
    ? { ObjectLockMode: version.retention.Mode, ObjectLockRetainUntilDate: version.retention.RetainUntilDate }
    : {}),
  ...(version.legalHold ? { ObjectLockLegalHoldStatus: version.legalHold } : {}),
  ...(Object.keys(version.tags).length > 0 ? { TagCount: Object.keys(version.tags).length } : {}),
});

const conditionsOf = ({ IfNoneMatch, IfMatch }: Pick<Put, 'IfNoneMatch' | 'IfMatch'>) => ({
  's3:if-none-match': IfNoneMatch,
  's3:if-match': IfMatch,
});

type Read = Pick<
  SDK.GetObjectRequest,
  'Bucket' | 'Key' | 'VersionId' | 'IfMatch' | 'IfNoneMatch' | 'IfModifiedSince' | 'IfUnmodifiedSince'
>;

function read(
  { Bucket: name, Key = '', VersionId, ...conditions }: Read,
  context: Context<S3State>,
): { bucket: Bucket; version: Version & { body: Uint8Array } } {
  const bucket = context.state.bucket(name, context, VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', {}, Key);
  const version = bucket.find(Key, VersionId);
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions;
  const modified = whole(version.lastModified);
  if ((IfMatch && unquoted(IfMatch) !== version.etag) || (IfUnmodifiedSince && modified > IfUnmodifiedSince)) {
    refuse('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { status: 412 });
  }
  if ((IfNoneMatch && unquoted(IfNoneMatch) === version.etag) || (IfModifiedSince && modified <= IfModifiedSince)) {
    refuse('NotModified', 'Not Modified', { status: 304 });
  }
  refuseLockedUp(version, context.state, context);
  return { bucket, version };
}

export const objects = operations<typeof SDK, S3State>()({
  PutObject({ Body = new Uint8Array(), ...put }, context) {
    const { Bucket: name, Key = '' } = put;
    const bucket = context.state.bucket(name, context, 's3:PutObject', conditionsOf(put), Key);
    const version = write(bucket, Key, Body, put, context);
    return { ...written(bucket, version), Size: Body.length };
  },

  GetObject(input, context) {
    const { bucket, version } = read(input, context);
    const common = {
      ...described(bucket, version),
      ...(input.ChecksumMode === 'ENABLED' && !input.Range ? version.checksums : {}),
    };
    if (!input.Range) return { ...common, Body: version.body };
    const [from, to] = rangeIn(input.Range, version.body.length);
    const Body = version.body.subarray(from, to + 1);
    return { ...common, Body, ContentLength: Body.length, ContentRange: `bytes ${from}-${to}/${version.body.length}` };
  },

  HeadObject(input, context) {
    try {
      const { bucket, version } = read(input, context);
      return { ...described(bucket, version), ...(input.ChecksumMode === 'ENABLED' ? version.checksums : {}) };
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'NoSuchKey' || code === 'NoSuchVersion') refuse('NotFound', 'NotFound', { status: 404 }); // a HEAD has no body to say more
      throw error;
    }
  },

  CopyObject(input, context) {
    const { Bucket: name, Key = '', MetadataDirective = 'COPY', TaggingDirective = 'COPY' } = input;
    const bucket = context.state.bucket(name, context, 's3:PutObject', conditionsOf(input), Key);
    const source = sourceOf(input.CopySource ?? '', input, context);
    const metadata = MetadataDirective === 'REPLACE' ? input : { ...source.headers, Metadata: { ...source.metadata } };
    const Tagging = TaggingDirective === 'REPLACE' ? input.Tagging : new URLSearchParams(source.tags).toString();
    const { StorageClass } = input;
    const copied = { ...pick(input), ...metadata, ...(StorageClass ? { StorageClass } : {}), Tagging, Bucket: name, Key } as Put;
    const version = write(bucket, Key, source.body, { ...copied, ...source.checksums }, context);
    return {
      CopyObjectResult: { ETag: quoted(version.etag), LastModified: whole(version.lastModified), ...version.checksums },
      CopySourceVersionId: source.versionId,
      ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
      ...encryptionAnswer(version),
    };
  },

  DeleteObject({ Bucket: name, Key = '', VersionId, BypassGovernanceRetention = false, IfMatch }, context) {
    const bucket = context.state.bucket(
      name,
      context,
      VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion',
      {},
      Key,
    );
    if (IfMatch !== undefined) checkConditions(bucket, Key, { IfMatch });
    return erase(bucket, Key, VersionId, BypassGovernanceRetention, context);
  },

  DeleteObjects({ Bucket: name, Delete, BypassGovernanceRetention = false }, context) {
    const bucket = context.state.bucket(name, context, 's3:DeleteObject', {}, '*');
    const Deleted: SDK.DeletedObject[] = [];
    const Errors: SDK._Error[] = [];
    for (const { Key = '', VersionId } of Delete?.Objects ?? []) {
      const asked = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
      try {
        context.state.allow(bucket, context, VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', {}, Key);
        const { DeleteMarker, VersionId: id } = erase(bucket, Key, VersionId, BypassGovernanceRetention, context);
        Deleted.push({ ...asked, ...(DeleteMarker ? { DeleteMarker, DeleteMarkerVersionId: id } : {}) });
      } catch (error) {
        const { code, message } = error as { code?: string; message?: string };
        Errors.push({ ...asked, Code: code ?? 'InternalError', Message: message ?? '' });
      }
    }
    return { Errors, ...(Delete?.Quiet ? {} : { Deleted }) };
  },

  PutObjectTagging({ Bucket: name, Key = '', VersionId, Tagging }, context) {
    context.state.bucket(name, context, 's3:PutObjectTagging', {}, Key).find(Key, VersionId).tags = tagsIn(Tagging?.TagSet);
    return {};
  },

  GetObjectTagging({ Bucket: name, Key = '', VersionId }, context) {
    return { TagSet: tagSet(context.state.bucket(name, context, 's3:GetObjectTagging', {}, Key).find(Key, VersionId).tags) };
  },

  PutObjectRetention({ Bucket: name, Key = '', VersionId, Retention, BypassGovernanceRetention = false }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutObjectRetention', {}, Key);
    if (!bucket.lockable) refuse('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    const version = bucket.find(Key, VersionId);
    const { Mode, RetainUntilDate } = Retention ?? {};
    const held = version.retention && version.retention.RetainUntilDate > context.now() ? version.retention : undefined;
    const shortens = held && (!RetainUntilDate || RetainUntilDate < held.RetainUntilDate || Mode !== held.Mode);
    // Compliance retention can only be extended; governance can be changed by those who may bypass it (S3 guide, "Retention modes").
    if (shortens && !(held.Mode === 'GOVERNANCE' && BypassGovernanceRetention)) {
      refuse('AccessDenied', 'Access Denied because object protected by object lock.', { status: 403 });
    }
    if (Mode && RetainUntilDate) version.retention = { Mode, RetainUntilDate };
    else delete version.retention;
    return {};
  },

  GetObjectRetention({ Bucket: name, Key = '', VersionId }, context) {
    const { retention } = context.state.bucket(name, context, 's3:GetObjectRetention', {}, Key).find(Key, VersionId);
    if (!retention)
      refuse('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });
    return { Retention: retention };
  },

  PutObjectLegalHold({ Bucket: name, Key = '', VersionId, LegalHold }, context) {
    const bucket = context.state.bucket(name, context, 's3:PutObjectLegalHold', {}, Key);
    if (!bucket.lockable) refuse('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    bucket.find(Key, VersionId).legalHold = LegalHold?.Status ?? 'OFF';
    return {};
  },

  GetObjectLegalHold({ Bucket: name, Key = '', VersionId }, context) {
    const { legalHold } = context.state.bucket(name, context, 's3:GetObjectLegalHold', {}, Key).find(Key, VersionId);
    if (!legalHold)
      refuse('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });
    return { LegalHold: { Status: legalHold } };
  },
});

/** A delete without a version id lays a marker over the object; with one it removes that version for good, if nothing locks it. */
function erase(
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
  bypass: boolean,
  context: Context<S3State>,
): { DeleteMarker?: boolean; VersionId?: string } {
  if (versionId !== undefined) {
    const version = bucket.versions(key).find((one) => one.versionId === versionId);
    if (!version) return { VersionId: versionId };
    refuseLocked(version, context.now(), bypass);
    bucket.remove(key, versionId);
    return { VersionId: versionId, ...(version.body ? {} : { DeleteMarker: true }) };
  }
  if (!bucket.versioning) {
    const current = bucket.versions(key)[0];
    if (current) bucket.remove(key, current.versionId);
    return {};
  }
  const marker: Version = {
    key,
    versionId: context.state.versionId(bucket),
    body: undefined,
    etag: '',
    lastModified: context.now(),
    appeared: context.now(),
    headers: {},
    metadata: {},
    checksums: {},
    encryption: { algorithm: 'AES256' },
    tags: {},
  };
  bucket.add(marker);
  return { DeleteMarker: true, VersionId: marker.versionId };
}

type CopyConditions = Pick<SDK.CopyObjectRequest, 'CopySourceIfMatch' | 'CopySourceIfNoneMatch'>;

/** `bucket/key` or `bucket/key?versionId=…`, the key percent-encoded; read in the bucket's own region, which must be alive. */
export function sourceOf(
  text: string,
  { CopySourceIfMatch, CopySourceIfNoneMatch }: CopyConditions,
  context: Context<S3State>,
): Version & { body: Uint8Array } {
  const [path = '', query] = text.replace(/^\//, '').split('?versionId=');
  const slash = path.indexOf('/');
  const name = path.slice(0, slash);
  const key = decodeURIComponent(path.slice(slash + 1));
  const { state, world } = context;
  const region = state.peek(name)?.region ?? context.region;
  if (world.dark.has(region))
    refuse('ServiceUnavailable', `The source bucket's region (${region}) is not available.`, { status: 503 });
  const bucket = state.bucket(
    name,
    { ...context, region },
    query === undefined ? 's3:GetObject' : 's3:GetObjectVersion',
    {},
    key,
  );
  const version = bucket.find(key, query);
  refuseLockedUp(version, state, { ...context, account: bucket.owner, region });
  const mismatch = CopySourceIfMatch && unquoted(CopySourceIfMatch) !== version.etag;
  if (mismatch || (CopySourceIfNoneMatch && unquoted(CopySourceIfNoneMatch) === version.etag)) {
    refuse('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', { status: 412 });
  }
  return version;
}

/** What a copy takes from its own request and not from its source. */
const pick = ({
  IfNoneMatch,
  IfMatch,
  ServerSideEncryption,
  SSEKMSKeyId,
  ObjectLockMode,
  ObjectLockRetainUntilDate,
  ObjectLockLegalHoldStatus,
}: SDK.CopyObjectRequest) =>
  Object.fromEntries(
    Object.entries({
      IfNoneMatch,
      IfMatch,
      ServerSideEncryption,
      SSEKMSKeyId,
      ObjectLockMode,
      ObjectLockRetainUntilDate,
      ObjectLockLegalHoldStatus,
    }).filter(([, value]) => value !== undefined),
  );

export function rangeIn(range: string, length: number): [number, number] {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range);
  const [, first = '', last = ''] = match ?? [];
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (!match || from > to || from >= length) refuse('InvalidRange', 'The requested range is not satisfiable', { status: 416 });
  return [from, to];
}
