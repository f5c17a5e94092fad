import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { builtIn, type ResourceType } from '../types.ts';
import { amend, type Controller, isLeaving, look, note, own, ownedBy, ownersIn } from './controller.ts';
import { isFinished, isReady, makePod, PODS } from './templates.ts';

/** Keeps as many Pods as a ReplicaSet wants (Kubernetes, "ReplicaSet"). Pods that it did not make are not adopted. */
export const replicaSets = (): Controller => replicas(builtIn('apps/replicasets'));
export const replicationControllers = (): Controller => replicas(builtIn('replicationcontrollers'));

const replicas = (type: ResourceType): Controller => ({
  name: type.resource,
  *concerns(_, change) {
    yield* own(type)(change);
    if (change.type === PODS) yield* ownersIn(change, type.kind);
  },
  reconcile(cluster, key) {
    const found = look(cluster, type, key);
    if (!found || isLeaving(found)) return;
    const pods = ownedBy(cluster, found.view.metadata.uid, PODS).filter((pod) => !isLeaving(pod) && !isFinished(pod));
    const wanted = found.view.spec.replicas ?? 1;
    try {
      for (let i = pods.length; i < wanted; i++) makePod(cluster, { type, workload: found });
    } catch (error) {
      note(cluster, type, found, 'Warning', 'FailedCreate', `Error creating: ${(error as Error).message}`);
      throw error;
    } finally {
      if (pods.length > wanted) for (const pod of unwanted(pods, pods.length - wanted)) remove(cluster, PODS, pod);
      tell(cluster, type, found);
    }
  },
});

/** Those go first that do the least: not on a node, not ready, youngest (kube-controller-manager, `ActivePodsWithRanks`). */
function unwanted(pods: readonly Stored[], count: number): Stored[] {
  const rank = (pod: Stored): number => (pod.view.spec.nodeName ? 1 : 0) + (isReady(pod) ? 2 : 0);
  return [...pods].sort((a, b) => rank(a) - rank(b) || b.revision - a.revision).slice(0, count);
}

function tell(cluster: Cluster, type: ResourceType, found: Stored): void {
  const pods = ownedBy(cluster, found.view.metadata.uid, PODS).filter((pod) => !isLeaving(pod) && !isFinished(pod));
  const ready = pods.filter(isReady).length;
  const counts = ready > 0 ? { readyReplicas: ready, availableReplicas: ready } : {};
  const status = {
    replicas: pods.length,
    ...(pods.length > 0 ? { fullyLabeledReplicas: pods.length } : {}),
    ...counts,
    observedGeneration: found.view.metadata.generation,
  };
  amend(cluster, type, found, [[['status'], status]]);
}
