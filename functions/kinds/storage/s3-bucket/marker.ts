import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import type { Artifact, Cut, Place, PointName, Resource } from '../../../domain.ts';
import { pointId } from '../../../domain.ts';
import { dataBucket, listKey } from '../../../vault/layout.ts';
import { MAY_BE_ABSENT } from '../../../vault/objects.ts';
import { factsOfArtifact } from './lists.ts';

const { read, again } = calls('s3', S3Client);

export const markerReading = { marker: read(GetObjectCommand, MAY_BE_ABSENT) };
export const markerWriting = { ...markerReading, putMarker: again(PutObjectCommand) };

/**
 * A marker says that a restore point needs a list of versions. Copies of versions are shared between points, so what may be deleted can be told
 * only from all markers together. The rule that makes it safe (nothing that a new point relies on is ever deleted):
 * - a copy puts its marker *first*, and relies on no copy but those that it made since, or that the list of another live marker names;
 * - an expiry condemns its marker first, then lists what is there, then reads the live markers, and deletes only versions that it had listed.
 */
export interface Marker {
  readonly artifact: Artifact;
  readonly restorePoint: string;
  readonly cut: string;
  readonly condemned?: true;
}

export interface MarkerName {
  readonly bucket: string;
  readonly key: string;
}

export const markerOf = (place: Place, resource: Resource, point: PointName, cut: Cut): MarkerName => ({
  bucket: dataBucket(place),
  key: listKey(resource.name, point.application, pointId(point), cut.id),
});

/** What people and reconcile call the artifact of a bucket: the ARN of its marker. */
export const markerId = ({ bucket, key }: MarkerName): string => `arn:aws:s3:::${bucket}/${key}`;

export function markerNamed(id: string, place: Place): MarkerName | undefined {
  const [, bucket = '', key = ''] = /^arn:aws:s3:::([^/]+)\/(lists\/[^/]+\/[^/]+\/[^/]+\/[^/]+\/[^/]+\.json)$/.exec(id) ?? [];
  return bucket === dataBucket(place) ? { bucket, key } : undefined;
}

export const protectedBucketOf = ({ key }: MarkerName): string => key.split('/')[1]!;

export async function readMarker(aws: Door<typeof markerReading>, { bucket, key }: MarkerName): Promise<Marker | undefined> {
  const found = await aws.marker({ Bucket: bucket, Key: key }).catch(when('NoSuchKey', () => undefined));
  return found && (JSON.parse(await found.Body!.transformToString()) as Marker);
}

/** Puts a marker where there is none; answers the one that counts. */
export async function putMarkerOnce(aws: Door<typeof markerWriting>, name: MarkerName, marker: Marker): Promise<Marker> {
  const { bucket: Bucket, key: Key } = name;
  const there = await aws
    .putMarker({ Bucket, Key, Body: JSON.stringify(marker), ContentType: 'application/json', IfNoneMatch: '*' })
    .then(() => undefined)
    .catch(when('PreconditionFailed', () => readMarker(aws, name)));
  return there ?? marker;
}

export const replaceMarker = async (
  aws: Door<typeof markerWriting>,
  { bucket, key }: MarkerName,
  marker: Marker,
): Promise<void> => {
  await aws.putMarker({ Bucket: bucket, Key: key, Body: JSON.stringify(marker), ContentType: 'application/json' });
};

/** The digests of the bundles that a marker's artifact is made of. */
export const bundlesOf = ({ artifact }: Marker): string[] => {
  const { list, copies } = factsOfArtifact(artifact);
  return copies === null ? [list] : [list, copies];
};
