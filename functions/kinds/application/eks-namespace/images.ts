import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { placeRenames, rewiring } from '../../../decide/rewire.ts';
import type { Place } from '../../../domain.ts';
import { type Captured, type KubernetesObject, PODS, read, typeKey } from '../../../kubernetes/object.ts';
import { allAnswered, chunksOf } from '../../items.ts';
import type { RunImage } from './namespace.ts';

export const lookingAtImages = { images: calls('ecr', ECRClient).read(BatchGetImageCommand) };

interface ContainerStatus {
  readonly name: string;
  readonly imageID?: string;
}

/**
 * Which bytes each image of a namespace's Pods was, by the digest that its node pulled (`containerStatuses[].imageID`). Where Pods disagree
 * the newest counts. Images that no node had pulled by digest are not in it.
 */
export function runImages(objects: readonly Captured[]): RunImage[] {
  const pods = objects
    .filter(({ type }) => typeKey(type) === typeKey(PODS))
    .map(({ raw }) => read(raw))
    .sort((a, b) => ((a.metadata?.creationTimestamp ?? '') < (b.metadata?.creationTimestamp ?? '') ? -1 : 1));
  const digests = new Map(pods.flatMap(imagesOf));
  return [...digests].map(([image, digest]) => ({ image, digest })).sort((a, b) => (a.image < b.image ? -1 : 1));
}

function imagesOf({ spec, status }: KubernetesObject): [string, string][] {
  return (['containers', 'initContainers', 'ephemeralContainers'] as const).flatMap((list) => {
    const statuses = (status?.[`${list.replace(/s$/, '')}Statuses`] ?? []) as readonly ContainerStatus[];
    return ((spec?.[list] ?? []) as readonly { name: string; image?: string }[]).flatMap(
      ({ name, image }): [string, string][] => {
        const digest = /@(sha256:[0-9a-f]{64})$/.exec(statuses.find((one) => one.name === name)?.imageID ?? '')?.[1];
        return image !== undefined && digest !== undefined ? [[image, digest]] : [];
      },
    );
  });
}

/** An image's name taken apart (distribution, "reference"). */
export interface ImageName {
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Present for a registry of ECR. */
  readonly registry?: Place;
}

export function parseImage(image: string): ImageName {
  const [, name = image, digest] = /^(.*?)(?:@(sha256:[0-9a-f]{64}))?$/.exec(image) ?? [];
  const [, path = name, tag] = /^(.*?)(?::([\w.-]+))?$/.exec(name.includes('/') ? name.slice(name.lastIndexOf('/')) : name) ?? [];
  const untagged = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) + path : path;
  const [, account, region, repository] =
    /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)\/(.+)$/.exec(untagged) ?? [];
  return {
    repository: repository ?? untagged,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    ...(account && region ? { registry: { account, region } } : {}),
  };
}

/** What a target's registry says of the images that ran. */
export interface ImagesFound {
  readonly lacks: readonly string[];
  readonly notes: readonly string[];
  /** Images whose tag means other bytes there than ran, or nothing: by name, what to run instead. */
  readonly pins: ReadonlyMap<string, string>;
}

interface Wanted extends RunImage {
  /** As it is called at the target. */
  readonly there: string;
  readonly name: ImageName;
}

/**
 * Asks the ECR registry of the target region for every image by digest: what ran must be there, or it will not run again. Registries
 * elsewhere are not asked: they may be as lost as home.
 */
export async function findImages(
  aws: Door<typeof lookingAtImages>,
  images: readonly RunImage[],
  home: Place,
  target: Place,
): Promise<ImagesFound> {
  const rename = rewiring(placeRenames(home, target));
  const wanted = images.map((image): Wanted => {
    const there = rename(image.image, 'structure').text;
    return { ...image, there, name: parseImage(there) };
  });
  const here = wanted.filter(({ name }) => name.registry?.region === target.region);
  const elsewhere = wanted.filter((one) => !here.includes(one));
  const groups = Map.groupBy(here, ({ name }) => `${name.registry!.account}/${name.repository}`);
  const answers = await allAnswered([...groups.values()].map((group) => lookUp(aws, group)));
  return {
    lacks: answers.flatMap(({ lacks }) => lacks),
    notes:
      elsewhere.length === 0
        ? []
        : [
            `These images are pulled from registries that are not asked here: ${[...new Set(elsewhere.map(({ there }) => there))].join(', ')}.`,
          ],
    pins: new Map(answers.flatMap(({ pins }) => [...pins])),
  };
}

async function lookUp(aws: Door<typeof lookingAtImages>, group: readonly Wanted[]): Promise<Pick<ImagesFound, 'lacks' | 'pins'>> {
  const { registry, repository } = group[0]!.name;
  const tags = [...new Set(group.flatMap(({ name }) => (name.tag !== undefined && name.digest === undefined ? [name.tag] : [])))];
  const digests = [...new Set(group.map(({ digest }) => digest))];
  const ids = [...digests.map((imageDigest) => ({ imageDigest })), ...tags.map((imageTag) => ({ imageTag }))];
  const found = (
    await allAnswered(chunksOf(ids, 100).map((imageIds) => ask(aws, registry!.account, repository, imageIds)))
  ).flat();
  const present = new Set(found.map(({ imageDigest }) => imageDigest));
  const byTag = new Map(found.flatMap(({ imageTag, imageDigest }) => (imageTag && imageDigest ? [[imageTag, imageDigest]] : [])));
  const where = `${registry!.account}.dkr.ecr.${registry!.region}`;
  return {
    lacks: group
      .filter(({ digest }) => !present.has(digest))
      .map(
        ({ image, digest }) => `The image ${image} that ran (${digest}) is not in ${where}/${repository}; replicate it there.`,
      ),
    pins: new Map(
      group
        .filter(({ name, digest }) => name.digest === undefined && byTag.get(name.tag ?? 'latest') !== digest)
        .map(({ image, there, digest }) => [image, `${there}@${digest}`]),
    ),
  };
}

interface ImageId {
  readonly imageDigest?: string | undefined;
  readonly imageTag?: string | undefined;
}

/** At most 100 ids a call; what is not there is among its failures (ECR API, BatchGetImage). */
const ask = (
  aws: Door<typeof lookingAtImages>,
  registryId: string,
  repositoryName: string,
  imageIds: ImageId[],
): Promise<ImageId[]> =>
  aws
    .images({ registryId, repositoryName, imageIds })
    .then(({ images = [] }) => images.flatMap(({ imageId }) => (imageId ? [imageId] : [])))
    .catch(when('RepositoryNotFoundException', () => []));
