import { DescribeRepositoriesCommand, ECRClient, ListTagsForResourceCommand } from '@aws-sdk/client-ecr';
import { calls } from '../../../aws/call.ts';
import { classify, Permanent } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import type { Application, Place, Resource } from '../../../domain.ts';
import { connect, connecting } from '../../../kubernetes/client.ts';
import { asJson, inParallel } from '../../items.ts';
import type { Discovery } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { type HeldImage, KIND, type PlannedFacts, repositoryArn } from './image.ts';
import { readingLifecycle, troubleWithLifecycle } from './lifecycle.ts';
import { describeImage, describingImages, findingImages } from './registry.ts';
import { type Used, usedHere } from './used.ts';
import { imagesIn } from './workloads.ts';

const { read } = calls('ecr', ECRClient);

const looking = {
  ...connecting,
  ...findingImages,
  ...describingImages,
  ...readingLifecycle,
  repositories: read(DescribeRepositoriesCommand),
  repositoryTags: read(ListTagsForResourceCommand),
};
type Looking = Door<typeof looking>;

const WIDTH = 4;

/** The repositories of home's registry out of which the application's namespaces run anything, each with the images that they run. */
export const discover = verb(looking, async (aws, application: Application, scene): Promise<Discovery> => {
  const { cluster, namespaces } = application;
  if (cluster === undefined || namespaces.length === 0) return { resources: [], notes: [], refusals: [] };
  try {
    const used = await usedHere(aws, await imagesIn(await connect(aws, cluster, scene), namespaces), scene.here);
    const planned = { cluster, namespaces, repositories: [...used.held.keys()] };
    const found = await inParallel([...used.held], WIDTH, ([name, images]) => look(aws, name, images, planned, scene.here));
    return {
      resources: found.map(({ resource }) => resource),
      notes: notesOn(used, scene.here),
      refusals: [...used.gone.map(({ image }) => goneFrom(image)), ...found.flatMap(({ refusal }) => refusal ?? [])],
    };
  } catch (error) {
    const classified = classify(error);
    if (!(classified instanceof Permanent)) throw classified;
    return { resources: [], notes: [], refusals: [classified.message] };
  }
});

export const goneFrom = (image: string): string =>
  `The image ${image} that Pods run is not in its registry any more, so no Pod could start from it again; push it again, or roll out one that is there.`;

const notesOn = ({ unknown, foreign, elsewhere }: Used, { account, region }: Place): string[] => [
  ...unknown.map((image) => `A template names the image ${image}, which is not in its registry: nothing of it is held.`),
  ...foreign.map(
    (image) =>
      `The image ${image} is not in this restore point: it lies in the registry of another account or region; ` +
      `push it to ${account}.dkr.ecr.${region}.amazonaws.com and run it from there to have it held.`,
  ),
  ...(elsewhere.length === 0
    ? []
    : [`Not in this restore point, for they come from registries that are not ECR's: ${elsewhere.join(', ')}.`]),
];

async function look(
  aws: Looking,
  name: string,
  images: readonly HeldImage[],
  planned: Pick<PlannedFacts, 'cluster' | 'namespaces' | 'repositories'>,
  here: Place,
): Promise<{ resource: Resource; refusal?: string }> {
  const { repositories: [repository] = [] } = await aws.repositories({ repositoryNames: [name] });
  const [{ tags }, ...borne] = await Promise.all([
    aws.repositoryTags({ resourceArn: repositoryArn(here, name) }),
    ...images.map(({ digest }) => describeImage(aws, name, digest)),
  ]);
  const facts: PlannedFacts = {
    ...planned,
    images,
    settings: {
      mutability: repository?.imageTagMutability ?? 'MUTABLE',
      scanOnPush: repository?.imageScanningConfiguration?.scanOnPush ?? false,
      key: repository?.encryptionConfiguration?.encryptionType?.startsWith('KMS') ?? false,
      tags: Object.fromEntries(tagMap(tags)),
    },
  };
  const refusal = await troubleWithLifecycle(
    aws,
    name,
    borne.map((one) => one?.tags ?? []),
  );
  return {
    resource: {
      kind: KIND,
      id: repositoryArn(here, name),
      name,
      createdAt: (repository?.createdAt ?? new Date(0)).toISOString(),
      place: here,
      facts: asJson(facts),
    },
    ...(refusal === undefined ? {} : { refusal }),
  };
}
