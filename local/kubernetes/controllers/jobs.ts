import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, condition, isLeaving, look, own, ownedBy, ownersIn } from './controller.ts';
import { isFinished, makePod, PODS } from './templates.ts';

export const JOBS = builtIn('batch/jobs');

export const isOver = ({ view }: Stored): boolean =>
  (view.status?.conditions ?? []).some(({ type, status }: any) => ['Complete', 'Failed'].includes(type) && status === 'True');

/** Runs Pods until enough of them have ended well (Kubernetes, "Jobs"). They always do: what a container does is not modelled. */
export const jobs = (): Controller => ({
  name: 'jobs',
  *concerns(_, change) {
    yield* own(JOBS)(change);
    if (change.type === PODS) yield* ownersIn(change, 'Job');
  },
  reconcile(cluster, key) {
    const found = look(cluster, JOBS, key);
    if (!found || isLeaving(found)) return;
    if (isOver(found)) return expire(cluster, found);
    const { completions = 1, parallelism = 1, suspend } = found.view.spec;
    const pods = ownedBy(cluster, found.view.metadata.uid, PODS).filter((pod) => !isLeaving(pod));
    const active = pods.filter((pod) => !isFinished(pod));
    const succeeded = pods.filter(({ view }) => view.status?.phase === 'Succeeded').length;
    if (suspend) for (const pod of active) remove(cluster, PODS, pod);
    const wanted = suspend ? 0 : Math.min(parallelism, completions - succeeded);
    for (let i = active.length; i < wanted; i++) makePod(cluster, { type: JOBS, workload: found });
    tell(cluster, found, { active: suspend ? 0 : Math.max(wanted, 0), succeeded, isDone: succeeded >= completions });
  },
});

interface Progress {
  readonly active: number;
  readonly succeeded: number;
  readonly isDone: boolean;
}

function tell(cluster: Cluster, found: Stored, { active, succeeded, isDone }: Progress): void {
  const reached = ['True', 'CompletionsReached', 'Reached expected number of succeeded pods'] as const;
  const status = {
    ...(isDone
      ? { conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => condition(cluster, found, type, ...reached)) }
      : found.view.spec.suspend
        ? { conditions: [condition(cluster, found, 'Suspended', 'True', 'JobSuspended', 'Job suspended')] }
        : {}),
    startTime: found.view.status?.startTime ?? cluster.timestamp(),
    ...(isDone ? { completionTime: cluster.timestamp() } : {}),
    ...(active > 0 && !isDone ? { active } : {}),
    ...(succeeded > 0 ? { succeeded } : {}),
    ready: 0,
  };
  amend(cluster, JOBS, found, [[['status'], status]]);
}

/** Kubernetes, "Automatic Cleanup for Finished Jobs". */
function expire(cluster: Cluster, found: Stored): number | undefined {
  const { ttlSecondsAfterFinished: kept } = found.view.spec;
  if (kept === undefined) return undefined;
  const left = (Date.parse(found.view.status.completionTime) - cluster.now()) / 1000 + kept;
  if (left > 0) return left;
  remove(cluster, JOBS, found, { propagation: 'Background' });
  return undefined;
}
