import type { Cluster } from '../cluster.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, condition, isLeaving, keyIn, look, note, own } from './controller.ts';
import { finishedStatus, hindrance, qosOf, runningStatus, waitingStatus } from './kubelet.ts';
import { NODES } from './nodes.ts';
import { claimsOf } from './pod-claims.ts';
import { choose } from './scheduler.ts';
import { isFinished, PODS } from './templates.ts';

const CLAIMS = builtIn('persistentvolumeclaims');
/** From a Node to Ready, and for a Job's container to end, in virtual seconds: the seed decides. */
const STARTING = [1, 5] as const;
const WORKING = [3, 20] as const;
/** A container that is asked to stop does so, well within any grace. */
const STOPPING = 1;
/** What a Pod waits for is looked for again, less and less often (Kubernetes, "Images": at most every five minutes). */
const LONGEST_PAUSE = 300;

/** Takes Pods to a Node, starts them when what they need is there, and lets them end (Kubernetes, "Pod Lifecycle"). */
export const pods = (): Controller => {
  const times = new Map<string, number>();
  return {
    name: 'pods',
    *concerns(cluster, change) {
      yield* own(PODS)(change);
      if (change.type === PODS && !change.after) for (const key of timesOf(change.before!)) times.delete(key);
      if (change.type === CLAIMS) yield* waitingFor(cluster, (change.after ?? change.before)!);
      if (change.type === NODES && !change.before) yield* cluster.all(PODS).filter(isWaiting).map(keyIn);
    },
    reconcile(cluster, key) {
      const pod = look(cluster, PODS, key);
      if (!pod) return;
      if (isLeaving(pod)) return stop(cluster, pod);
      if (isFinished(pod)) return;
      if (!pod.view.spec.nodeName) return place(cluster, pod);
      if (pod.view.status?.phase === 'Running') return finish(cluster, pod, times);
      return start(cluster, pod, times);
    },
  };
};

const timesOf = ({ view }: Stored): string[] => ['start', 'end'].map((what) => `${what} ${view.metadata.uid}`);

const isWaiting = ({ view }: Stored): boolean => view.status?.phase === 'Pending' && !view.metadata.deletionTimestamp;

const waitingFor = (cluster: Cluster, claim: Stored): string[] => {
  const { name, namespace } = claim.view.metadata;
  return cluster
    .all(PODS, namespace)
    .filter((pod) => isWaiting(pod) && claimsOf(pod).includes(name))
    .map(keyIn);
};

/** Seconds left until a time that is drawn when first asked for. */
function left(cluster: Cluster, times: Map<string, number>, key: string, range: readonly [number, number]): number {
  const at = times.get(key) ?? cluster.now() + cluster.random.between(...range) * 1000;
  times.set(key, at);
  return (at - cluster.now()) / 1000;
}

function pauseOf(cluster: Cluster, { view }: Stored): number {
  const age = (cluster.now() - Date.parse(view.metadata.creationTimestamp)) / 1000;
  return Math.min(Math.max(2, age / 2), LONGEST_PAUSE);
}

function place(cluster: Cluster, pod: Stored): number | undefined {
  const choice = choose(cluster, pod);
  if ('node' in choice) {
    const scheduled = condition(cluster, pod, 'PodScheduled', 'True', '', '');
    amend(cluster, PODS, pod, [
      [['spec', 'nodeName'], choice.node],
      [['status', 'conditions'], [scheduled]],
    ]);
    return undefined;
  }
  if (!choice.isUnderWay) note(cluster, PODS, pod, 'Warning', 'FailedScheduling', choice.why);
  const conditions = [condition(cluster, pod, 'PodScheduled', 'False', 'Unschedulable', choice.why)];
  amend(cluster, PODS, pod, [[['status'], { phase: 'Pending', conditions, qosClass: qosOf(pod.view.spec) }]]);
  return pauseOf(cluster, pod);
}

function start(cluster: Cluster, pod: Stored, times: Map<string, number>): number | undefined {
  const wait = left(cluster, times, timesOf(pod)[0]!, STARTING);
  if (wait > 0) return wait;
  const found = hindrance(cluster, pod);
  if (found) {
    note(cluster, PODS, pod, 'Warning', found.event, found.message);
    amend(cluster, PODS, pod, [[['status'], waitingStatus(cluster, pod, found)]]);
    return pauseOf(cluster, pod);
  }
  amend(cluster, PODS, pod, [[['status'], runningStatus(cluster, pod)]]);
  return undefined;
}

/** Only a Job's Pods come to an end by themselves. */
function finish(cluster: Cluster, pod: Stored, times: Map<string, number>): number | undefined {
  const isJob = (pod.view.metadata.ownerReferences ?? []).some(({ kind }: { kind: string }) => kind === 'Job');
  if (!isJob) return undefined;
  const wait = left(cluster, times, timesOf(pod)[1]!, WORKING);
  if (wait > 0) return wait;
  amend(cluster, PODS, pod, [[['status'], finishedStatus(cluster, pod)]]);
  return undefined;
}

function stop(cluster: Cluster, pod: Stored): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds: grace = 0 } = pod.view.metadata;
  const asked = Date.parse(deletionTimestamp) / 1000 - grace;
  const wait = asked + Math.min(grace, STOPPING) - cluster.now() / 1000;
  if (wait > 0 && grace > 0) return wait;
  amend(cluster, PODS, pod, [[['metadata', 'deletionGracePeriodSeconds'], 0]]);
  return undefined;
}
