import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  type InvalidLayerPartException,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { Permanent, Transient, when } from '../../../aws/errors.ts';
import type { Door, Scene } from '../../../aws/verb.ts';
import { allAnswered, chunksOf } from '../../items.ts';

const { read, again } = calls('ecr', ECRClient);

/** A forgotten upload holds no layer, and ECR forgets it: so beginning one may be repeated. */
export const layerCopying = {
  layersHere: read(BatchCheckLayerAvailabilityCommand),
  layerUrl: read(GetDownloadUrlForLayerCommand, { at: 'home' }),
  beginLayer: again(InitiateLayerUploadCommand),
  uploadPart: again(UploadLayerPartCommand),
  completeLayer: again(CompleteLayerUploadCommand),
};
type Copying = Door<typeof layerCopying>;

/** A blob of an image, as its manifest names it. */
export interface Layer {
  readonly digest: string;
  readonly size: number;
}

interface Descriptor extends Partial<Layer> {
  readonly urls?: readonly string[];
}

/** Config and layers of an image's manifest, each once. Layers that are kept by somebody else (`urls`) are in no registry. */
export function layersOf(manifest: string): Layer[] {
  const { config, layers = [] } = JSON.parse(manifest) as { config?: Descriptor; layers?: readonly Descriptor[] };
  const own = [config, ...layers].flatMap((one) =>
    one?.digest === undefined || one.urls !== undefined ? [] : [{ digest: one.digest, size: one.size ?? 0 }],
  );
  return [...new Map(own.map((layer) => [layer.digest, layer])).values()];
}

/** The digests of the images that an index lists; none for an image. */
export const listedIn = (manifest: string): string[] =>
  ((JSON.parse(manifest) as { manifests?: readonly { digest: string }[] }).manifests ?? []).map(({ digest }) => digest);

/** At most 100 digests a call (ECR API, BatchCheckLayerAvailability). */
const DIGESTS = 100;

/** Those of the layers that the repository here does not have. */
export async function missingLayers(aws: Copying, repositoryName: string, layers: readonly Layer[]): Promise<Layer[]> {
  const answers = await allAnswered(
    chunksOf(layers, DIGESTS).map((chunk) => aws.layersHere({ repositoryName, layerDigests: chunk.map(({ digest }) => digest) })),
  );
  const there = new Set(
    answers.flatMap(({ layers: found = [] }) =>
      found.flatMap(({ layerDigest, layerAvailability }) => (layerAvailability === 'AVAILABLE' ? [layerDigest] : [])),
    ),
  );
  return layers.filter(({ digest }) => !there.has(digest));
}

/** An upload that is under way: what of it is received stays so between two invocations. */
export type Upload = { readonly id: string; readonly partBytes: number; readonly at: number };

/** What ECR offers as a part, where it does not say: 20 MiB, the most that it takes (ECR API, InitiateLayerUpload). */
const PART_BYTES = 20 * 2 ** 20;

/**
 * Copies one layer from home, part by part, until `enough` says that the time is spent. Answers the upload to go on with, or undefined when
 * the layer is whole: ECR takes it only if its bytes have its digest (ECR API, CompleteLayerUpload).
 */
export async function copyLayer(
  aws: Copying,
  { transport }: Pick<Scene, 'transport'>,
  repositoryName: string,
  { digest, size }: Layer,
  before: Upload | undefined,
  enough: () => boolean,
): Promise<Upload | undefined> {
  let upload = before ?? (await begin(aws, repositoryName));
  const { downloadUrl = '' } = await aws.layerUrl({ repositoryName, layerDigest: digest });
  while (upload.at < size) {
    const last = Math.min(upload.at + upload.partBytes, size) - 1;
    const bytes = await fetchRange(transport, downloadUrl, upload.at, last);
    const received = await send(aws, repositoryName, upload, bytes);
    if (received === undefined) return begin(aws, repositoryName);
    upload = { ...upload, at: received + 1 };
    if (upload.at < size && enough()) return upload;
  }
  await aws
    .completeLayer({ repositoryName, uploadId: upload.id, layerDigests: [digest] })
    .catch(when('LayerAlreadyExistsException', () => undefined));
  return undefined;
}

async function begin(aws: Copying, repositoryName: string): Promise<Upload> {
  const { uploadId = '', partSize = PART_BYTES } = await aws.beginLayer({ repositoryName });
  return { id: uploadId, partBytes: Math.min(partSize, PART_BYTES), at: 0 };
}

/** The last byte that ECR has of the upload; undefined where it begins anew. A part whose answer was lost is received all the same. */
function send(aws: Copying, repositoryName: string, { id, at }: Upload, bytes: Uint8Array): Promise<number | undefined> {
  const partLastByte = at + bytes.length - 1;
  return aws
    .uploadPart({ repositoryName, uploadId: id, partFirstByte: at, partLastByte, layerPartBlob: bytes })
    .then(() => partLastByte as number | undefined)
    .catch(
      when('InvalidLayerPartException', (error) => {
        const { lastValidByteReceived } = error as InvalidLayerPartException;
        return lastValidByteReceived === partLastByte ? partLastByte : undefined;
      }),
    )
    .catch(when('UploadNotFoundException', () => undefined));
}

/** Part of what a presigned address stands for. It is S3's, so it takes ranges (S3 API, GetObject). */
async function fetchRange(transport: Scene['transport'], url: string, first: number, last: number): Promise<Uint8Array> {
  const { status, body } = await transport
    .fetch({ method: 'GET', url, headers: { range: `bytes=${first}-${last}` } })
    .catch((cause: Error) => {
      if (cause instanceof Permanent) throw cause; // it was never sent
      throw new Transient(`Home's registry gave no layer: ${cause.message}`, { cause });
    });
  const whole = status === 200 && first === 0 && body.length === last + 1;
  if ((status === 206 || whole) && body.length === last - first + 1) return body;
  // An address that ran out is asked for anew next time; whatever else it is may pass as well, and the deadline ends it.
  throw new Transient(`Home's registry answered ${status} and ${body.length} bytes for bytes ${first} to ${last} of a layer.`);
}
