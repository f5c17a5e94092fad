import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, Refusal, refuse } from '../../world/service.ts';
import type { Bucket, Living, Version } from './bucket.ts';
import { tagSet, tagsIn } from './buckets.ts';
import {
  checkRead,
  checkWrite,
  impliedBy,
  notModified,
  policyConditions,
  quoted,
  type ReadConditions,
  whole,
} from './conditions.ts';
import { encryptionAnswer, refuseLockedUp } from './encryption.ts';
import { tell } from './events.ts';
import { refuseLocked } from './locks.ts';
import type { S3State } from './state.ts';
import { own, write, written } from './write.ts';

/** What HeadObject and GetObject both say. */
const described = (bucket: Bucket, version: Living, checksumMode: SDK.ChecksumMode | undefined) => ({
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
  ...(checksumMode === 'ENABLED' ? checksumAnswer(version) : {}),
});

const checksumAnswer = ({ checksums, etag }: Living) =>
  Object.keys(checksums).length === 0
    ? {}
    : { ...checksums, ChecksumType: etag.includes('-') ? ('COMPOSITE' as const) : ('FULL_OBJECT' as const) };

type Named = Pick<SDK.GetObjectRequest, 'Bucket' | 'Key' | 'VersionId'>;

/** Who may not list a bucket is not told that a key is not there (S3 API, GetObject: Permissions). */
export function foundBy(
  request: Pick<Context<S3State>, 'state' | 'caller' | 'region'>,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
): Living {
  const there = versionId === undefined ? bucket.current(key) !== undefined : bucket.versions(key).length > 0;
  if (!there) request.state.allow(bucket, request, 's3:ListBucket', { 's3:prefix': key });
  return bucket.find(key, versionId);
}

function read(input: Named & ReadConditions, context: Context<S3State>): { bucket: Bucket; version: Living } {
  const { Bucket: name, Key = '', VersionId } = input;
  const action = VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  const bucket = context.state.bucket(name, context, action, {}, Key);
  const version = foundBy(context, bucket, Key, VersionId);
  checkRead(version, input, notModified);
  refuseLockedUp(version, bucket, context);
  return { bucket, version };
}

/** A HEAD has no body to say more than its status. */
function headless<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return refuse('NotFound', 'NotFound', { status: 404 });
    throw error;
  }
}

export function rangeIn(range: string, length: number): [number, number] {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range);
  const [, first = '', last = ''] = match ?? [];
  const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
  const to = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (!match || from > to || from >= length)
    refuse('InvalidRange', 'The requested range is not satisfiable', { status: 416, ActualObjectSize: length });
  return [from, to];
}

/** What concerns a named version is an action of its own: `s3:GetObjectVersionTagging`. */
export const ofVersion = (action: string, versionId: string | undefined): string =>
  versionId === undefined ? action : action.replace('Object', 'ObjectVersion');

