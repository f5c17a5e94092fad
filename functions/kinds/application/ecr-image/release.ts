import { BatchDeleteImageCommand, ECRClient, type ImageFailure, type ImageIdentifier } from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { sha256 } from '../../../vault/layout.ts';
import { copyTag } from './image.ts';
import { type Layer, layersOf, listedIn } from './layers.ts';
import { describeImage, describingImages, findImages, type RegistryImage, taggingImages, tagImage } from './registry.ts';

export const releasing = {
  ...taggingImages,
  ...describingImages,
  removeImages: calls('ecr', ECRClient).again(BatchDeleteImageCommand),
};
type Releasing = Door<typeof releasing>;

/**
 * Takes a tag of ours off an image. ECR deletes an image with its last tag (ECR API, BatchDeleteImage), so what happens depends on whose it is:
 * with other tags it stays; one that our copying brought here goes when nothing else holds it; any other stays, untagged, as it was before it
 * was held, for Pods may run from it by its digest. Answers why it could not be, if it could not. A tag on another image is not ours.
 */
export async function release(
  aws: Releasing,
  repositoryName: string,
  digest: string,
  imageTag: string,
): Promise<string | undefined> {
  const there = await describeImage(aws, repositoryName, imageTag);
  if (!there || there.digest !== digest) return undefined;
  const others = there.tags.filter((tag) => tag !== imageTag);
  if (others.length === 0) return leaveUntagged(aws, repositoryName, digest, imageTag);
  await remove(aws, repositoryName, [{ imageTag }]);
  if (others.every((tag) => tag === copyTag(digest))) await removeCopy(aws, repositoryName, digest);
  return undefined;
}

/** Removes what our copying brought here, by the tag that says so: an image that somebody tagged in the meantime stays. What an index listed goes after it. */
async function removeCopy(aws: Releasing, repositoryName: string, digest: string): Promise<void> {
  const image = (await findImages(aws.images, repositoryName, [digest])).get(digest);
  await remove(aws, repositoryName, [{ imageTag: copyTag(digest) }]);
  for (const listed of image ? listedIn(image.manifest) : []) {
    const there = await describeImage(aws, repositoryName, listed);
    if (there?.tags.every((tag) => tag === copyTag(listed)) && there.tags.length > 0)
      await removeCopy(aws, repositoryName, listed);
  }
}

/**
 * ECR has no call that takes the last tag off an image and leaves the image. But a tag that is pushed on another image leaves the one that bore
 * it (ECR guide, "Image tag mutability"): so it goes to one of no content but the image's own config, and with that one it is deleted.
 */
async function leaveUntagged(
  aws: Releasing,
  repositoryName: string,
  digest: string,
  imageTag: string,
): Promise<string | undefined> {
  const decoy = await decoyOf(aws, repositoryName, digest);
  if (!decoy) return undefined;
  const moved = await tagImage(aws, repositoryName, decoy, imageTag).catch((error) => {
    if (error instanceof Permanent) return undefined; // tags that do not move
    throw error;
  });
  if (moved === undefined) {
    return (
      `${imageTag} is the last tag of ${repositoryName}@${digest}, and the repository's tags are immutable: ECR would delete the image with it. ` +
      `Give the image another tag, or delete it.`
    );
  }
  await remove(aws, repositoryName, [{ imageTag }]);
  return undefined;
}

async function decoyOf(aws: Releasing, repositoryName: string, digest: string): Promise<RegistryImage | undefined> {
  const config = await configOf(aws, repositoryName, digest);
  if (!config) return undefined;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', ...config }],
    annotations: { 'stillpoint.released': digest },
  });
  return { digest: `sha256:${sha256(manifest)}`, mediaType, manifest };
}

/** The config of an image, or of the first image that an index lists. */
async function configOf(aws: Releasing, repositoryName: string, digest: string): Promise<Layer | undefined> {
  const image = (await findImages(aws.images, repositoryName, [digest])).get(digest);
  if (!image) return undefined;
  const [listed] = listedIn(image.manifest);
  return listed === undefined ? layersOf(image.manifest)[0] : configOf(aws, repositoryName, listed);
}

/** What is not there any more is gone, and what an index lists is left to whoever removes the index (ECR API, ImageFailure). */
const HARMLESS: readonly ImageFailure['failureCode'][] = ['ImageNotFound', 'ImageReferencedByManifestList'];

async function remove(aws: Releasing, repositoryName: string, imageIds: ImageIdentifier[]): Promise<void> {
  const { failures = [] } = await aws
    .removeImages({ repositoryName, imageIds })
    .catch(when('RepositoryNotFoundException', () => ({ failures: [] })));
  const failure = failures.find(({ failureCode }) => !HARMLESS.includes(failureCode));
  if (failure) throw new Permanent(`${failure.failureCode}: ${failure.failureReason}`);
}
