import { BatchGetImageCommand, ECRClient } from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { placeRenames, rewiring } from '../../../decide/rewire.ts';
import type { Place } from '../../../domain.ts';
import { allAnswered, chunksOf } from '../../items.ts';
import { type ImageName, parseImage, type RunImage } from '../images.ts';

export const lookingAtImages = { images: calls('ecr', ECRClient).read(BatchGetImageCommand) };

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
