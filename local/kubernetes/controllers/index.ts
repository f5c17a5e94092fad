import type { Cluster } from '../cluster.ts';
import { Problem } from '../problem.ts';
import { claims } from './claims.ts';
import type { Controller } from './controller.ts';
import { cronJobs } from './cron-jobs.ts';
import { daemonSets } from './daemon-sets.ts';
import { definitions } from './definitions.ts';
import { deployments } from './deployments.ts';
import { garbage } from './garbage.ts';
import { jobs } from './jobs.ts';
import { namespaces } from './namespaces.ts';
import { nodes } from './nodes.ts';
import { pods } from './pods.ts';
import { claimProtection, volumeProtection } from './protection.ts';
import { replicaSets, replicationControllers } from './replica-sets.ts';
import { services } from './services.ts';
import { statefulSets } from './stateful-sets.ts';
import { tokens } from './tokens.ts';
import { volumes } from './volumes.ts';

const ALL: readonly (() => Controller)[] = [
  namespaces,
  definitions,
  nodes,
  tokens,
  deployments,
  replicaSets,
  replicationControllers,
  statefulSets,
  daemonSets,
  cronJobs,
  jobs,
  volumes,
  claims,
  volumeProtection,
  claimProtection,
  pods,
  services,
  garbage,
];

/** How soon a controller looks at what has changed, in virtual seconds. */
const REACTION = 0.1;
/** How soon it tries again what was refused: a ServiceAccount may come after the workload that names it. */
const RETRY = 10;

/** Lets every controller work on a cluster, in one order and on the virtual clock. Nothing happens in a cluster that nobody writes to. */
export function control(cluster: Cluster): void {
  const controllers = ALL.map((controller) => controller());
  const due = new Map<string, () => void>();
  const later = new Map<string, () => void>();
  let waiting = false;

  cluster.onChange((change) => {
    for (const controller of controllers) for (const key of controller.concerns(cluster, change)) enqueue(controller, key);
  });

  function enqueue(controller: Controller, key: string): void {
    const title = `${controller.name} ${key}`;
    due.set(title, () => work(controller, key, title));
    if (waiting) return;
    waiting = true;
    cluster.after(REACTION, drain);
  }

  function drain(): void {
    waiting = false;
    const works = [...due.values()];
    due.clear();
    for (const run of works) run();
  }

  function work(controller: Controller, key: string, title: string): void {
    later.get(title)?.();
    later.delete(title);
    const seconds = attempt(controller, key);
    if (seconds !== undefined)
      later.set(
        title,
        cluster.after(seconds, () => enqueue(controller, key)),
      );
  }

  function attempt(controller: Controller, key: string): number | undefined {
    try {
      return controller.reconcile(cluster, key) ?? undefined;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return isHopeless(error) ? undefined : RETRY;
    }
  }
}

/** Nothing more is made in a namespace that is on its way out. */
const isHopeless = ({ details, status }: Problem): boolean =>
  status === 404 || (details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
