import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import { at, type Json, type JsonObject, json, objectAt, set } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, condition, isLeaving, look, make, own, ownedBy, owner, ownersIn } from './controller.ts';
import { hashOf, PODS } from './templates.ts';

const DEPLOYMENTS = builtIn('apps/deployments');
const SETS = builtIn('apps/replicasets');
const HASH = 'pod-template-hash';
const REVISION = 'deployment.kubernetes.io/revision';

/**
 * Keeps one ReplicaSet per template (Kubernetes, "Deployments"). A rolling update surges by the whole number and lets the old Pods go when
 * the new ones are available, where a real one goes by `maxSurge` and `maxUnavailable`; `Recreate` stops the old ones first.
 */
export const deployments = (): Controller => ({
  name: 'deployments',
  *concerns(_, change) {
    yield* own(DEPLOYMENTS)(change);
    if (change.type === SETS) yield* ownersIn(change, 'Deployment');
  },
  reconcile(cluster, key) {
    const found = look(cluster, DEPLOYMENTS, key);
    if (!found || isLeaving(found)) return;
    const hash = hashOf(found.view.spec.template);
    const sets = ownedBy(cluster, found.view.metadata.uid, SETS).filter((set) => !isLeaving(set));
    const current = sets.find((set) => set.view.metadata.labels?.[HASH] === hash);
    const old = sets.filter((set) => set !== current);
    if (current || !found.view.spec.paused) roll(cluster, found, { hash, current, old });
    tell(cluster, found, hash);
  },
});

interface Rollout {
  readonly hash: string;
  readonly current: Stored | undefined;
  readonly old: readonly Stored[];
}

function roll(cluster: Cluster, found: Stored, { hash, current, old }: Rollout): void {
  const { replicas = 1, strategy, revisionHistoryLimit = 10 } = found.view.spec;
  const isRecreated = strategy?.type === 'Recreate';
  const running = old.filter((set) => countOf(cluster, set) > 0);
  if (isRecreated && running.length > 0) for (const set of running) scale(cluster, set, 0);
  else {
    const newest = current ?? begin(cluster, found, hash, nextRevision(old));
    scale(cluster, newest, replicas);
    const available = newest.view.status?.availableReplicas ?? 0;
    if (available >= replicas) for (const set of old) scale(cluster, set, 0);
  }
  const idle = old
    .filter((set) => countOf(cluster, set) === 0 && set.view.spec.replicas === 0)
    .sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const set of idle.slice(0, Math.max(0, idle.length - revisionHistoryLimit))) remove(cluster, SETS, set);
}

const countOf = (cluster: Cluster, set: Stored): number => ownedBy(cluster, set.view.metadata.uid, PODS).length;
const revisionOf = ({ view }: Stored): number => Number(view.metadata.annotations?.[REVISION] ?? 0);
const nextRevision = (sets: readonly Stored[]): number => Math.max(0, ...sets.map(revisionOf)) + 1;

/** A template that comes back finds its ReplicaSet by the same name. */
function begin(cluster: Cluster, found: Stored, hash: string, revision: number): Stored {
  const { name, namespace } = found.view.metadata;
  const template = set(objectAt(found.object, 'spec', 'template'), ['metadata', 'labels', HASH], hash);
  const selector = set(objectAt(found.object, 'spec', 'selector'), ['matchLabels', HASH], hash);
  const object = new Map<string, Json>([
    [
      'metadata',
      json({
        name: `${name}-${hash}`,
        namespace,
        labels: at(template, 'metadata', 'labels'),
        annotations: { [REVISION]: String(revision) },
        ownerReferences: [owner(DEPLOYMENTS, found)],
      }),
    ],
    [
      'spec',
      new Map<string, Json>([
        ['replicas', found.view.spec.replicas ?? 1],
        ['selector', selector],
        ['template', template],
      ]),
    ],
  ]) satisfies JsonObject;
  const made = make(cluster, SETS, object);
  amend(cluster, DEPLOYMENTS, cluster.get(DEPLOYMENTS, namespace, name), [
    [['metadata', 'annotations', REVISION], String(revision)],
  ]);
  return made;
}

const scale = (cluster: Cluster, set: Stored, replicas: number): Stored =>
  amend(cluster, SETS, set, [[['spec', 'replicas'], replicas]]);

function tell(cluster: Cluster, before: Stored, hash: string): void {
  const found = cluster.get(DEPLOYMENTS, before.view.metadata.namespace, before.view.metadata.name);
  const wanted = found.view.spec.replicas ?? 1;
  const sets = ownedBy(cluster, found.view.metadata.uid, SETS);
  const sum = (count: string, of: readonly Stored[] = sets): number =>
    of.reduce((total, { view }) => total + (view.status?.[count] ?? 0), 0);
  const current = sets.filter((set) => set.view.metadata.labels?.[HASH] === hash);
  const available = sum('availableReplicas');
  const updated = sum('replicas', current);
  const isAvailable = available >= wanted;
  const isDone = isAvailable && updated === wanted && sum('replicas') === wanted;
  const name = current[0]?.view.metadata.name;
  const status = {
    observedGeneration: found.view.metadata.generation,
    ...counted({
      replicas: sum('replicas'),
      updatedReplicas: updated,
      readyReplicas: sum('readyReplicas'),
      availableReplicas: available,
    }),
    ...counted({ unavailableReplicas: Math.max(0, wanted - available) }),
    conditions: [
      isAvailable
        ? condition(cluster, found, 'Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.')
        : condition(
            cluster,
            found,
            'Available',
            'False',
            'MinimumReplicasUnavailable',
            'Deployment does not have minimum availability.',
          ),
      isDone
        ? condition(
            cluster,
            found,
            'Progressing',
            'True',
            'NewReplicaSetAvailable',
            `ReplicaSet "${name}" has successfully progressed.`,
          )
        : condition(cluster, found, 'Progressing', 'True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`),
    ],
  };
  amend(cluster, DEPLOYMENTS, found, [[['status'], status]]);
}

/** Counts of none are left out, as a server writes them. */
const counted = (counts: Readonly<Record<string, number>>): object =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
