import { instant, millis } from '../../../aws/clock.ts';
import { Permanent, when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Cut, type Instant, type Item, pointId } from '../../../domain.ts';
import { bundleWriting, writeBundle } from '../../../vault/bundles.ts';
import { asJson, failing, inParallel } from '../../items.ts';
import { type CaptureWork, done, failed, type Passage, type Started } from '../../kind.ts';
import { history, objectListing } from '../../objects.ts';
import { factsOf, KIND } from './bucket.ts';
import type { ListFacts } from './lists.ts';
import { markerId, markerOf, markerReading, markerWriting, putMarkerOnce, readMarker } from './marker.ts';
import { encodeList, type Reading, readHistory } from './versions.ts';

const listing = { ...objectListing, ...bundleWriting, ...markerWriting };

const GRAIN_MILLIS = 1000;
const DAY_MILLIS = 86_400_000;
const WIDTH = 4;
/** How many doubtful or witnessed changes are named one by one. */
const NAMED = 20;

/**
 * Exact: a versioned bucket tells afterwards what it held, to the second. The capture is a list of versions; the versions themselves stay in the
 * bucket for as long as its lifecycle leaves them there, so at home it is a promise of that log.
 */
export const capture: Passage<CaptureWork, Artifact> = {
  start: verb(
    listing,
    (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) =>
        list(aws, work, scene).catch(failing(work.resource.id, 'Its versions could not be listed')),
      ),
  ),
  /** A list is done when it is written; this answers for works that were noted as started all the same. */
  settle: verb(
    markerReading,
    (aws, works: readonly Started<CaptureWork>[]): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, async ({ resource, point, cut, vault }) => {
        const marker = await readMarker(aws, markerOf(vault.place, resource, point, cut));
        return marker ? done(resource.id, marker.artifact) : failed(resource.id, 'Its list of versions was never written.');
      }),
  ),
};

async function list(aws: Door<typeof listing>, work: CaptureWork, scene: Scene): Promise<Item<Artifact>> {
  const { resource, point, cut, vault, keepUntil } = work;
  const at = cut.instant;
  if (at === undefined) throw new Permanent(`${resource.id} is taken at the instant of the cut, and there is none yet.`);
  const name = markerOf(vault.place, resource, point, cut);
  const before = await readMarker(aws, name);
  if (before) return done(resource.id, before.artifact);
  const reading = await readHistory(history(aws, resource.name), at, factsOf(resource), stillness(cut)).catch(
    when('NoSuchBucket', () => undefined),
  );
  if (!reading)
    return failed(
      resource.id,
      'The bucket does not exist any more: it was deleted after the plan was made. The next attempt plans anew.',
    );
  const restorePoint = `${point.application}/${pointId(point)}/${cut.id}`;
  const { versions } = reading;
  const digest = await writeBundle(aws, encodeList({ bucket: resource.name, at, restorePoint, versions }), {
    vault,
    ...(keepUntil ? { keepUntil } : {}),
  });
  const artifact = artifactOf(work, at, reading, digest, markerId(name), scene);
  const { artifact: kept } = await putMarkerOnce(aws, name, { artifact, restorePoint: pointId(point), cut: cut.id });
  return done(resource.id, kept);
}

/** While nothing was to change: from when the freeze was known to be held until we asked for its release. */
const stillness = ({ freeze }: Cut) => (freeze?.released ? { from: freeze.asked.to, to: freeze.released.from } : undefined);

function artifactOf(
  { resource, vault }: CaptureWork,
  at: Instant,
  { versions, doubtful, witnessed }: Reading,
  digest: string,
  id: string,
  { clock }: Scene,
): Artifact {
  const facts: ListFacts = { list: digest, copies: null, objects: versions.length, doubtful: doubtful.slice(0, NAMED) };
  const { noncurrentDays } = factsOf(resource);
  const until = millis(at) + GRAIN_MILLIS;
  return {
    kind: KIND,
    resource: resource.id,
    id,
    place: vault.place,
    // A doubtful version may have appeared at any time until we looked, so the interval reaches that far.
    interval: {
      from: instant(millis(at) - GRAIN_MILLIS),
      to: instant(doubtful.length > 0 ? Math.max(until, clock.now()) : until),
    },
    endurance: 'log-backed',
    ...(noncurrentDays === null ? {} : { restorableUntil: instant(millis(at) + noncurrentDays * DAY_MILLIS) }),
    ...(witnessed.length > 0 ? { witnessed: witnessed.slice(0, NAMED) } : {}),
    bytes: versions.reduce((sum, { size }) => sum + size, 0),
    facts: asJson(facts),
  };
}
