import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { Bucket, Living } from './bucket.ts';
import { checkRead, impliedBy, policyConditions, quoted, unmetByCopy, whole } from './conditions.ts';
import { encryptionAnswer, refuseLockedUp } from './encryption.ts';
import { foundBy, ofVersion } from './objects.ts';
import type { S3State } from './state.ts';
import { type Put, versionAnswer, write } from './write.ts';

type CopyConditions = Pick<
  SDK.CopyObjectRequest,
  'CopySourceIfMatch' | 'CopySourceIfNoneMatch' | 'CopySourceIfModifiedSince' | 'CopySourceIfUnmodifiedSince'
>;

interface Source {
  readonly bucket: Bucket;
  readonly version: Living;
}

/** `bucket/key` or `bucket/key?versionId=…`, the key percent-encoded; read in the bucket's own region, which must be alive. */
export function sourceOf(text: string, conditions: CopyConditions, context: Context<S3State>): Source {
  const { name, key, versionId } = parse(text);
  const { state, world } = context;
  const region = state.peek(name)?.region ?? context.region;
  if (world.dark.has(region))
    refuse('ServiceUnavailable', `The source bucket's region (${region}) is not available.`, { status: 503 });
  const action = versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  const bucket = state.bucket(name, { ...context, region }, action, {}, key);
  const version = foundBy({ ...context, region }, bucket, key, versionId);
  refuseLockedUp(version, bucket, context);
  checkRead(
    version,
    {
      IfMatch: conditions.CopySourceIfMatch,
      IfNoneMatch: conditions.CopySourceIfNoneMatch,
      IfModifiedSince: conditions.CopySourceIfModifiedSince,
      IfUnmodifiedSince: conditions.CopySourceIfUnmodifiedSince,
    },
    unmetByCopy,
  );
  return { bucket, version };
}

function parse(text: string): { name: string; key: string; versionId: string | undefined } {
  const [path = '', versionId] = text.replace(/^\//, '').split('?versionId=');
  const [, name, key] = /^([^/]+)\/(.+)$/s.exec(decoded(path)) ?? [];
  if (!name || !key)
    return refuse('InvalidArgument', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  return { name, key, versionId };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return refuse('InvalidArgument', 'Invalid copy source encoding.');
  }
}

/** What a copy takes from its own request, whatever it takes from its source. */
const OWN = [
  'IfNoneMatch',
  'IfMatch',
  'StorageClass',
  'ServerSideEncryption',
  'SSEKMSKeyId',
  'ObjectLockMode',
  'ObjectLockRetainUntilDate',
  'ObjectLockLegalHoldStatus',
] as const;
/** What it takes from its request if metadata are replaced. */
const DESCRIBING = [
  'ContentType',
  'ContentEncoding',
  'ContentDisposition',
  'ContentLanguage',
  'CacheControl',
  'Metadata',
] as const;

const pick = (input: object, names: readonly string[]): object =>
  Object.fromEntries(Object.entries(input).filter(([name, value]) => names.includes(name) && value !== undefined));

function refuseInPlace(input: SDK.CopyObjectRequest, { bucket, version }: Source, target: Bucket, key: string): void {
  const changes = input.MetadataDirective === 'REPLACE' || input.StorageClass || input.ServerSideEncryption || input.SSEKMSKeyId;
  const current = bucket === target && version.key === key && bucket.current(key) === version;
  if (current && !changes) {
    refuse(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
}

/** Tags that go along are read there and given here (S3 API, CopyObject: Permissions). */
function allowTags(
  { bucket, version }: Source,
  target: Bucket,
  key: string,
  input: SDK.CopyObjectRequest,
  context: Context<S3State>,
): void {
  if (Object.keys(version.tags).length === 0) return;
  const { versionId } = parse(input.CopySource ?? '');
  const reads = ofVersion('s3:GetObjectTagging', versionId);
  context.state.allow(bucket, { ...context, region: bucket.region }, reads, {}, version.key);
  context.state.allow(target, context, 's3:PutObjectTagging', policyConditions(input), key);
}

export const copies = operations<typeof SDK, S3State>()({
  /** Asked for where the copy shall be. Locks, encryption and storage class are the request's own, not the source's (S3 API, CopyObject). */
  CopyObject(input, context) {
    const { Bucket: name, Key = '', MetadataDirective = 'COPY', TaggingDirective = 'COPY' } = input;
    const bucket = context.state.bucket(name, context, 's3:PutObject', policyConditions(input), Key);
    for (const action of impliedBy(input)) context.state.allow(bucket, context, action, policyConditions(input), Key);
    const source = sourceOf(input.CopySource ?? '', input, context);
    if (TaggingDirective === 'COPY') allowTags(source, bucket, Key, input, context);
    refuseInPlace(input, source, bucket, Key);
    const { version } = source;
    const { StorageClass: _, ...headers } = version.headers;
    const describing =
      MetadataDirective === 'REPLACE' ? pick(input, DESCRIBING) : { ...headers, Metadata: { ...version.metadata } };
    const tagging = TaggingDirective === 'REPLACE' ? pick(input, ['Tagging']) : {};
    const put = { Bucket: name, Key, ...pick(input, OWN), ...describing, ...tagging } as Put;
    const copy = write(bucket, Key, version.body, put, context, {
      checksums: version.checksums,
      reason: 'CopyObject',
      ...(hasPlainEtag(version) ? { etag: version.etag } : {}),
      ...(TaggingDirective === 'REPLACE' ? {} : { tags: version.tags }),
    });
    return {
      CopyObjectResult: { ETag: quoted(copy.etag), LastModified: whole(copy.lastModified), ...copy.checksums },
      ...(source.bucket.versioning ? { CopySourceVersionId: version.versionId } : {}),
      ...versionAnswer(bucket, copy),
      ...encryptionAnswer(copy),
    };
  },
});

/** Whether an ETag is the digest of the content, and so that of a copy as well. */
const hasPlainEtag = ({ etag, encryption }: Living): boolean => !encryption.key && !etag.includes('-');
