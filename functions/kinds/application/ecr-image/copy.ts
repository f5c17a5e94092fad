import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImageReplicationStatusCommand,
  ECRClient,
  type ImageTagMutability,
} from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import { TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Artifact, Instant, Item } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { type CopyWork, done, type Passage, type Started, started } from '../../kind.ts';
import { BUDGET_MILLIS } from '../../objects.ts';
import { ownTags } from '../../scope.ts';
import { copyTag, type HoldFacts, holdFacts, holdTag, plannedFacts } from './image.ts';
import { copyLayer, layerCopying, layersOf, listedIn, missingLayers, type Upload } from './layers.ts';
import { readingLifecycle, troubleWithLifecycle } from './lifecycle.ts';
import { type Marker, markerId, markerOf, markerReading, markerWriting, putMarkerOnce, readMarker } from './marker.ts';
import { describeImage, describingImages, findImages, type RegistryImage, taggingImages, tagImage } from './registry.ts';

const { read, again } = calls('ecr', ECRClient);

const pulling = {
  ...taggingImages,
  ...describingImages,
  ...layerCopying,
  ...readingLifecycle,
  ...markerReading,
  imagesAtHome: read(BatchGetImageCommand, { at: 'home' }),
  replication: read(DescribeImageReplicationStatusCommand, { at: 'home' }),
  createRepository: again(CreateRepositoryCommand, { also: ['ecr:TagResource', 'kms:CreateGrant', 'kms:DescribeKey'] }),
};
type Pulling = Door<typeof pulling>;

/** Since when this is copied, and uploads of layers, by digest, that were not finished yet. */
type Handle = { readonly since: Instant; readonly uploads: { readonly [digest: string]: Upload } };

/** Most images are replicated within 30 minutes (ECR guide, "Private image replication"); what takes longer is copied by us. */
const PATIENCE_MILLIS = 30 * 60_000;

/** Into the vault's own registry, under the same names: by ECR's own replication where that is set up, else layer by layer. */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    markerWriting,
    (aws, works: readonly CopyWork[], { clock }): Promise<Item<Artifact>[]> =>
      inParallel(works, 8, (work) =>
        putMarkerOnce(aws, nameOf(work), markerFor(work))
          .then(() => started(work.resource.id, asJson({ since: instant(clock.now()), uploads: {} } satisfies Handle)))
          .catch(failing(work.resource.id, 'Its images could not be copied')),
      ),
  ),
  settle: verb(pulling, async (aws, works: readonly Started<CopyWork>[], scene): Promise<Item<Artifact>[]> => {
    const until = scene.clock.now() + BUDGET_MILLIS;
    const items: Item<Artifact>[] = [];
    // One after the other, for each uses all there is of network.
    for (const work of works)
      items.push(await pull(aws, work, scene, until).catch(failing(work.resource.id, 'Its images could not be copied')));
    return items;
  }),
};

const nameOf = ({ vault, resource, point, cut }: CopyWork) => markerOf(vault.place, resource.name, point, cut);

function markerFor(work: CopyWork): Marker {
  const { artifact, point, cut, vault } = work;
  const { images } = holdFacts(artifact);
  const facts: HoldFacts = { images, homes: images.map(({ digest }) => homeTag(work, digest)) };
  return {
    tags: Object.fromEntries(images.map(({ digest }) => [digest, holdTag(digest, point, cut, vault.place)])),
    artifact: { ...artifact, id: markerId(nameOf(work)), place: vault.place, endurance: 'durable', facts: asJson(facts) },
  };
}