export const objects = operations<typeof SDK, S3State>()({
  PutObject({ Body = new Uint8Array(), ...put }, context) {
    const { Bucket: name, Key = '' } = put;
    const bucket = context.state.bucket(name, context, 's3:PutObject', policyConditions(put), Key);
    for (const action of impliedBy(put)) context.state.allow(bucket, context, action, policyConditions(put), Key);
    return { ...written(bucket, write(bucket, Key, own(Body), put, context)), Size: Body.length };
  },

  GetObject(input, context) {
    const { bucket, version } = read(input, context);
    const { Range } = input;
    if (!Range) return { ...described(bucket, version, input.ChecksumMode), Body: version.body };
    const [from, to] = rangeIn(Range, version.body.length);
    const Body = version.body.slice(from, to + 1);
    const ContentRange = `bytes ${from}-${to}/${version.body.length}`;
    return { ...described(bucket, version, undefined), Body, ContentLength: Body.length, ContentRange };
  },

  HeadObject(input, context) {
    const { bucket, version } = headless(() => read(input, context));
    return described(bucket, version, input.ChecksumMode);
  },

  GetObjectAttributes(input, context) {
    const { bucket, version } = read(input, context);
    const wanted = new Set(input.ObjectAttributes);
    return {
      LastModified: whole(version.lastModified),
      ...(bucket.versioning ? { VersionId: version.versionId } : {}),
      ...(wanted.has('ETag') ? { ETag: version.etag } : {}),
      ...(wanted.has('ObjectSize') ? { ObjectSize: version.body.length } : {}),
      ...(wanted.has('StorageClass') ? { StorageClass: version.headers.StorageClass ?? 'STANDARD' } : {}),
      ...(wanted.has('Checksum') ? { Checksum: checksumAnswer(version) } : {}),
    };
  },

  DeleteObject({ Bucket: name, Key = '', VersionId, BypassGovernanceRetention = false, IfMatch }, context) {
    const action = VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion';
    const bucket = context.state.bucket(name, context, action, {}, Key);
    for (const implied of impliedBy({ IfMatch, BypassGovernanceRetention }))
      context.state.allow(bucket, context, implied, {}, Key);
    checkWrite(bucket, Key, { IfMatch }, context);
    return erase(bucket, Key, VersionId, BypassGovernanceRetention, context);
  },

  /** Each deletion by itself: some may be refused and others done. */
  DeleteObjects({ Bucket: name, Delete, BypassGovernanceRetention = false }, context) {
    const { state } = context;
    const bucket = state.located(name, context);
    const asked = Delete?.Objects ?? [];
    if (asked.length === 0 || asked.length > 1000)
      refuse('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
    const Deleted: SDK.DeletedObject[] = [];
    const Errors: SDK._Error[] = [];
    for (const { Key = '', VersionId, ETag } of asked) {
      const which = { Key, ...(VersionId === undefined ? {} : { VersionId }) };
      try {
        state.allow(bucket, context, VersionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', {}, Key);
        for (const implied of impliedBy({ IfMatch: ETag, BypassGovernanceRetention }))
          state.allow(bucket, context, implied, {}, Key);
        checkWrite(bucket, Key, { IfMatch: ETag }, context);
        const { DeleteMarker, VersionId: id } = erase(bucket, Key, VersionId, BypassGovernanceRetention, context);
        Deleted.push({ ...which, ...(DeleteMarker ? { DeleteMarker, DeleteMarkerVersionId: id } : {}) });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        Errors.push({ ...which, Code: error.code, Message: error.message });
      }
    }
    return { Errors, ...(Delete?.Quiet ? {} : { Deleted }) };
  },

  PutObjectTagging({ Bucket: name, Key = '', VersionId, Tagging }, context) {
    context.state.bucket(name, context, ofVersion('s3:PutObjectTagging', VersionId), {}, Key).find(Key, VersionId).tags = tagsIn(
      Tagging?.TagSet,
    );
    return {};
  },

  GetObjectTagging({ Bucket: name, Key = '', VersionId }, context) {
    return {
      TagSet: tagSet(
        context.state.bucket(name, context, ofVersion('s3:GetObjectTagging', VersionId), {}, Key).find(Key, VersionId).tags,
      ),
    };
  },

  DeleteObjectTagging({ Bucket: name, Key = '', VersionId }, context) {
    context.state.bucket(name, context, ofVersion('s3:DeleteObjectTagging', VersionId), {}, Key).find(Key, VersionId).tags = {};
    return {};
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
  const { state, now } = context;
  if (versionId !== undefined) {
    const version = bucket.versions(key).find((one) => one.versionId === versionId);
    if (!version) return { VersionId: versionId };
    refuseLocked(version, now(), bypass);
    bucket.remove(key, versionId, now());
    tell(bucket, version, 'DeleteObject', context);
    return { VersionId: versionId, ...(version.body ? {} : { DeleteMarker: true }) };
  }
  if (!bucket.versioning) {
    const current = bucket.versions(key)[0];
    if (current) {
      bucket.remove(key, current.versionId, now());
      tell(bucket, current, 'DeleteObject', context);
    }
    return {};
  }
  const sequence = state.nextSequence();
  const marker = markerOf(key, state.versionId(bucket, sequence), sequence, now());
  bucket.add(marker);
  tell(bucket, marker, 'DeleteObject', context);
  return { DeleteMarker: true, VersionId: marker.versionId };
}

const markerOf = (key: string, versionId: string, sequence: number, at: Date): Version => ({
  key,
  versionId,
  sequence,
  body: undefined,
  etag: '',
  lastModified: at,
  appeared: at,
  headers: {},
  metadata: {},
  checksums: {},
  encryption: { algorithm: 'AES256' },
  tags: {},
});
