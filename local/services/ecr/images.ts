import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-ecr';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { review } from './lifecycle.ts';
import { blobsOf, isListed, listedIn, mediaTypeOf, missing, readManifest, sizeOf } from './manifests.ts';
import { replicate } from './replication.ts';
import { type EcrState, type Image, imageBy, type Repository } from './state.ts';

function requireFree({ name, images, mutability }: Repository, tag: string, digest: string): void {
  const holder = imageBy(images, { imageTag: tag });
  if (holder?.digest === digest) {
    const message = `Image with digest '${digest}' and tag '${tag}' already exists in the repository with name '${name}'`;
    refuse('ImageAlreadyExistsException', message);
  }
  if (holder && mutability.startsWith('IMMUTABLE')) {
    const message = `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`;
    refuse('ImageTagAlreadyExistsException', message);
  }
}

const idsOf = ({ digest, tags }: Image): SDK.ImageIdentifier[] =>
  tags.size > 0 ? [...tags].map((imageTag) => ({ imageDigest: digest, imageTag })) : [{ imageDigest: digest }];

function detailOf(image: Image, repository: Repository, { place }: EcrState): SDK.ImageDetail {
  const manifest = readManifest(image.manifest);
  const { config } = manifest;
  return {
    registryId: place.account,
    repositoryName: repository.name,
    imageDigest: image.digest,
    ...(image.tags.size > 0 ? { imageTags: [...image.tags] } : {}),
    imageSizeInBytes: sizeOf(manifest),
    imagePushedAt: image.pushedAt,
    imageManifestMediaType: image.mediaType,
    ...(config?.mediaType ? { artifactMediaType: config.mediaType } : {}),
  };
}

function required(repository: Repository, id: SDK.ImageIdentifier, { place }: EcrState): Image {
  const { imageDigest, imageTag } = id;
  const found = imageBy(repository.images, id);
  const message = `The image with imageId {imageDigest:'${imageDigest ?? 'null'}', imageTag:'${imageTag ?? 'null'}'} does not exist within the repository with name '${repository.name}' in the registry with id '${place.account}'`;
  return found ?? refuse('ImageNotFoundException', message);
}

const passes = (image: Image, status: SDK.TagStatus | undefined): boolean =>
  status === undefined || status === 'ANY' || (status === 'TAGGED') === image.tags.size > 0;

/** Layers and listed images come first (ECR API, PutImage: LayersNotFoundException, ReferencedImagesNotFoundException). */
function requireContent({ name, images, layers }: Repository, manifest: string): void {
  const content = readManifest(manifest);
  const absent = blobsOf(content).flatMap(({ digest = '' }) => (layers.has(digest) ? [] : [digest]));
  if (absent.length > 0)
    refuse(
      'LayersNotFoundException',
      `Layers with digests '[${absent.join(', ')}]' required for pushing image do not exist in the repository with name '${name}'`,
    );
  const unknown = listedIn(content).filter((digest) => !images.has(digest));
  if (unknown.length > 0)
    refuse(
      'ReferencedImagesNotFoundException',
      `Images with digests '[${unknown.join(', ')}]' required for pushing image into repository with name '${name}' do not exist`,
    );
}

