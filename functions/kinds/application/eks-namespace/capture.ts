import { instant, millis } from '../../../aws/clock.ts';
import { Permanent } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Artifact, type Interval, type Item, pointId } from '../../../domain.ts';
import { type Cluster, connect, connecting } from '../../../kubernetes/client.ts';
import { discover, type Offered } from '../../../kubernetes/discovery.ts';
import { newestRevision } from '../../../kubernetes/list.ts';
import { type Captured, CLAIMS, type KubernetesObject, NAMESPACES, read, typeKey, VOLUMES } from '../../../kubernetes/object.ts';
import { sourceOf } from '../../../kubernetes/volumes.ts';
import { bundleWriting, type Keeping, writeBundle } from '../../../vault/bundles.ts';
import { envelopeWriting, writeEnvelope } from '../../../vault/envelope.ts';
import { allAnswered, asJson, failing, handleOf } from '../../items.ts';
import { type CaptureWork, done, type Passage, type Started, started } from '../../kind.ts';
import { runImages } from '../images.ts';
import { type BundleHeader, countsOf, packObjects } from './bundle.ts';
import { type Gathered, gather } from './gather.ts';
import { releasesOf } from './helm.ts';
import { markerId, markerOf, markerWriting, putMarkerOnce, readMarker } from './marker.ts';
import { asFacts, type BoundClaim, KIND, type NamespaceFacts, namespaceOf } from './namespace.ts';

/** What `start` has fixed: the revision, and between which moments it was the newest. */
interface Handle {
  readonly revision: string;
  readonly artifact: Artifact;
}

const settling = { ...connecting, ...bundleWriting, ...envelopeWriting, ...markerWriting };
type Settling = Door<typeof settling>;

