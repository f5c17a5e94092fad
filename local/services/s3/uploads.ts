import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-s3';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Bucket, md5, type Upload } from './bucket.ts';
import { quoted, rangeIn, sourceOf, whole, write } from './objects.ts';
import type { S3State } from './state.ts';

function open(
  {
    Bucket: name,
    Key = '',
    UploadId = '',
  }: { Bucket?: string | undefined; Key?: string | undefined; UploadId?: string | undefined },
  context: Context<S3State>,
  action: string,
): { bucket: Bucket; upload: Upload } {
  const bucket = context.state.bucket(name, context, action, {}, Key);
  const upload = bucket.uploads.get(UploadId);
  if (upload?.key !== Key)
    refuse(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      { status: 404 },
    );
  return { bucket, upload: upload as Upload };
}

export const uploads = operations<typeof SDK, S3State>()({
  CreateMultipartUpload(input, context) {
    const { Bucket: name, Key = '' } = input;
    const bucket = context.state.bucket(name, context, 's3:PutObject', {}, Key);
    const id = context.world.random.hex(32);
    bucket.uploads.set(id, { id, key: Key, initiated: context.now(), request: input, parts: new Map() });
    return { Bucket: name, Key, UploadId: id };
  },

  UploadPart({ Body = new Uint8Array(), PartNumber = 0, ...input }, context) {
    const { upload } = open(input, context, 's3:PutObject');
    if (PartNumber < 1 || PartNumber > 10_000)
      refuse('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive');
    const etag = md5(Body);
    upload.parts.set(PartNumber, { body: Body, etag, modified: context.now() });
    return { ETag: quoted(etag), ...(input.ChecksumCRC32 ? { ChecksumCRC32: input.ChecksumCRC32 } : {}) };
  },

  UploadPartCopy({ PartNumber = 0, CopySource = '', CopySourceRange, ...input }, context) {
    const { upload } = open(input, context, 's3:PutObject');
    const source = sourceOf(CopySource, input, context);
    const [from, to] = CopySourceRange ? rangeIn(CopySourceRange, source.body.length) : [0, source.body.length - 1];
    const body = source.body.subarray(from, to + 1);
    const etag = md5(body);
    upload.parts.set(PartNumber, { body, etag, modified: context.now() });
    return { CopyPartResult: { ETag: quoted(etag), LastModified: whole(context.now()) }, CopySourceVersionId: source.versionId };
  },

  /** LastModified is when the upload was initiated, although the object appears only now (S3 guide, "Multipart upload"; aws.md §4.14). */
  CompleteMultipartUpload(input, context) {
    const { bucket, upload } = open(input, context, 's3:PutObject');
    const wanted = input.MultipartUpload?.Parts ?? [];
    if (wanted.length === 0)
      refuse('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
    const parts = wanted.map(({ PartNumber = 0, ETag = '' }, i) => {
      if (i > 0 && PartNumber <= (wanted[i - 1]!.PartNumber ?? 0))
        refuse('InvalidPartOrder', 'The list of parts was not in ascending order.');
      const part = upload.parts.get(PartNumber);
      if (part?.etag !== ETag.replaceAll('"', ''))
        refuse('InvalidPart', 'One or more of the specified parts could not be found.');
      return part!;
    });
    const body = Buffer.concat(parts.map((part) => part.body));
    const etag = `${createHash('md5')
      .update(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))
      .digest('hex')}-${parts.length}`;
    const { ChecksumAlgorithm: _, ...request } = upload.request;
    const { IfNoneMatch, IfMatch } = input;
    const put = { ...request, ...(IfNoneMatch ? { IfNoneMatch } : {}), ...(IfMatch ? { IfMatch } : {}) } as SDK.PutObjectRequest;
    const version = write(bucket, upload.key, body, put, context, { etag, lastModified: upload.initiated });
    bucket.uploads.delete(upload.id);
    return {
      Bucket: bucket.name,
      Key: upload.key,
      ETag: quoted(etag),
      Location: `${context.world.origin}/${bucket.name}/${upload.key}`,
      ...(bucket.versioning === 'Enabled' ? { VersionId: version.versionId } : {}),
    };
  },

  AbortMultipartUpload(input, context) {
    const { bucket, upload } = open(input, context, 's3:AbortMultipartUpload');
    bucket.uploads.delete(upload.id);
    return {};
  },

  ListParts({ MaxParts = 1000, PartNumberMarker, ...input }, context) {
    const { bucket, upload } = open(input, context, 's3:ListMultipartUploadParts');
    const all = [...upload.parts].sort(([a], [b]) => a - b).filter(([number]) => number > Number(PartNumberMarker ?? 0));
    const listed = all.slice(0, MaxParts);
    return {
      Bucket: bucket.name,
      Key: upload.key,
      UploadId: upload.id,
      MaxParts,
      IsTruncated: all.length > listed.length,
      ...(all.length > listed.length ? { NextPartNumberMarker: String(listed.at(-1)?.[0]) } : {}),
      Parts: listed.map(([PartNumber, { etag, body, modified }]) => ({
        PartNumber,
        ETag: quoted(etag),
        Size: body.length,
        LastModified: whole(modified),
      })),
    };
  },

  ListMultipartUploads({ Bucket: name, Prefix = '', MaxUploads = 1000, KeyMarker, UploadIdMarker }, context) {
    const bucket = context.state.bucket(name, context, 's3:ListBucketMultipartUploads');
    const all = [...bucket.uploads.values()]
      .filter(({ key }) => key.startsWith(Prefix))
      .sort((a, b) => (a.key === b.key ? a.initiated.getTime() - b.initiated.getTime() : a.key < b.key ? -1 : 1));
    const from =
      KeyMarker === undefined
        ? 0
        : all.findIndex(({ key, id }) => key > KeyMarker || (key === KeyMarker && id === UploadIdMarker)) +
          (UploadIdMarker ? 1 : 0);
    const listed = from < 0 ? [] : all.slice(from, from + MaxUploads);
    const truncated = from >= 0 && from + MaxUploads < all.length;
    return {
      Bucket: name,
      Prefix,
      MaxUploads,
      IsTruncated: truncated,
      ...(truncated ? { NextKeyMarker: listed.at(-1)!.key, NextUploadIdMarker: listed.at(-1)!.id } : {}),
      Uploads: listed.map(({ key, id, initiated }) => ({
        Key: key,
        UploadId: id,
        Initiated: whole(initiated),
        StorageClass: 'STANDARD' as const,
      })),
    };
  },
});
