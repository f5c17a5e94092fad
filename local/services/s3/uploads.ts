import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, refuse } from '../../world/service.ts';
import { compareText } from '../utf8.ts';
import type { Bucket, Part, Upload } from './bucket.ts';
import { checksumsOf, md5 } from './checksums.ts';
import { impliedBy, policyConditions, quoted, whole } from './conditions.ts';
import { sourceOf } from './copies.ts';
import { encryptionOf, refuseLockedPart } from './encryption.ts';
import { rangeIn } from './objects.ts';
import type { S3State } from './state.ts';
import { own, type Put, versionAnswer, write } from './write.ts';

const MOST_PARTS = 10_000;

interface Named {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
}

function open(
  { Bucket: name, Key = '', UploadId = '' }: Named,
  context: Context<S3State>,
  action: string,
  conditions = policyConditions({}, false),
): { bucket: Bucket; upload: Upload } {
  const bucket = context.state.bucket(name, context, action, conditions, Key);
  const upload = bucket.uploads.get(UploadId);
  if (upload?.key === Key) return { bucket, upload };
  return refuse(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { status: 404, UploadId },
  );
}

function checkNumber(number: number | undefined): number {
  if (number !== undefined && number >= 1 && number <= MOST_PARTS) return number;
  return refuse('InvalidArgument', `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`);
}

/**
 * The parts that a completion names, which must be what was uploaded. That all but the last have at least 5 MiB (S3 guide, "Multipart upload
 * limits") is not demanded here: a simulation of large objects would have to carry their bytes.
 */
