import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-ecr';
import { operations, refuse } from '../../world/service.ts';
import { presign } from './downloads.ts';
import { blobsOf, readManifest } from './manifests.ts';
import type { EcrState, Repository, Upload } from './state.ts';

/** Parts are of up to 20 MiB, and of at least 5 MiB but for the last (ECR API, UploadLayerPart; ECR guide, "Service quotas"). */
const PART_BYTES = 20 * 2 ** 20;
const LEAST_BYTES = 5 * 2 ** 20;

function uploadOf({ uploads, name }: Repository, id = ''): Upload {
  const message = `The upload with id '${id}' does not exist in the repository with name '${name}'`;
  return uploads.get(id) ?? refuse('UploadNotFoundException', message);
}

const received = ({ parts }: Upload): number => parts.reduce((sum, part) => sum + part.length, 0);

export const layers = operations<typeof SDK, EcrState>()({
  /** Layers belong to a repository: one that another repository has is not available here (ECR API, BatchCheckLayerAvailability). */
  BatchCheckLayerAvailability({ repositoryName, layerDigests = [] }, { state }) {
    const repository = state.find(repositoryName);
    return {
      layers: layerDigests.map((layerDigest) => {
        const layer = repository.layers.get(layerDigest);
        return layer
          ? { layerDigest, layerAvailability: 'AVAILABLE' as const, layerSize: layer.length }
          : { layerDigest, layerAvailability: 'UNAVAILABLE' as const };
      }),
      failures: [],
    };
  },

  InitiateLayerUpload({ repositoryName }, { state, world }) {
    const repository = state.find(repositoryName);
    const uploadId = world.random.uuid();
    repository.uploads.set(uploadId, { parts: [] });
    return { uploadId, partSize: PART_BYTES };
  },

  /** Each part must begin where the last one ended (ECR API, UploadLayerPart: InvalidLayerPartException). */
  UploadLayerPart({ repositoryName, uploadId, partFirstByte = 0, partLastByte = 0, layerPartBlob }, { state }) {
    const repository = state.find(repositoryName);
    const upload = uploadOf(repository, uploadId);
    const blob = new Uint8Array(layerPartBlob ?? []);
    const at = received(upload);
    if (partFirstByte !== at || partLastByte - partFirstByte + 1 !== blob.length || blob.length > PART_BYTES) {
      const message = `The layer part bytes ${partFirstByte}-${partLastByte} of ${blob.length} bytes do not follow byte ${at - 1}`;
      const { name } = repository;
      const lastValidByteReceived = at - 1;
      refuse('InvalidLayerPartException', message, {
        registryId: state.place.account,
        repositoryName: name,
        uploadId,
        lastValidByteReceived,
      });
    }
    upload.parts.push(blob);
    return { registryId: state.place.account, repositoryName: repository.name, uploadId, lastByteReceived: partLastByte };
  },

  CompleteLayerUpload({ repositoryName, uploadId, layerDigests = [] }, { state }) {
    const repository = state.find(repositoryName);
    const upload = uploadOf(repository, uploadId);
    if (upload.parts.length === 0) refuse('EmptyUploadException', `The upload '${uploadId}' does not contain any layer parts`);
    if (upload.parts.slice(0, -1).some(({ length }) => length < LEAST_BYTES))
      refuse('LayerPartTooSmallException', 'Layer parts must be at least 5 MiB in size.');
    const layer = new Uint8Array(Buffer.concat(upload.parts));
    const layerDigest = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
    if (!layerDigests.includes(layerDigest))
      refuse(
        'InvalidLayerException',
        `The layer digest ${layerDigests.join(', ')} does not match the uploaded layer, ${layerDigest}`,
      );
    repository.uploads.delete(uploadId ?? '');
    if (repository.layers.has(layerDigest))
      refuse('LayerAlreadyExistsException', `The layer with digest '${layerDigest}' already exists in the repository`);
    repository.layers.set(layerDigest, layer);
    return { registryId: state.place.account, repositoryName: repository.name, uploadId, layerDigest };
  },

  /** Only of layers that an image refers to (ECR API, GetDownloadUrlForLayer: LayerInaccessibleException). */
  GetDownloadUrlForLayer({ repositoryName, layerDigest = '' }, { state }) {
    const repository = state.find(repositoryName);
    if (!repository.layers.has(layerDigest))
      refuse('LayersNotFoundException', `The layer with digest '${layerDigest}' does not exist in '${repository.name}'`);
    const used = [...repository.images.values()].some(({ manifest }) =>
      blobsOf(readManifest(manifest)).some(({ digest }) => digest === layerDigest),
    );
    if (!used) refuse('LayerInaccessibleException', `The layer with digest '${layerDigest}' is not associated with an image`);
    return { downloadUrl: presign(state, repository.name, layerDigest), layerDigest };
  },
});
