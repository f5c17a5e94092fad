import type { Resource } from '../../../domain.ts';
import { sha256 } from '../../../vault/layout.ts';
import type { BucketSettings } from './settings.ts';

export const KIND = 's3-bucket';

/** What is known of a bucket from the time of the plan. */
export type BucketFacts = {
  readonly settings: BucketSettings;
  /** When this was seen, and the multipart uploads that were open then: key, a line feed, the second of its initiation. */
  readonly seenAt: string;
  readonly openUploads: readonly string[];
  /** After how many days a version that was replaced goes, by the bucket's own lifecycle; null where it stays. */
  readonly noncurrentDays: number | null;
};

export const factsOf = (resource: Resource): BucketFacts => resource.facts as unknown as BucketFacts;

export const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`;
export const isBucketArn = (arn: string): boolean => /^arn:[^:]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(arn);
export const bucketNameOf = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** Up to 63 characters, and no dot beside a hyphen (S3 guide, "Bucket naming rules"). A name that must be cut keeps a mark of the whole. */
export function restoredName(name: string, restore: string): string {
  const room = 62 - restore.length;
  if (name.length <= room) return `${name}-${restore}`;
  const mark = sha256(name).slice(0, 6);
  return `${name.slice(0, room - 7).replace(/[.-]+$/, '')}-${mark}-${restore}`;
}