function partsOf(upload: Upload, wanted: readonly SDK.CompletedPart[]): Part[] {
  if (wanted.length === 0)
    refuse('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
  return wanted.map(({ PartNumber = 0, ETag = '' }, i) => {
    if (i > 0 && PartNumber <= (wanted[i - 1]?.PartNumber ?? 0))
      refuse('InvalidPartOrder', 'The list of parts was not in ascending order. Parts must be ordered by part number.');
    const part = upload.parts.get(PartNumber);
    if (!part || part.etag !== ETag.replaceAll('"', '')) {
      return refuse(
        'InvalidPart',
        'One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match.',
      );
    }
    return part;
  });
}

/** The MD5 of the parts' MD5s, and how many they are. */
const etagOf = (parts: readonly Part[]): string =>
  `${createHash('md5')
    .update(Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, 'hex'))))
    .digest('hex')}-${parts.length}`;

export const uploads = operations<typeof SDK, S3State>()({
  CreateMultipartUpload(input, context) {
    const { Bucket: name, Key = '', ChecksumAlgorithm } = input;
    const bucket = context.state.bucket(name, context, 's3:PutObject', policyConditions({}, false), Key);
    for (const action of impliedBy(input)) context.state.allow(bucket, context, action, policyConditions(input, false), Key);
    encryptionOf(input, bucket, context);
    const id = context.world.random.hex(32);
    bucket.uploads.set(id, { id, key: Key, initiated: context.now(), request: input, parts: new Map() });
    return { Bucket: name, Key, UploadId: id, ...(ChecksumAlgorithm ? { ChecksumAlgorithm } : {}) };
  },

  UploadPart({ Body = new Uint8Array(), PartNumber, ...input }, context) {
    const { bucket, upload } = open(input, context, 's3:PutObject');
    refuseLockedPart(upload.request, bucket, context);
    const checksums = checksumsOf(Body, input);
    const part: Part = { body: own(Body), etag: md5(Body), modified: context.now(), checksums };
    upload.parts.set(checkNumber(PartNumber), part);
    return { ETag: quoted(part.etag), ...checksums };
  },

  UploadPartCopy({ PartNumber, CopySource = '', CopySourceRange, ...input }, context) {
    const { bucket: target, upload } = open(input, context, 's3:PutObject');
    refuseLockedPart(upload.request, target, context);
    const { bucket, version } = sourceOf(CopySource, input, context);
    const [from, to] = CopySourceRange ? rangeIn(CopySourceRange, version.body.length) : [0, version.body.length - 1];
    const body = version.body.subarray(from, to + 1);
    const part: Part = { body, etag: md5(body), modified: context.now(), checksums: {} };
    upload.parts.set(checkNumber(PartNumber), part);
    return {
      CopyPartResult: { ETag: quoted(part.etag), LastModified: whole(part.modified) },
      ...(bucket.versioning ? { CopySourceVersionId: version.versionId } : {}),
    };
  },

  /** LastModified is when the upload was initiated, although the object appears only now (S3 guide, "Multipart upload"). */
  CompleteMultipartUpload(input, context) {
    const { bucket, upload } = open(input, context, 's3:PutObject', policyConditions(input));
    refuseLockedPart(upload.request, bucket, context);
    const parts = partsOf(upload, input.MultipartUpload?.Parts ?? []);
    const { IfNoneMatch, IfMatch } = input;
    const put = { ...upload.request, IfNoneMatch, IfMatch } as Put;
    const version = write(bucket, upload.key, own(Buffer.concat(parts.map(({ body }) => body))), put, context, {
      etag: etagOf(parts),
      lastModified: upload.initiated,
      checksums: {},
      reason: 'CompleteMultipartUpload',
    });
    bucket.uploads.delete(upload.id);
    return {
      Bucket: bucket.name,
      Key: upload.key,
      ETag: quoted(version.etag),
      Location: `${context.world.origin}/${bucket.name}/${encodeURIComponent(upload.key)}`,
      ...versionAnswer(bucket, version),
    };
  },

  AbortMultipartUpload(input, context) {
    const { bucket, upload } = open(input, context, 's3:AbortMultipartUpload');
    bucket.uploads.delete(upload.id);
    return {};
  },

  ListParts({ MaxParts = 1000, PartNumberMarker, ...input }, context) {
    const { bucket, upload } = open(input, context, 's3:ListMultipartUploadParts');
    const rest = [...upload.parts].sort(([a], [b]) => a - b).filter(([number]) => number > Number(PartNumberMarker ?? 0));
    const listed = rest.slice(0, MaxParts);
    const IsTruncated = rest.length > listed.length;
    return {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      MaxParts,
      IsTruncated,
      ...(IsTruncated ? { NextPartNumberMarker: String(listed.at(-1)?.[0]) } : {}),
      Parts: listed.map(([PartNumber, { etag, body, modified, checksums }]) => ({
        PartNumber,
        ETag: quoted(etag),
        Size: body.length,
        LastModified: whole(modified),
        ...checksums,
      })),
    };
  },

  /** By key, and those of one key by when they were initiated; the upload marker only counts beside the key that it belongs to. */
  ListMultipartUploads({ Bucket: name, Prefix = '', MaxUploads = 1000, KeyMarker, UploadIdMarker }, context) {
    const bucket = context.state.bucket(name, context, 's3:ListBucketMultipartUploads');
    const inOrder = (a: Upload, b: Upload) =>
      compareText(a.key, b.key) || a.initiated.getTime() - b.initiated.getTime() || compareText(a.id, b.id);
    const all = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(Prefix)).sort(inOrder);
    const marked = all.findIndex(({ key, id }) => key === KeyMarker && id === UploadIdMarker);
    const rest = all.filter(
      ({ key }, i) =>
        KeyMarker === undefined || compareText(key, KeyMarker) > 0 || (key === KeyMarker && marked >= 0 && i > marked),
    );
    const listed = rest.slice(0, MaxUploads);
    const IsTruncated = rest.length > listed.length;
    return {
      Bucket: name,
      Prefix,
      MaxUploads,
      IsTruncated,
      KeyMarker: KeyMarker ?? '',
      UploadIdMarker: UploadIdMarker ?? '',
      ...(IsTruncated ? { NextKeyMarker: listed.at(-1)?.key, NextUploadIdMarker: listed.at(-1)?.id } : {}),
      Uploads: listed.map(({ key, id, initiated }) => ({
        Key: key,
        UploadId: id,
        Initiated: whole(initiated),
        StorageClass: 'STANDARD' as const,
        Owner: { ID: bucket.owner },
        Initiator: { ID: bucket.owner },
      })),
    };
  },
});
