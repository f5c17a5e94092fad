import {
  BatchGetImageCommand,
  DescribeImagesCommand,
  ECRClient,
  type ImageIdentifier,
  PutImageCommand,
} from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { allAnswered, chunksOf } from '../../items.ts';

const { read, again } = calls('ecr', ECRClient);

export const findingImages = { images: read(BatchGetImageCommand) };
export const describingImages = { describeImages: read(DescribeImagesCommand) };
export const taggingImages = { ...findingImages, putImage: again(PutImageCommand) };

/** An image as its registry has it. The manifest is to the byte, or the digest would be another. */
export interface RegistryImage {
  readonly digest: string;
  readonly mediaType: string;
  readonly manifest: string;
}

/** All forms, or ECR answers an index as one of the images that it lists (ECR API, BatchGetImage). */
const MEDIA_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+json',
];

/** At most 100 ids a call (ECR API, BatchGetImage). */
const IDS = 100;

/** What a repository has of these tags and digests, by each that was asked for; what is not there is not in it, nor anything where there is no such repository. */
export async function findImages(
  ask: Door<typeof findingImages>['images'],
  repositoryName: string,
  references: readonly string[],
): Promise<Map<string, RegistryImage>> {
  const pages = await allAnswered(
    chunksOf([...new Set(references)], IDS).map((chunk) =>
      ask({ repositoryName, imageIds: chunk.map(idOf), acceptedMediaTypes: MEDIA_TYPES })
        .then(({ images = [] }) => images)
        .catch(when('RepositoryNotFoundException', () => [])),
    ),
  );
  const found = new Map<string, RegistryImage>();
  for (const { imageId, imageManifest = '', imageManifestMediaType = '' } of pages.flat()) {
    const digest = imageId?.imageDigest ?? '';
    const image = { digest, mediaType: imageManifestMediaType, manifest: imageManifest };
    for (const reference of [digest, imageId?.imageTag ?? digest]) found.set(reference, image);
  }
  return found;
}

const idOf = (reference: string): ImageIdentifier =>
  reference.startsWith('sha256:') ? { imageDigest: reference } : { imageTag: reference };

/** What is missing when an image cannot be put: it was deleted in the meantime, or was never there whole. */
const NOT_THERE = ['LayersNotFoundException', 'ReferencedImagesNotFoundException', 'RepositoryNotFoundException'];

/**
 * Puts a tag on an image that is there; false where its content is not there any more. Asked again it is the same. A tag that never moves
 * can be put in a repository with immutable tags too (ECR guide, "Image tag mutability").
 */
export async function tagImage(
  aws: Door<typeof taggingImages>,
  repositoryName: string,
  { digest, mediaType, manifest }: RegistryImage,
  imageTag: string,
): Promise<boolean> {
  return aws
    .putImage({ repositoryName, imageTag, imageDigest: digest, imageManifest: manifest, imageManifestMediaType: mediaType })
    .then(
      () => true,
      when('ImageAlreadyExistsException', () => true),
    )
    .catch(when(NOT_THERE, () => false))
    .catch(
      when('ImageTagAlreadyExistsException', async () => {
        const holder = (await findImages(aws.images, repositoryName, [imageTag])).get(imageTag);
        if (holder?.digest === digest) return true;
        throw new Permanent(
          `Tag ${imageTag} of repository ${repositoryName} is on another image, and its tags are immutable; remove it there.`,
        );
      }),
    );
}

/** What a registry says of an image besides its manifest. */
export interface Described {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly pushedAt: number;
}

/** Undefined where there is no such image. */
export const describeImage = (
  aws: Door<typeof describingImages>,
  repositoryName: string,
  reference: string,
): Promise<Described | undefined> =>
  aws
    .describeImages({ repositoryName, imageIds: [idOf(reference)] })
    .then(
      ({ imageDetails: [image] = [] }) =>
        image && { digest: image.imageDigest ?? '', tags: image.imageTags ?? [], pushedAt: image.imagePushedAt?.getTime() ?? 0 },
    )
    .catch(when(['ImageNotFoundException', 'RepositoryNotFoundException'], () => undefined));
