import type { Random } from '../../world/random.ts';
import type { Retrier } from './definition.ts';

/** States.ALL and States.TaskFailed do not reach these (Step Functions guide, "Handling errors"). */
const UNCATCHABLE = ['States.DataLimitExceeded', 'States.Runtime'];

/** Whether a Retry or Catch that names these errors is for this one. */
export function matches(names: readonly string[], error: string | undefined, type: string): boolean {
  return names.some(
    (name) =>
      name === error ||
      (name === 'States.ALL' && !UNCATCHABLE.includes(error ?? '')) ||
      (name === 'States.TaskFailed' && type === 'Task' && error !== 'States.Timeout' && !UNCATCHABLE.includes(error ?? '')),
  );
}

/** How long to wait before trying again, in seconds; undefined when this retrier has had its attempts. `tried` counts those it has had. */
export function delay(retrier: Retrier, tried: number, random: Random): number | undefined {
  const {
    IntervalSeconds = 1,
    MaxAttempts = 3,
    BackoffRate = 2,
    MaxDelaySeconds = Number.POSITIVE_INFINITY,
    JitterStrategy,
  } = retrier;
  if (tried >= MaxAttempts) return undefined;
  const seconds = Math.min(IntervalSeconds * BackoffRate ** tried, MaxDelaySeconds);
  return JitterStrategy === 'FULL' ? seconds * random.next() : seconds;
}
