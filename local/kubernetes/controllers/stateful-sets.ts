import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import { at, type Json, type JsonObject, json, listAt, objectAt, objectOf, set, textAt, without } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, isLeaving, look, make, note, own, ownedBy, owner, ownersIn } from './controller.ts';
import { hashOf, isFinished, isReady, makePod, PODS } from './templates.ts';

const SETS = builtIn('apps/statefulsets');
const CLAIMS = builtIn('persistentvolumeclaims');
const REVISIONS = builtIn('apps/controllerrevisions');
const REVISION = 'controller-revision-hash';

/**
 * Keeps numbered Pods, each with claims of its own (Kubernetes, "StatefulSets"). A claim that is there is used as it is; one that is not is
 * made from the template, empty. Claims stay when Pods or the set go, whatever `persistentVolumeClaimRetentionPolicy` says.
 */
export const statefulSets = (): Controller => ({
  name: 'statefulsets',
  *concerns(_, change) {
    yield* own(SETS)(change);
    if (change.type === PODS) yield* ownersIn(change, 'StatefulSet');
  },
  reconcile(cluster, key) {
    const found = look(cluster, SETS, key);
    if (!found || isLeaving(found)) return;
    const revision = `${found.view.metadata.name}-${hashOf(found.view.spec.template)}`;
    record(cluster, found, revision);
    try {
      step(cluster, found, revision);
    } catch (error) {
      note(cluster, SETS, found, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
      throw error;
    } finally {
      tell(cluster, found, revision);
    }
  },
});

/** One Pod after the other unless they may come all at once; then, if all are well, one that is out of date goes. */
function step(cluster: Cluster, found: Stored, revision: string): void {
  const { replicas = 1, podManagementPolicy, updateStrategy, ordinals } = found.view.spec;
  const first = ordinals?.start ?? 0;
  const pods = new Map(ownedBy(cluster, found.view.metadata.uid, PODS).map((pod) => [ordinalOf(pod), pod]));
  const isOrdered = podManagementPolicy !== 'Parallel';
  for (let ordinal = first; ordinal < first + replicas; ordinal++) {
    const pod = pods.get(ordinal);
    if (!pod) makeMember(cluster, found, ordinal, revision);
    else if (isFinished(pod)) remove(cluster, PODS, pod);
    if (isOrdered && !(pod && isReady(pod) && !isLeaving(pod))) return;
  }
  const surplus = [...pods].filter(([ordinal]) => ordinal < first || ordinal >= first + replicas).sort(([a], [b]) => b - a);
  for (const [, pod] of isOrdered ? surplus.slice(0, 1) : surplus) if (!isLeaving(pod)) remove(cluster, PODS, pod);
  if (surplus.length > 0 || updateStrategy?.type === 'OnDelete') return;
  const stale = [...pods.values()].filter((pod) => pod.view.metadata.labels?.[REVISION] !== revision);
  const isWell = pods.size === replicas && [...pods.values()].every((pod) => isReady(pod) && !isLeaving(pod));
  const last = stale
    .filter((pod) => ordinalOf(pod) >= (updateStrategy?.rollingUpdate?.partition ?? 0))
    .sort((a, b) => ordinalOf(b) - ordinalOf(a))[0];
  if (last && isWell) remove(cluster, PODS, last);
}

const ordinalOf = ({ view }: Stored): number => Number(/-(\d+)$/.exec(view.metadata.name)?.[1] ?? -1);

function makeMember(cluster: Cluster, found: Stored, ordinal: number, revision: string): void {
  const { name, namespace } = found.view.metadata;
  const member = `${name}-${ordinal}`;
  const templates = listAt(found.object, 'spec', 'volumeClaimTemplates');
  for (const template of templates) claimFor(cluster, found, template, member);
  const labels = {
    'apps.kubernetes.io/pod-index': String(ordinal),
    [REVISION]: revision,
    'statefulset.kubernetes.io/pod-name': member,
  };
  const spec = (of: JsonObject): JsonObject => {
    const claimed = templates.map((template) => {
      const volume = textAt(template, 'metadata', 'name') ?? '';
      return objectOf({ name: volume, persistentVolumeClaim: { claimName: `${volume}-${member}` } });
    });
    const others = listAt(of, 'volumes').filter((volume) => !claimed.some((own) => at(own, 'name') === at(volume, 'name')));
    const hosted = set(set(of, ['hostname'], member), ['subdomain'], found.view.spec.serviceName ?? '');
    return claimed.length > 0 ? set(hosted, ['volumes'], [...others, ...claimed]) : hosted;
  };
  if (!cluster.find(PODS, namespace, member)) makePod(cluster, { type: SETS, workload: found, name: member, labels, spec });
}

function claimFor(cluster: Cluster, found: Stored, template: Json, member: string): void {
  const { namespace } = found.view.metadata;
  const name = `${textAt(template, 'metadata', 'name')}-${member}`;
  if (cluster.find(CLAIMS, namespace, name)) return;
  const metadata = new Map<string, Json>([
    ...objectAt(template, 'metadata'),
    ['name', name],
    ['namespace', namespace],
    [
      'labels',
      new Map([...objectAt(template, 'metadata', 'labels'), ...objectAt(found.object, 'spec', 'selector', 'matchLabels')]),
    ],
  ]);
  make(
    cluster,
    CLAIMS,
    new Map<string, Json>([
      ['metadata', metadata],
      ['spec', objectAt(template, 'spec')],
    ]),
  );
}

/** The history of templates, by which a rollback finds an older one (Kubernetes API, "ControllerRevision"). */
function record(cluster: Cluster, found: Stored, name: string): void {
  const { uid, namespace } = found.view.metadata;
  if (cluster.find(REVISIONS, namespace, name)) return;
  const known = ownedBy(cluster, uid, REVISIONS);
  const template = set(
    without(objectAt(found.object, 'spec', 'template'), ['metadata', 'creationTimestamp']),
    ['$patch'],
    'replace',
  );
  const labels = {
    ...(found.view.spec.selector?.matchLabels ?? {}),
    'controller.kubernetes.io/hash': name.slice(name.lastIndexOf('-') + 1),
  };
  make(cluster, REVISIONS, {
    metadata: { name, namespace, labels, ownerReferences: [owner(SETS, found)] },
    data: json({ spec: { template } }),
    revision: Math.max(0, ...known.map(({ view }) => view.revision)) + 1,
  });
  const limit = found.view.spec.revisionHistoryLimit ?? 10;
  const surplus = known.sort((a, b) => a.view.revision - b.view.revision).slice(0, Math.max(0, known.length - limit));
  for (const old of surplus) remove(cluster, REVISIONS, old);
}

function tell(cluster: Cluster, found: Stored, revision: string): void {
  const pods = ownedBy(cluster, found.view.metadata.uid, PODS).filter((pod) => !isLeaving(pod));
  const ready = pods.filter(isReady);
  const updated = pods.filter((pod) => pod.view.metadata.labels?.[REVISION] === revision);
  const isDone = updated.length === (found.view.spec.replicas ?? 1) && ready.length === updated.length;
  const current = isDone ? revision : (found.view.status?.currentRevision ?? revision);
  const status = {
    observedGeneration: found.view.metadata.generation,
    replicas: pods.length,
    ...(ready.length > 0 ? { readyReplicas: ready.length } : {}),
    currentReplicas: pods.filter((pod) => pod.view.metadata.labels?.[REVISION] === current).length,
    updatedReplicas: updated.length,
    currentRevision: current,
    updateRevision: revision,
    collisionCount: 0,
    availableReplicas: ready.length,
  };
  amend(cluster, SETS, found, [[['status'], status]]);
}
