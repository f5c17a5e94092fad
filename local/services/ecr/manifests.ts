import type * as SDK from '@aws-sdk/client-ecr';
import { refuse } from '../../world/service.ts';

const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';

/** What a manifest names, by digest (OCI Image Specification, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  /** Present where the content is kept by somebody else and never pushed (Docker's foreign layers). */
  readonly urls?: readonly string[];
}

/** The parts of a manifest that a registry looks at: of an image its config and layers, of an index the images that it lists. */
export interface Manifest {
  readonly mediaType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

export function readManifest(text: string): Manifest {
  try {
    return JSON.parse(text) as Manifest;
  } catch {
    return refuse(
      'InvalidParameterException',
      "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    );
  }
}

export const mediaTypeOf = (text: string, told: string | undefined): string => told ?? readManifest(text).mediaType ?? DOCKER;

/** The blobs that must be in the repository for an image of this manifest to be pulled. */
export const blobsOf = ({ config, layers = [] }: Manifest): Descriptor[] =>
  [config, ...layers].filter((one): one is Descriptor => one?.digest !== undefined && one.urls === undefined);

/** The digests of the images that an index lists. */
export const listedIn = ({ manifests = [] }: Manifest): string[] => manifests.flatMap(({ digest }) => digest ?? []);

/** Whether an image of this repository is listed in an index that is there. */
export const isListed = (images: Iterable<{ readonly manifest: string }>, digest: string): boolean =>
  [...images].some(({ manifest }) => listedIn(readManifest(manifest)).includes(digest));

export const sizeOf = ({ config, layers = [] }: Manifest): number =>
  [config, ...layers].reduce((sum, part) => sum + (part?.size ?? 0), 0);

export const missing = (
  id: SDK.ImageIdentifier,
  failureCode: SDK.ImageFailureCode = 'ImageNotFound',
  failureReason = 'Requested image not found',
): SDK.ImageFailure => ({ imageId: id, failureCode, failureReason });