export const capture: Passage<CaptureWork, Artifact> = {
  /** One call to each cluster fixes its revision for all its namespaces; what the objects were at it can be read a little later. */
  start: verb(connecting, async (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> => {
    const byCluster = [...Map.groupBy(works, ({ resource }) => namespaceOf(resource.id).cluster)];
    const answers = byCluster.map(async ([name, members]): Promise<Item<Artifact>[]> => {
      try {
        const { revision, interval } = await fix(await connect(aws, name, scene), scene);
        return members.map((work) => started(work.resource.id, asJson({ revision, artifact: unfinished(work, interval) })));
      } catch (error) {
        return members.map(({ resource }) => failing(resource.id, `Cluster ${name} could not be captured`)(error));
      }
    });
    return (await allAnswered(answers)).flat();
  }),

  settle: verb(settling, async (aws, works: readonly Started<CaptureWork>[], scene): Promise<Item<Artifact>[]> => {
    const clusters = new Map<string, Promise<[Cluster, Offered]>>();
    const reach = (name: string) => {
      if (!clusters.has(name))
        clusters.set(
          name,
          connect(aws, name, scene).then(async (cluster) => [cluster, await discover(cluster)]),
        );
      return clusters.get(name)!;
    };
    const items: Item<Artifact>[] = [];
    // One after the other: what is in memory is one namespace, not all of them.
    for (const work of works) {
      items.push(
        await finished(aws, work, reach, scene)
          .then((artifact) => done(work.resource.id, artifact))
          .catch(failing(work.resource.id, 'It could not be captured')),
      );
    }
    return items;
  }),
};

async function fix(cluster: Cluster, { clock }: Scene): Promise<{ revision: string; interval: Interval }> {
  const from = instant(clock.now());
  const revision = await newestRevision(cluster, NAMESPACES);
  return { revision, interval: { from, to: instant(clock.now()) } };
}

/** The artifact as it will be called, before anything of it is there. */
const unfinished = ({ resource, point, cut, vault }: CaptureWork, interval: Interval): Artifact => ({
  kind: KIND,
  resource: resource.id,
  id: markerId(markerOf(vault.place, resource, point, cut)),
  place: vault.place,
  interval,
  endurance: 'durable',
  facts: {},
});

async function finished(
  aws: Settling,
  work: Started<CaptureWork>,
  reach: (name: string) => Promise<[Cluster, Offered]>,
  { clock }: Scene,
): Promise<Artifact> {
  const { resource, point, cut, vault } = work;
  const name = markerOf(vault.place, resource, point, cut);
  const there = await readMarker(aws, name);
  if (there) return there.artifact;
  const { revision, artifact } = handleOf<Handle>(work);
  const { namespace, cluster: clusterName } = namespaceOf(resource.id);
  const [cluster, offered] = await reach(clusterName);
  const gathered = await gather(cluster, offered, namespace, revision);
  assertSame(gathered.objects, work, namespace);
  const interval = gathered.late ? { ...artifact.interval, to: instant(clock.now()) } : artifact.interval;
  const whole = { ...artifact, interval, ...(await written(aws, work, gathered, revision)) };
  return (await putMarkerOnce(aws, name, { artifact: whole })).artifact;
}

/** A namespace that was deleted and made again since the plan is a namesake. */
function assertSame([itself]: readonly Captured[], { resource }: CaptureWork, namespace: string): void {
  const createdAt = read(itself!.raw).metadata?.creationTimestamp ?? '';
  if (Date.parse(createdAt) !== millis(resource.createdAt)) {
    throw new Permanent(
      `Namespace ${namespace} was made at ${createdAt}; the one that was planned, made at ${resource.createdAt}, is gone.`,
    );
  }
}

async function written(
  aws: Settling,
  { resource, point, cut, vault, keepUntil }: CaptureWork,
  { objects, fallbacks }: Gathered,
  revision: string,
): Promise<Pick<Artifact, 'facts' | 'bytes'>> {
  const { clusterArn, namespace } = namespaceOf(resource.id);
  const keeping: Keeping = { vault, ...(keepUntil ? { keepUntil } : {}) };
  const header: Omit<BundleHeader, 'part'> = {
    cluster: clusterArn,
    namespace,
    revision,
    restorePoint: pointId(point),
    cut: cut.id,
  };
  const isSecret = ({ type }: Captured) => typeKey(type) === 'secrets';
  const sealed = packObjects({ ...header, part: 'secrets' }, objects.filter(isSecret));
  const open = packObjects(
    { ...header, part: 'manifests' },
    objects.filter((object) => !isSecret(object)),
  );
  const [manifests, secrets] = await allAnswered([
    writeBundle(aws, open, keeping),
    writeEnvelope(aws, sealed, point.application, keeping),
  ]);
  const facts: NamespaceFacts = {
    revision,
    manifests: manifests!,
    secrets: secrets!,
    counts: countsOf(objects),
    images: runImages(objects),
    helm: releasesOf(objects),
    volumes: boundClaims(objects),
    fallbacks,
  };
  return { facts: asFacts(facts), bytes: sealed.length + open.length };
}

/** The claims of a namespace that are bound, each with its volume. */
export function boundClaims(objects: readonly Captured[]): BoundClaim[] {
  const ofType = (key: string) => objects.filter(({ type }) => typeKey(type) === key);
  const volumes = new Map(ofType(typeKey(VOLUMES)).map(({ name, raw }) => [name, read(raw)]));
  return ofType(typeKey(CLAIMS)).flatMap(({ name, raw }): BoundClaim[] => {
    const volume = read(raw)['spec']?.volumeName as string | undefined;
    const pv = volume === undefined ? undefined : volumes.get(volume);
    return pv ? [{ claim: name, volume: volume!, ...(sourceOf(pv) ?? unknownSource(pv)) }] : [];
  });
}

/** A volume of no driver: hostPath, local, NFS, … */
const unknownSource = ({ spec }: KubernetesObject): Pick<BoundClaim, 'driver' | 'handle'> => {
  const source = Object.keys(spec ?? {}).find((field) => UNMANAGED.has(field)) ?? 'unknown';
  return { driver: source, handle: '' };
};
const UNMANAGED = new Set([
  'hostPath',
  'local',
  'nfs',
  'iscsi',
  'fc',
  'cephfs',
  'rbd',
  'glusterfs',
  'flexVolume',
  'azureDisk',
  'gcePersistentDisk',
]);
