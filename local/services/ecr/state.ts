import type * as SDK from '@aws-sdk/client-ecr';
import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { blobsOf, readManifest } from './manifests.ts';

export type Tags = Record<string, string>;

export interface Image {
  readonly digest: string;
  readonly manifest: string;
  readonly mediaType: string;
  readonly pushedAt: Date;
  readonly tags: Set<string>;
  /** What became of its copies, by `account/region`. */
  readonly replicas: Map<string, SDK.ReplicationStatus>;
}

/** A layer that is being pushed. */
export interface Upload {
  readonly parts: Uint8Array[];
}

export interface Repository {
  readonly name: string;
  readonly createdAt: Date;
  readonly encryption: SDK.EncryptionConfiguration;
  readonly images: Map<string, Image>;
  /** The blobs of its images, configs among them, by digest. */
  readonly layers: Map<string, Uint8Array>;
  readonly uploads: Map<string, Upload>;
  mutability: SDK.ImageTagMutability;
  scanOnPush: boolean;
  lifecycle?: { readonly text: string; readonly at: Date };
  /** Whether its lifecycle policy is about to be looked at. */
  reviewed?: boolean;
  policy?: string;
  tags: Tags;
}

export class EcrState {
  readonly repositories = new Map<string, Repository>();
  replication: SDK.ReplicationConfiguration = { rules: [] };
  /** Who may replicate into this registry (ECR guide, "Private registry permissions"). */
  registryPolicy: string | undefined;
  readonly place: Place;
  readonly world: World;
  /** What presigned addresses of this registry are signed with. */
  readonly secret: string;

  constructor({ account, region, world }: StateContext) {
    this.place = { account, region };
    this.world = world;
    this.secret = world.random.stream(`ecr/${account}/${region}`).hex(64);
  }

  get host(): string {
    return `${this.place.account}.dkr.ecr.${this.place.region}.amazonaws.com`;
  }

  arn(name: string): string {
    return `arn:aws:ecr:${this.place.region}:${this.place.account}:repository/${name}`;
  }

  find(name = ''): Repository {
    const found = this.repositories.get(name);
    if (found) return found;
    const message = `The repository with name '${name}' does not exist in the registry with id '${this.place.account}'`;
    return refuse('RepositoryNotFoundException', message);
  }

  create(name: string, more: Partial<Pick<Repository, 'mutability' | 'scanOnPush' | 'tags' | 'encryption'>> = {}): Repository {
    const repository: Repository = {
      name,
      createdAt: new Date(this.world.clock.now()),
      encryption: { encryptionType: 'AES256' },
      images: new Map(),
      layers: new Map(),
      uploads: new Map(),
      mutability: 'MUTABLE',
      scanOnPush: false,
      tags: {},
      ...more,
    };
    this.repositories.set(name, repository);
    return repository;
  }

  /** Removes images, and what no other image needs of their layers: AWS does not say when it does so, and nobody may rely on them meanwhile. */
  remove({ images, layers }: Repository, digests: readonly string[]): void {
    const gone = digests.flatMap((digest) => images.get(digest) ?? []);
    for (const { digest } of gone) images.delete(digest);
    const needed = new Set([...images.values()].flatMap(layersOf));
    for (const digest of gone.flatMap(layersOf)) if (!needed.has(digest)) layers.delete(digest);
  }

  /** The digest of an image by its tag or digest, as whoever pulls it sees it. */
  digestOf(repository: string, reference: string): string | undefined {
    const images = this.repositories.get(repository)?.images;
    return imageBy(images, reference.startsWith('sha256:') ? { imageDigest: reference } : { imageTag: reference })?.digest;
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return [...this.repositories.values()].map(({ name, tags }) => ({ arn: this.arn(name), tags }));
  }

  tagResource(arn: string, tags: Readonly<Tags>): boolean {
    const found = this.tagged(arn);
    if (found) Object.assign(found.tags, tags);
    return found !== undefined;
  }

  tagged(arn: string): Repository | undefined {
    return [...this.repositories.values()].find(({ name }) => this.arn(name) === arn);
  }
}

const layersOf = ({ manifest }: Image): string[] => blobsOf(readManifest(manifest)).map(({ digest = '' }) => digest);

/** By its digest, by its tag, or by both where both are told. */
export function imageBy(
  images: ReadonlyMap<string, Image> | undefined,
  { imageDigest, imageTag }: SDK.ImageIdentifier,
): Image | undefined {
  const found = imageDigest
    ? images?.get(imageDigest)
    : [...(images?.values() ?? [])].find(({ tags }) => tags.has(imageTag ?? ''));
  return found && (!imageTag || found.tags.has(imageTag)) ? found : undefined;
}
