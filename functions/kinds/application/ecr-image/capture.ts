import { instant, millis } from '../../../aws/clock.ts';
import { Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Artifact, Item } from '../../../domain.ts';
import { connect, connecting } from '../../../kubernetes/client.ts';
import { asJson, failing, inParallel } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started } from '../../kind.ts';
import { goneFrom } from './discover.ts';
import { type HoldFacts, holdTag, KIND, plannedFacts } from './image.ts';
import { type Marker, markerId, markerOf, markerReading, markerWriting, putMarkerOnce, readMarker } from './marker.ts';
import { describingImages, findImages, taggingImages, tagImage } from './registry.ts';
import { type Used, union, usedHere } from './used.ts';
import { imagesIn } from './workloads.ts';

const holding = { ...connecting, ...taggingImages, ...describingImages, ...markerWriting };
type Holding = Door<typeof holding>;

/** Pods say when they were made to the second. */
const GRAIN_MILLIS = 1000;
const WIDTH = 4;

/**
 * Exact: an image is named by its digest and never changes, so it is enough to know which ones ran at T, and to hold them. What ran is what
 * the plan saw and what Pods that are older than T run now: rather one too many than one too few.
 */
export const capture: Passage<CaptureWork, Artifact> = {
  start: verb(holding, async (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> => {
    const looked = new Map<string, Promise<Used>>();
    const usedBy = (work: CaptureWork): Promise<Used> => {
      const { cluster, namespaces } = plannedFacts(work.resource);
      const scope = [cluster, ...namespaces].join('/');
      if (!looked.has(scope)) looked.set(scope, lookOnce(aws, work, scene));
      return looked.get(scope)!;
    };
    return inParallel(works, WIDTH, (work) =>
      hold(aws, work, usedBy).catch(failing(work.resource.id, 'Its images could not be held')),
    );
  }),
  /** Holding is done when it is asked; this answers for works that were noted as started all the same. */
  settle: verb(
    markerReading,
    (aws, works: readonly Started<CaptureWork>[]): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, async ({ resource, point, cut, vault }) => {
        const marker = await readMarker(aws, markerOf(vault.place, resource.name, point, cut));
        return marker ? done(resource.id, marker.artifact) : failed(resource.id, 'Its images were never held.');
      }),
  ),
};

async function lookOnce(aws: Holding, { resource, cut }: CaptureWork, scene: Scene): Promise<Used> {
  const { cluster, namespaces } = plannedFacts(resource);
  return usedHere(aws, await imagesIn(await connect(aws, cluster, scene), namespaces, cut.instant), scene.here, cut.instant);
}

async function hold(aws: Holding, work: CaptureWork, usedBy: (work: CaptureWork) => Promise<Used>): Promise<Item<Artifact>> {
  const { resource, point, cut, vault } = work;
  if (cut.instant === undefined) throw new Permanent(`${resource.id} is taken at the instant of the cut, and there is none yet.`);
  const name = markerOf(vault.place, resource.name, point, cut);
  const before = await readMarker(aws, name);
  const marker = before ?? (await putMarkerOnce(aws, name, markerFor(work, await usedBy(work), markerId(name))));
  const found = await findImages(aws.images, resource.name, Object.keys(marker.tags));
  for (const [digest, tag] of Object.entries(marker.tags)) {
    const image = found.get(digest);
    if (!image || !(await tagImage(aws, resource.name, image, tag)))
      return failed(resource.id, goneFrom(`${resource.name}@${digest}`));
  }
  return done(resource.id, marker.artifact);
}

function markerFor({ resource, point, cut, vault }: CaptureWork, used: Used, id: string): Marker {
  const { images: planned, repositories } = plannedFacts(resource);
  const stranger = [...used.held.keys()].find((repository) => !repositories.includes(repository));
  if (stranger !== undefined) {
    throw new Permanent(
      `Since the plan was made something runs from repository ${stranger}, which it does not hold; the next attempt plans anew.`,
    );
  }
  const gone = used.gone.find(({ repository }) => repository === resource.name);
  if (gone) throw new Permanent(goneFrom(gone.image));
  const images = union(planned, used.held.get(resource.name) ?? []);
  const at = millis(cut.instant!);
  const facts: HoldFacts = { images, homes: [] };
  return {
    tags: Object.fromEntries(images.map(({ digest }) => [digest, holdTag(digest, point, cut, vault.place)])),
    artifact: {
      kind: KIND,
      resource: resource.id,
      id,
      place: vault.place,
      interval: { from: instant(at - GRAIN_MILLIS), to: instant(at + GRAIN_MILLIS) },
      endurance: 'durable',
      unchanging: true,
      facts: asJson(facts),
    },
  };
}
