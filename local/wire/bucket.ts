import type { HttpRequest } from './message.ts';

/** `bucket.s3.region.amazonaws.com`, and `bucket.localhost` for clients that insist on virtual hosts with a local endpoint. */
const VIRTUAL = /^(.+?)\.s3[.-][^/]+$|^(?!s3\.)(.+?)\.localhost$/;

/**
 * S3's bucket is not where the schemas say it is: it is the first segment of the path, or the first part of the host (S3 guide, "Virtual
 * hosting of buckets"). The path is answered without it.
 */
export function bucketOf({ path, headers }: Pick<HttpRequest, 'path' | 'headers'>): { bucket?: string; path: string } {
  const [, host, local] = VIRTUAL.exec((headers['host'] ?? '').replace(/:\d+$/, '')) ?? [];
  const virtual = host ?? local;
  if (virtual) return { bucket: virtual, path };
  const [, bucket, key = '/'] = /^\/([^/]+)(\/.*)?$/s.exec(path) ?? [];
  return bucket === undefined ? { path } : { bucket: decodeURIComponent(bucket), path: key };
}