/** Home's point of the same slot may be another attempt than the vault's, so its tag is read off the name of its marker. */
function homeTag({ artifact, cut, point }: CopyWork, digest: string): string {
  const attempt = Number(/\/images\/[^/]+\/[^/]+\/(\d+)\//.exec(artifact.id)?.[1] ?? point.attempt);
  return holdTag(digest, { ...point, attempt }, cut, artifact.place);
}

async function pull(aws: Pulling, work: Started<CopyWork>, scene: Scene, until: number): Promise<Item<Artifact>> {
  const { resource } = work;
  const marker = await readMarker(aws, nameOf(work));
  if (!marker) throw new Permanent('What says which images are held is gone: the copy was given up.');
  const handle = handleOf<Handle>(work);
  const pushing: Pushing = { aws, scene, work, uploads: new Map(Object.entries(handle.uploads)), until };
  const there = await findImages(aws.images, resource.name, Object.keys(marker.tags));
  const waits: string[] = [];
  for (const [digest, tag] of Object.entries(marker.tags)) {
    const image = there.get(digest);
    const held = image !== undefined && (await tagImage(aws, resource.name, image, tag));
    if (held) continue;
    if (await isReplicating(aws, work, digest, scene.clock.now() - millis(handle.since))) {
      waits.push(`ECR replicates ${digest} by itself.`);
    } else if (!(await push(pushing, digest))) waits.push(`${digest} is being copied, layer by layer.`);
    else waits.push(`${digest} is copied, and is looked at once more.`);
  }
  if (waits.length > 0) {
    const next: Handle = { since: handle.since, uploads: Object.fromEntries(pushing.uploads) };
    return started(resource.id, asJson(next), waits[0]);
  }
  const trouble = await lifecycleTrouble(aws, resource.name, marker);
  if (trouble !== undefined) throw new Permanent(trouble);
  return done(resource.id, marker.artifact);
}

/** Whether ECR says that it is bringing the image here; not for ever, and not where it says nothing of it. */
async function isReplicating(
  aws: Pulling,
  { resource, vault: { place } }: CopyWork,
  imageDigest: string,
  waited: number,
): Promise<boolean> {
  if (waited > PATIENCE_MILLIS) return false;
  const { replicationStatuses = [] } = await aws
    .replication({ repositoryName: resource.name, imageId: { imageDigest } })
    .catch(when(['ImageNotFoundException', 'RepositoryNotFoundException'], () => ({ replicationStatuses: undefined })));
  return replicationStatuses.some(
    ({ region, registryId, status }) => region === place.region && registryId === place.account && status === 'IN_PROGRESS',
  );
}

interface Pushing {
  readonly aws: Pulling;
  readonly scene: Scene;
  readonly work: CopyWork;
  readonly uploads: Map<string, Upload>;
  readonly until: number;
}

/** Copies an image by its digest, and first whatever it is made of. False where the time did not suffice. */
async function push(pushing: Pushing, digest: string): Promise<boolean> {
  const { aws, work } = pushing;
  const { resource } = work;
  const image = (await findImages(aws.imagesAtHome, resource.name, [digest])).get(digest);
  if (!image) {
    throw new Permanent(
      `The image ${resource.name}@${digest} is gone from home's registry and never came to ${work.vault.place.region}; take a new restore point.`,
    );
  }
  await ensureRepository(aws, work);
  for (const listed of listedIn(image.manifest)) {
    const there = (await findImages(aws.images, resource.name, [listed])).has(listed);
    if (!there && !(await push(pushing, listed))) return false;
  }
  return (await pushLayers(pushing, image)) && (await tagImage(aws, resource.name, image, copyTag(digest)));
}

async function pushLayers({ aws, scene, work, uploads, until }: Pushing, { manifest }: RegistryImage): Promise<boolean> {
  const { name } = work.resource;
  const enough = () => scene.clock.now() >= until;
  for (const layer of await missingLayers(aws, name, layersOf(manifest))) {
    if (enough()) return false;
    const upload = await copyLayer(aws, scene, name, layer, uploads.get(layer.digest), enough);
    if (upload) {
      uploads.set(layer.digest, upload);
      return false;
    }
    uploads.delete(layer.digest);
  }
  return true;
}

/** A repository as home's is, but under the vault's key where home's is under one; its own policies are whoever's who runs from it. */
async function ensureRepository(aws: Pulling, { resource, point }: CopyWork): Promise<void> {
  const { settings } = plannedFacts(resource);
  const tags = ownTags(new Map(Object.entries(settings.tags)));
  await aws
    .createRepository({
      repositoryName: resource.name,
      imageTagMutability: settings.mutability as ImageTagMutability,
      imageScanningConfiguration: { scanOnPush: settings.scanOnPush },
      encryptionConfiguration: settings.key ? { encryptionType: 'KMS', kmsKey: DATA_KEY } : { encryptionType: 'AES256' },
      tags: [...tags, { Key: TAG.application, Value: point.application }],
    })
    .catch(when('RepositoryAlreadyExistsException', () => undefined));
}

/** Whether the lifecycle policy of the vault's own repository, if somebody gave it one, leaves what we hold there. */
async function lifecycleTrouble(aws: Pulling, repositoryName: string, { tags }: Marker): Promise<string | undefined> {
  const described = await inParallel(Object.keys(tags), 4, (digest) => describeImage(aws, repositoryName, digest));
  return troubleWithLifecycle(
    aws,
    repositoryName,
    described.map((image) => image?.tags ?? []),
  );
}
