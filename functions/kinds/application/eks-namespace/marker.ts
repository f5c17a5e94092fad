import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { type Artifact, type Cut, type Place, type PointName, pointId, type Resource } from '../../../domain.ts';
import { dataBucket, namespaceKey, namespacesPrefix } from '../../../vault/layout.ts';
import { MAY_BE_ABSENT } from '../../../vault/objects.ts';
import { namespaceOf } from './namespace.ts';

const { read, again } = calls('s3', S3Client);

export const markerListing = { markers: read(ListObjectsV2Command) };
export const markerReading = { marker: read(GetObjectCommand, MAY_BE_ABSENT) };
export const markerWriting = { ...markerReading, putMarker: again(PutObjectCommand) };

/**
 * A marker says that a restore point needs two bundles. It is what the artifact is called by, and it is put once: whoever captures the same
 * cut again finds it. Attempts to copy one cut share its bundles, and this order keeps an expiry from taking away what a copy relies on:
 * - a copy puts its marker first, and looks for the bundles only when no other marker of the cut is condemned;
 * - an expiry condemns its marker first, and deletes the bundles only if no other marker of the cut is there.
 */
export interface Marker {
  readonly artifact: Artifact;
  readonly condemned?: true;
}

export interface MarkerName {
  readonly bucket: string;
  readonly key: string;
}

export function markerOf(place: Place, resource: Resource, point: PointName, cut: Cut): MarkerName {
  const { cluster, namespace } = namespaceOf(resource.id);
  return { bucket: dataBucket(place), key: namespaceKey(point.application, cut.id, pointId(point), cluster, namespace) };
}

/** What people and reconcile call the artifact of a namespace: the ARN of its marker. */
export const markerId = ({ bucket, key }: MarkerName): string => `arn:aws:s3:::${bucket}/${key}`;

const KEY = /^namespaces\/([^/]+)\/([^/]+)\/([^/]+\/[^/]+)\/([^/]+)\/([^/]+)\.json$/;

/** The marker that an id names; undefined for an id that is none of ours at this place. */
export function markerNamed(id: string, place: Place): MarkerName | undefined {
  const bucket = dataBucket(place);
  const key = id.startsWith(`arn:aws:s3:::${bucket}/`) ? id.slice(`arn:aws:s3:::${bucket}/`.length) : '';
  return KEY.test(key) ? { bucket, key } : undefined;
}

/** What a marker's key tells. */
export function partsOf({ key }: MarkerName): { application: string; cut: string; restorePoint: string; namespace: string } {
  const [, application = '', cut = '', restorePoint = '', cluster = '', namespace = ''] = KEY.exec(key) ?? [];
  return { application, cut, restorePoint, namespace: `${cluster}/${namespace}` };
}

export async function readMarker(aws: Door<typeof markerReading>, { bucket, key }: MarkerName): Promise<Marker | undefined> {
  const found = await aws.marker({ Bucket: bucket, Key: key }).catch(when('NoSuchKey', () => undefined));
  return found && (JSON.parse(await found.Body!.transformToString()) as Marker);
}

/** Puts a marker where there is none; answers the one that counts. */
export async function putMarkerOnce(aws: Door<typeof markerWriting>, name: MarkerName, marker: Marker): Promise<Marker> {
  const there = await aws
    .putMarker({ ...putting(name, marker), IfNoneMatch: '*' })
    .then(() => undefined)
    .catch(when('PreconditionFailed', () => readMarker(aws, name)));
  return there ?? marker;
}

export const replaceMarker = async (aws: Door<typeof markerWriting>, name: MarkerName, marker: Marker): Promise<void> => {
  await aws.putMarker(putting(name, marker));
};

const putting = ({ bucket, key }: MarkerName, marker: Marker) => ({
  Bucket: bucket,
  Key: key,
  Body: JSON.stringify(marker),
  ContentType: 'application/json',
});

/** The markers of an application here, or of one cut of it, with when they were put. */
export async function markersOf(
  aws: Door<typeof markerListing>,
  place: Place,
  application: string,
  cut?: string,
): Promise<{ name: MarkerName; put: Date }[]> {
  const Bucket = dataBucket(place);
  const found: { name: MarkerName; put: Date }[] = [];
  let ContinuationToken: string | undefined;
  do {
    const Prefix = namespacesPrefix(application, cut);
    const page = await aws.markers({ Bucket, Prefix, ...(ContinuationToken ? { ContinuationToken } : {}) });
    for (const { Key = '', LastModified = new Date(0) } of page.Contents ?? []) {
      if (KEY.test(Key)) found.push({ name: { bucket: Bucket, key: Key }, put: LastModified });
    }
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return found;
}

/** The other markers here that need the same bundles. */
export async function sharing(aws: Door<typeof markerListing>, place: Place, name: MarkerName): Promise<MarkerName[]> {
  const { application, cut, namespace } = partsOf(name);
  const all = await markersOf(aws, place, application, cut);
  return all.map((one) => one.name).filter((other) => other.key !== name.key && partsOf(other).namespace === namespace);
}
