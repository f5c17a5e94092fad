import { millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { pending, UNHURRIED, waitSeconds } from '../../decide/wait.ts';
import type { Artifact, Item } from '../../domain.ts';
import { noteProgress, readAttempt } from '../../vault/ledger.ts';
import { advance } from '../settle.ts';
import { type Carried, type Stage, step } from '../step.ts';
import { captureWorks, carriedOn } from './capture.ts';

/** What the Choice and the Wait after a Settle need to know. */
export interface Settling extends Carried {
  readonly pending: number;
  readonly waitSeconds: number;
}

/** Starts the exact kinds when their log has reached the instant, and asks after everything that was started. */
export const settle = step({
  name: 'protect-settle',
  duty: 'capture',
  uses: { readAttempt, noteProgress },
  kinds: ['capture.start', 'capture.settle'],
  limits: { seconds: 300, memoryMb: 1024 },
  run: async ({ readAttempt, noteProgress }, point: Carried, stage: Stage): Promise<Settling> => {
    const { plan, progress, outcome, etag } = await readAttempt(point);
    if (outcome) throw new Conflict(`${point.slot}/${point.attempt} is ${outcome.status} already.`);
    if (!progress?.cut?.instant) throw new Permanent(`${point.slot}/${point.attempt} has no cut, so there is nothing to settle.`);
    const items = await advance<ReturnType<typeof captureWorks>[number], Artifact>(
      'capture',
      captureWorks(plan, progress.cut),
      progress.items,
      stage,
    );
    if (changed(progress.items, items)) await noteProgress({ point, progress: { ...progress, items }, etag });
    return settling(point, items, millis(progress.cut.begun), millis(plan.deadline), stage);
  },
});

/** Whether the loop goes on, and how long it rests. Gives up when a member failed, or when the deadline has passed. */
export function settling(
  point: Carried,
  items: readonly Item<unknown>[],
  begun: number,
  deadline: number,
  { clock }: Stage,
): Settling {
  const failures = items.flatMap((item) => (item.state === 'failed' ? [`${item.resource} failed: ${item.why}`] : []));
  if (failures.length > 0) throw new Permanent(failures.join(' '));
  const left = pending(items);
  if (left > 0 && clock.now() > deadline) {
    const late = items.filter(({ state }) => state !== 'done').map(({ resource }) => resource);
    throw new Permanent(`The deadline passed while ${late.join(', ')} had not settled.`);
  }
  return { ...carriedOn(point), pending: left, waitSeconds: waitSeconds(items, begun, clock.now(), UNHURRIED) };
}

export const changed = (before: readonly Item<unknown>[], after: readonly Item<unknown>[]): boolean =>
  after.some((item, i) => item !== before[i]);
