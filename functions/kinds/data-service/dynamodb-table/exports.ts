import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type Call, calls } from '../../../aws/call.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import type { Instant, Place, PointName } from '../../../domain.ts';
import { pointId } from '../../../domain.ts';
import { dataBucket, exportPrefix, sha256, stagingBucket } from '../../../vault/layout.ts';
import { current, type Entry, type objectListing } from '../../objects.ts';

/**
 * Where exports lie. DynamoDB writes one under `<prefix>/AWSDynamoDB/<export id>/`: its items in `data/`, and last of all
 * `manifest-summary.json` (DynamoDB guide, "DynamoDB table export output format").
 */
export interface Export {
  readonly bucket: string;
  readonly prefix: string;
}

/** What an artifact of a table says of its export. */
export type ExportFacts = {
  readonly bucket: string;
  readonly prefix: string;
  /** T, to the second. */
  readonly at: Instant;
  readonly exportArn: string;
  /** The key of `manifest-summary.json`. */
  readonly manifest: string;
  readonly items: number;
  /** The digest of the bundle that holds the table's definition. */
  readonly definition: string;
  /** In a vault: over every object of the export, so that one that was changed or exchanged is not restored from. */
  readonly digest: string | null;
};

export const exportAt = (bucket: string, point: PointName, table: string): Export => ({
  bucket,
  prefix: exportPrefix(point.application, pointId(point), table),
});

/** What people and reconcile call an export: the ARN of the place where it lies. */
export const exportId = ({ bucket, prefix }: Export): string => `arn:aws:s3:::${bucket}/${prefix}`;

/** The export that an id names, if it lies under our own keys at this place. */
export function exportOf(id: string, place: Place): Export | undefined {
  const [, bucket = '', prefix = ''] = /^arn:aws:s3:::([^/]+)\/(exports\/[^/]+\/[^/]+\/[^/]+\/[^/]+)$/.exec(id) ?? [];
  return [stagingBucket(place), dataBucket(place)].includes(bucket) ? { bucket, prefix } : undefined;
}

export const rootOf = (exportArn: string, prefix: string): string =>
  `${prefix}/AWSDynamoDB/${exportArn.slice(exportArn.lastIndexOf('/') + 1)}/`;

/** One digest over what an export consists of: each key below its prefix, its ETag and its size. */
export const digestOf = (objects: Iterable<Entry>, prefix: string): string =>
  sha256(
    [...objects]
      .map(({ key, etag, size }) => `${key.slice(prefix.length)}\t${etag}\t${size}\n`)
      .sort()
      .join(''),
  );

interface Summary {
  readonly itemCount: number;
  readonly exportTime: string;
  readonly manifestFilesS3Key: string;
}

export const summaryReading = <At extends Call['at']>(at: At) => ({
  exported: calls('s3', S3Client).read(GetObjectCommand, { at }),
});

/** The summary of an export: it is written last, so what it names is there. */
export async function readSummary(aws: Door<ReturnType<typeof summaryReading>>, Bucket: string, Key: string): Promise<Summary> {
  const { Body } = await aws.exported({ Bucket, Key });
  const summary = JSON.parse(await Body!.transformToString()) as Partial<Summary>;
  if (typeof summary.itemCount !== 'number') throw new Permanent(`${Bucket}/${Key} is not the summary of an export.`);
  return summary as Summary;
}

/** Why a table cannot be made from its export, in one sentence; undefined where nothing stands in the way. */
export async function troubleWithExport(
  aws: Door<typeof objectListing>,
  { bucket, prefix, manifest, digest }: ExportFacts,
): Promise<string | undefined> {
  const objects = await current(aws, bucket, `${prefix}/`).catch(when('NoSuchBucket', () => new Map<string, Entry>()));
  if (!objects.has(manifest)) return `its export is not in ${bucket}/${prefix} any more; choose another restore point.`;
  if (digest !== null && digestOf(objects.values(), prefix) !== digest) {
    return `its export in ${bucket}/${prefix} has been changed since it was copied; it is not restored from.`;
  }
  return undefined;
}
