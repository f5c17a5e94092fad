import { instant, millis } from '../../../aws/clock.ts';
import { classify, Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import type { Instant, Item, Rename, Restored } from '../../../domain.ts';
import { type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { type Captured, pathOf, read, VOLUMES } from '../../../kubernetes/object.ts';
import { type NewVolume, RECLAIM_ANNOTATION } from '../../../kubernetes/volumes.ts';
import { bundleReading, readBundle } from '../../../vault/bundles.ts';
import { envelopeReading, readEnvelope } from '../../../vault/envelope.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started, started } from '../../kind.ts';
import { BUDGET_MILLIS } from '../../objects.ts';
import { applyWaves, type Position } from './apply.ts';
import { unpackObjects } from './bundle.ts';
import { findDisks, lookingAtDisks } from './disks.ts';
import { findImages, lookingAtImages } from './images.ts';
import { factsOf, KIND, namespaceId, namespaceOf, plannedFactsOf } from './namespace.ts';
import { type Preparation, prepare } from './prepare.ts';
import { type Expected, standing } from './workloads.ts';

const restoring = { ...connecting, ...bundleReading, ...envelopeReading, ...lookingAtDisks, ...lookingAtImages };
type Restoring = Door<typeof restoring>;

/** Objects are still being made: which wave, and how far in it. */
interface Applying {
  readonly phase: 'applying';
  readonly since: Instant;
  readonly position: Position;
  readonly notes: readonly string[];
}

/** All are made; they come up. Nothing but this is needed to wait for them. */
interface ComingUp {
  readonly phase: 'coming up';
  readonly since: Instant;
  readonly expected: readonly Expected[];
  readonly reclaims: Preparation['reclaims'];
  readonly notes: readonly string[];
}

/**
 * Makes the namespace again in the target's cluster, under its new name, rewired to what was provisioned. `start` makes objects until its
 * time is spent, `settle` goes on from there and then waits until what ran at the cut runs again.
 */
export const restore: Passage<RestoreWork, Restored> = {
  start: verb(restoring, (aws, works: readonly RestoreWork[], scene): Promise<Item<Restored>[]> => {
    const begun: Applying = { phase: 'applying', since: instant(scene.clock.now()), position: { wave: 0, next: 0 }, notes: [] };
    return each(
      aws,
      works.map((work) => ({ ...work, handle: asJson(begun) })),
      scene,
    );
  }),
  settle: verb(
    restoring,
    (aws, works: readonly Started<RestoreWork>[], scene): Promise<Item<Restored>[]> => each(aws, works, scene),
  ),
};

/** One after the other: what is in memory is one namespace, and each uses the whole width of requests. */
async function each(aws: Restoring, works: readonly Started<RestoreWork>[], scene: Scene): Promise<Item<Restored>[]> {
  const until = scene.clock.now() + BUDGET_MILLIS;
  const items: Item<Restored>[] = [];
  for (const work of works) {
    const handle = handleOf<Applying | ComingUp>(work);
    const goOn = async () => {
      const cluster = await connect(aws, clusterOf(work), scene);
      return handle.phase === 'applying' ? apply(aws, cluster, work, handle, until, scene) : settle(cluster, work, handle, scene);
    };
    items.push(await goOn().catch(failing(work.resource.id, 'It could not be restored')));
  }
  return items;
}

export function clusterOf({ target, resource }: Pick<RestoreWork, 'target' | 'resource'>): string {
  if (target.cluster === undefined) {
    throw new Permanent(
      `The target names no cluster to restore namespace ${resource.name} into; add target.cluster to stillpoint.yaml.`,
    );
  }
  return target.cluster;
}

async function apply(
  aws: Restoring,
  cluster: Cluster,
  work: RestoreWork,
  handle: Applying,
  until: number,
  scene: Scene,
): Promise<Item<Restored>> {
  const { resource } = work;
  const [objects, disks, images] = await Promise.all([
    readObjects(aws, work),
    newDisks(aws, work.renames),
    findImages(aws, factsOf(work.artifact).images, resource.place, work.target.place),
  ]);
  assertBeside(cluster, work);
  const preparation = prepare(objects, { ...preparingOf(work), disks, pins: images.pins, foreseen: false });
  if (preparation.problems.length > 0) return failed(resource.id, sentences(preparation.problems));
  const applied = await applyWaves(cluster, preparation.waves, handle.position, {
    restore: work.restore,
    until,
    clock: scene.clock,
  });
  if (applied.problems.length > 0) return failed(resource.id, sentences(applied.problems));
  const notes = [...new Set([...handle.notes, ...applied.notes])];
  if (applied.why !== undefined) {
    return started(resource.id, asJson({ ...handle, position: applied.position, notes } satisfies Applying), applied.why);
  }
  const comingUp: ComingUp = {
    phase: 'coming up',
    since: handle.since,
    expected: preparation.expected,
    reclaims: preparation.reclaims,
    notes: [...notes, ...preparation.notes, ...images.notes, ...preparation.binds.map((bind) => `bound: ${bind}`)],
  };
  return settle(cluster, work, comingUp, scene);
}

/** What of a work decides how its objects are written. */
export const preparingOf = ({ resource, namespaces, restore, target, renames }: RestoreWork) => ({
  namespace: resource.name,
  namespaces,
  restore,
  home: resource.place,
  target: target.place,
  renames,
  members: new Set(plannedFactsOf(resource).members),
});

/** Into its own namespace of its own cluster nothing is restored: a restore makes new things beside the original. */
function assertBeside(cluster: Cluster, { resource, namespaces }: RestoreWork): void {
  if (cluster.arn !== namespaceOf(resource.id).clusterArn || (namespaces[resource.name] ?? resource.name) !== resource.name)
    return;
  throw new Permanent(
    `Namespace ${resource.name} would be restored over itself in cluster ${cluster.name}; map it to another name, or restore into another cluster.`,
  );
}

async function readObjects(aws: Restoring, { artifact, vault, point }: RestoreWork): Promise<Captured[]> {
  const { manifests, secrets } = factsOf(artifact);
  const [open, sealed] = await Promise.all([
    readBundle(aws, vault.place, manifests),
    readEnvelope(aws, vault.place, secrets, point.application),
  ]);
  return [...unpackObjects(open), ...unpackObjects(sealed)];
}

/** The restored disks by the ids of the old ones: where each is and how large, as EC2 says it. */
async function newDisks(aws: Restoring, renames: readonly Rename[]): Promise<Map<string, NewVolume>> {
  const disks = renames.filter(({ was, is }) => /^vol-/.test(was) && /^vol-/.test(is));
  const found = await findDisks(
    aws,
    disks.map(({ is }) => is),
  );
  return new Map(
    disks.flatMap(({ was, is }) => {
      const { AvailabilityZone: zone, Size: gibibytes } = found.get(is) ?? {};
      return zone && gibibytes ? [[was, { id: is, zone, gibibytes }] as const] : [];
    }),
  );
}

/** How many sentences of one sort a failure says. */
const MOST = 5;
const sentences = (all: readonly string[]): string =>
  [...all.slice(0, MOST), ...(all.length > MOST ? [`And ${all.length - MOST} more.`] : [])]
    .map((one) => one.replace(/[^.]$/, '$&.'))
    .join(' ');

async function settle(cluster: Cluster, work: RestoreWork, handle: ComingUp, { clock }: Scene): Promise<Item<Restored>> {
  const { behind, lost } = await standing(cluster, handle.expected);
  if (lost.length > 0) {
    return failed(
      work.resource.id,
      `${lost.join(', ')} lost its volume; look at what deleted it, and restore again under another name.`,
    );
  }
  if (behind.length > 0) {
    const minutes = Math.round((clock.now() - millis(handle.since)) / 60_000);
    return started(work.resource.id, asJson(handle), `After ${minutes} min not up: ${behind.join('; ')}.`);
  }
  await inParallel(handle.reclaims, 16, (one) => giveBack(cluster, one));
  return done(work.resource.id, restoredAs(cluster, work, handle.notes));
}

/** The claim holds its volume now, so the volume may be removed with it again, as it could be at home. */
async function giveBack(cluster: Cluster, { name, policy }: ComingUp['reclaims'][number]): Promise<void> {
  const path = pathOf(VOLUMES, undefined, name);
  const reply = await cluster.find(path);
  if (!reply || read(reply.text)['spec']?.persistentVolumeReclaimPolicy === policy) return;
  const body = JSON.stringify({
    metadata: { annotations: { [RECLAIM_ANNOTATION]: null } },
    spec: { persistentVolumeReclaimPolicy: policy },
  });
  const ask = { method: 'PATCH', path, body, contentType: 'application/merge-patch+json' } as const;
  const answer = await cluster.ask(ask);
  if (answer.status >= 400) throw classify(cluster.refusal(ask, answer));
}

/** The namespace's new name, as its id and for people. */
export function restoredAs(
  cluster: Pick<Cluster, 'arn'>,
  { resource, namespaces, target }: RestoreWork,
  notes: readonly string[],
): Restored {
  const id = namespaceId(cluster.arn, namespaces[resource.name] ?? resource.name);
  return {
    kind: KIND,
    resource: resource.id,
    id,
    place: target.place,
    renames: [{ was: resource.id, is: id, what: 'namespace' }],
    notes,
  };
}
