import { arnAt, parseArn } from '../../../aws/arn.ts';
import { type Artifact, type Cut, type Place, type PointName, pointId, type Resource } from '../../../domain.ts';
import { sha256 } from '../../../vault/layout.ts';

export const KIND = 'ecr-image';

/** Bytes that are kept: an image, or an index of several, by its digest. */
export interface HeldImage {
  /** `sha256:…` */
  readonly digest: string;
  /** The tags by which workloads name it, if by any. */
  readonly names: readonly string[];
}

/** What a repository is besides its images, as a copy of it is made. */
export type RepositorySettings = {
  readonly mutability: string;
  readonly scanOnPush: boolean;
  /** Whether a key of KMS encrypts it. */
  readonly key: boolean;
  readonly tags: { readonly [key: string]: string };
};

/** What the plan knew of a repository. */
export type PlannedFacts = {
  readonly cluster: string;
  readonly namespaces: readonly string[];
  /** The names of all repositories that the plan holds: what runs out of another one was deployed since. */
  readonly repositories: readonly string[];
  readonly images: readonly HeldImage[];
  readonly settings: RepositorySettings;
};

/** What an artifact says of itself. */
export type HoldFacts = {
  readonly images: readonly HeldImage[];
  /** In a vault: the tags by which home holds the same images. ECR's own replication brings them along, and nothing takes them away again. */
  readonly homes: readonly string[];
};

export const plannedFacts = ({ facts }: Resource): PlannedFacts => facts as unknown as PlannedFacts;
export const holdFacts = ({ facts }: Artifact): HoldFacts => facts as unknown as HoldFacts;

export const repositoryArn = (place: Place, name: string): string => arnAt(place, 'ecr', `repository/${name}`);
/** The name of the repository that an ARN, or an id of what was restored in it, is of. */
export const repositoryOf = (id: string): string =>
  parseArn(id)
    .resource.replace(/^repository\//, '')
    .replace(/:.*$/, '');

/** What begins every tag of ours, so that a lifecycle rule can spare them all. */
export const OURS = 'stillpoint-';

/**
 * The tag that holds an image for one restore point at one place. It bears the digest in its mark, so that it is never moved from one image to
 * another, and the place, so that the tag which replication brings from home is another than the vault's own.
 */
export const holdTag = (
  digest: string,
  { application, ...point }: PointName,
  cut: Pick<Cut, 'id'>,
  { account, region }: Place,
): string => `${OURS}${pointId(point).replace('/', '-')}-${mark(application, cut.id, account, region, digest)}`;

/** The tag that holds an image for what a restore brought back, until whoever runs that takes it away. */
export const restoreTag = (restore: string, digest: string): string => `${restoreTags(restore)}${mark(digest)}`;
export const restoreTags = (restore: string): string => `${OURS}restore-${restore}-`;

/** The tag that says of an image that our copying put it there, so that it may go when nothing needs it any more. */
export const copyTag = (digest: string): string => `${OURS}copy-${mark(digest)}`;

const mark = (...of: readonly string[]): string => sha256(of.join('\n')).slice(0, 16);