export const images = operations<typeof SDK, EcrState>()({
  /** A digest is the SHA-256 of the manifest's bytes (OCI Distribution Specification). */
  PutImage({ repositoryName, imageManifest: manifest = '', imageManifestMediaType, imageTag: tag, imageDigest }, { state, now }) {
    const repository = state.find(repositoryName);
    const mediaType = mediaTypeOf(manifest, imageManifestMediaType);
    const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`;
    if (imageDigest && imageDigest !== digest)
      refuse('ImageDigestDoesNotMatchException', `The digest '${imageDigest}' is not that of the manifest, '${digest}'`);
    if (tag) requireFree(repository, tag, digest);
    requireContent(repository, manifest);
    const known = repository.images.get(digest);
    if (known && !tag)
      refuse(
        'ImageAlreadyExistsException',
        `Image with digest '${digest}' already exists in the repository with name '${repository.name}'`,
      );
    if (tag) for (const other of repository.images.values()) other.tags.delete(tag);
    const image = known ?? { digest, manifest, mediaType, pushedAt: now(), tags: new Set<string>(), replicas: new Map() };
    if (tag) image.tags.add(tag);
    repository.images.set(digest, image);
    replicate(state, repository, image);
    review(state, repository);
    return {
      image: {
        registryId: state.place.account,
        repositoryName: repository.name,
        imageId: { imageDigest: digest, ...(tag ? { imageTag: tag } : {}) },
        imageManifest: manifest,
        imageManifestMediaType: mediaType,
      },
    };
  },

  BatchGetImage({ repositoryName, imageIds = [] }, { state }) {
    const repository = state.find(repositoryName);
    const found = imageIds.map((id) => ({ id, image: imageBy(repository.images, id) }));
    return {
      images: found.flatMap(({ id, image }) =>
        image
          ? [
              {
                registryId: state.place.account,
                repositoryName: repository.name,
                imageId: { ...id, imageDigest: image.digest },
                imageManifest: image.manifest,
                imageManifestMediaType: image.mediaType,
              },
            ]
          : [],
      ),
      failures: found.flatMap(({ id, image }) => (image ? [] : [missing(id)])),
    };
  },

  DescribeImages({ repositoryName, imageIds, filter, maxResults, nextToken }, { state }) {
    const repository = state.find(repositoryName);
    const wanted = imageIds?.length ? imageIds.map((id) => required(repository, id, state)) : [...repository.images.values()];
    const matching = [...new Set(wanted)].filter((image) => passes(image, filter?.tagStatus));
    const { page, ...next } = paged(matching, maxResults, nextToken);
    return { imageDetails: page.map((image) => detailOf(image, repository, state)), ...next };
  },

  ListImages({ repositoryName, filter, maxResults, nextToken }, { state }) {
    const all = [...state.find(repositoryName).images.values()].filter((image) => passes(image, filter?.tagStatus));
    const { page, ...next } = paged(all.flatMap(idsOf), maxResults, nextToken);
    return { imageIds: page, ...next };
  },

  /**
   * By its tag an image loses that tag, and is gone with its last one; by its digest it is gone with all of them (ECR API, BatchDeleteImage).
   * What an index lists stays, and with it its last tag (failure ImageReferencedByManifestList).
   */
  BatchDeleteImage({ repositoryName, imageIds = [] }, { state }) {
    const repository = state.find(repositoryName);
    const { images } = repository;
    const gone: SDK.ImageIdentifier[] = [];
    const failures: SDK.ImageFailure[] = [];
    for (const id of imageIds) {
      const image = imageBy(images, id);
      if (!image) {
        failures.push(missing(id));
        continue;
      }
      const isLast = !id.imageTag || image.tags.size === 1;
      if (isLast && isListed(images.values(), image.digest)) {
        failures.push(missing(id, 'ImageReferencedByManifestList', 'Requested image referenced by manifest list'));
        continue;
      }
      gone.push(...(id.imageTag ? [{ imageDigest: image.digest, imageTag: id.imageTag }] : idsOf(image)));
      if (id.imageTag) image.tags.delete(id.imageTag);
      if (isLast) state.remove(repository, [image.digest]);
    }
    return { imageIds: gone, failures };
  },

  DescribeImageReplicationStatus({ repositoryName, imageId }, { state }) {
    const repository = state.find(repositoryName);
    const image = required(repository, imageId ?? {}, state);
    const replicationStatuses = [...image.replicas].map(([key, status]) => {
      const [registryId = '', region = ''] = key.split('/');
      return { region, registryId, status };
    });
    return { repositoryName: repository.name, imageId: { imageDigest: image.digest, ...imageId }, replicationStatuses };
  },
});
