import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { type Artifact, type Cut, type Place, type PointName, pointId } from '../../../domain.ts';
import { dataBucket, imagesKey, imagesPrefix } from '../../../vault/layout.ts';
import { MAY_BE_ABSENT } from '../../../vault/objects.ts';

const { read, again } = calls('s3', S3Client);

export const markerListing = { markers: read(ListObjectsV2Command) };
export const markerReading = { marker: read(GetObjectCommand, MAY_BE_ABSENT) };
export const markerWriting = { ...markerReading, putMarker: again(PutObjectCommand) };

/**
 * A marker says which images a restore point holds in a repository, and by which tags. It is put before the first tag, so that no tag is ever
 * without one, and taken away after the last. A tag belongs to one marker alone, so an expiry can take nothing away that another point needs:
 * the registry itself keeps an image as long as it bears any tag.
 */
export interface Marker {
  readonly artifact: Artifact;
  /** The tags, by digest. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface MarkerName {
  readonly bucket: string;
  readonly key: string;
}

export const markerOf = (place: Place, repository: string, point: PointName, cut: Cut): MarkerName => ({
  bucket: dataBucket(place),
  key: imagesKey(point.application, pointId(point), cut.id, repository),
});

/** What people and reconcile call the artifact: the ARN of its marker. */
export const markerId = ({ bucket, key }: MarkerName): string => `arn:aws:s3:::${bucket}/${key}`;

const KEY = /^images\/[^/]+\/([^/]+\/[^/]+)\/([^/]+)\/[0-9a-f]{40}\.json$/;

/** The marker that an id names; undefined for an id that is none of ours at this place. */
export function markerNamed(id: string, place: Place): MarkerName | undefined {
  const bucket = dataBucket(place);
  const prefix = `arn:aws:s3:::${bucket}/`;
  const key = id.startsWith(prefix) ? id.slice(prefix.length) : '';
  return KEY.test(key) ? { bucket, key } : undefined;
}

/** What a marker's key tells. */
export function partsOf({ key }: MarkerName): { restorePoint: string; cut: string } {
  const [, restorePoint = '', cut = ''] = KEY.exec(key) ?? [];
  return { restorePoint, cut };
}

export async function readMarker(aws: Door<typeof markerReading>, { bucket, key }: MarkerName): Promise<Marker | undefined> {
  const found = await aws.marker({ Bucket: bucket, Key: key }).catch(when('NoSuchKey', () => undefined));
  return found && (JSON.parse(await found.Body!.transformToString()) as Marker);
}

/** Puts a marker where there is none; answers the one that counts. */
export async function putMarkerOnce(aws: Door<typeof markerWriting>, name: MarkerName, marker: Marker): Promise<Marker> {
  const there = await aws
    .putMarker({
      Bucket: name.bucket,
      Key: name.key,
      Body: JSON.stringify(marker),
      ContentType: 'application/json',
      IfNoneMatch: '*',
    })
    .then(() => undefined)
    .catch(when('PreconditionFailed', () => readMarker(aws, name)));
  return there ?? marker;
}

/** The markers of an application here, with when they were put. */
export async function markersOf(
  aws: Door<typeof markerListing>,
  place: Place,
  application: string,
): Promise<{ name: MarkerName; put: Date }[]> {
  const Bucket = dataBucket(place);
  const found: { name: MarkerName; put: Date }[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await aws.markers({
      Bucket,
      Prefix: imagesPrefix(application),
      ...(ContinuationToken ? { ContinuationToken } : {}),
    });
    for (const { Key = '', LastModified = new Date(0) } of page.Contents ?? []) {
      if (KEY.test(Key)) found.push({ name: { bucket: Bucket, key: Key }, put: LastModified });
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return found;
}
