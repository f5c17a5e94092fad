import { CronExpressionParser } from 'cron-parser';
import { rfc3339 } from '../../world/clock.ts';
import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import { type Json, type JsonObject, json, objectAt } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, isLeaving, look, make, note, own, ownedBy, owner, ownersIn } from './controller.ts';
import { isOver, JOBS } from './jobs.ts';

const CRON_JOBS = builtIn('batch/cronjobs');

/** Makes a Job whenever its schedule says (Kubernetes, "CronJob"). Of several missed times only the last counts. */
export const cronJobs = (): Controller => ({
  name: 'cronjobs',
  *concerns(_, change) {
    yield* own(CRON_JOBS)(change);
    if (change.type === JOBS) yield* ownersIn(change, 'CronJob');
  },
  reconcile(cluster, key) {
    const found = look(cluster, CRON_JOBS, key);
    if (!found || isLeaving(found)) return;
    const made = ownedBy(cluster, found.view.metadata.uid, JOBS);
    clear(cluster, found, made);
    if (found.view.spec.suspend) return;
    const times = timesOf(cluster, found);
    if (!times) return;
    if (times.due !== undefined)
      run(
        cluster,
        found,
        made.filter((job) => !isOver(job)),
        times.due,
      );
    return (times.next - cluster.now()) / 1000;
  },
});

interface Times {
  /** The last time that has come and was not served. */
  readonly due: number | undefined;
  readonly next: number;
}

function timesOf(cluster: Cluster, found: Stored): Times | undefined {
  const { schedule, timeZone, startingDeadlineSeconds } = found.view.spec;
  const now = cluster.now();
  const since = Date.parse(found.view.status?.lastScheduleTime ?? found.view.metadata.creationTimestamp);
  try {
    const cron = CronExpressionParser.parse(schedule, { currentDate: new Date(now + 1), tz: timeZone ?? 'UTC' });
    const next = cron.next().getTime();
    const last = CronExpressionParser.parse(schedule, { currentDate: new Date(now + 1), tz: timeZone ?? 'UTC' })
      .prev()
      .getTime();
    const isLate = startingDeadlineSeconds !== undefined && now - last > startingDeadlineSeconds * 1000;
    return { due: last > since && !isLate ? last : undefined, next };
  } catch (error) {
    note(
      cluster,
      CRON_JOBS,
      found,
      'Warning',
      'UnparseableSchedule',
      `unparseable schedule: ${schedule}: ${(error as Error).message}`,
    );
    return undefined;
  }
}

function run(cluster: Cluster, found: Stored, running: readonly Stored[], due: number): void {
  const { concurrencyPolicy } = found.view.spec;
  if (running.length > 0 && concurrencyPolicy === 'Forbid') return;
  if (concurrencyPolicy === 'Replace') for (const job of running) remove(cluster, JOBS, job, { propagation: 'Background' });
  const job = start(cluster, found, due);
  const { name, uid } = job.view.metadata;
  amend(cluster, CRON_JOBS, found, [
    [['status', 'lastScheduleTime'], rfc3339(new Date(due))],
    [['status', 'active'], [{ kind: 'Job', namespace: job.view.metadata.namespace, name, uid, apiVersion: 'batch/v1' }]],
  ]);
}

/** A Job's name is the minute that it is for, so a time that comes twice makes one Job. */
function start(cluster: Cluster, found: Stored, due: number): Stored {
  const { name, namespace } = found.view.metadata;
  const template = objectAt(found.object, 'spec', 'jobTemplate');
  const job = `${name}-${Math.floor(due / 60_000)}`;
  const known = cluster.find(JOBS, namespace, job);
  if (known) return known;
  const metadata = new Map<string, Json>([
    ...objectAt(template, 'metadata'),
    ['name', job],
    ['namespace', namespace],
    ['ownerReferences', json([owner(CRON_JOBS, found)])],
  ]);
  return make(
    cluster,
    JOBS,
    new Map<string, Json>([
      ['metadata', metadata],
      ['spec', objectAt(template, 'spec')],
    ]) satisfies JsonObject,
  );
}

function clear(cluster: Cluster, found: Stored, made: readonly Stored[]): void {
  const { successfulJobsHistoryLimit = 3 } = found.view.spec;
  const over = made.filter((job) => isOver(job) && !isLeaving(job)).sort((a, b) => a.revision - b.revision);
  for (const job of over.slice(0, Math.max(0, over.length - successfulJobsHistoryLimit)))
    remove(cluster, JOBS, job, { propagation: 'Background' });
}
