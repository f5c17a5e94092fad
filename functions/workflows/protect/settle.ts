import { millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { pending, UNHURRIED, waitSeconds } from '../../decide/wait.ts';
import type { Artifact, Item } from '../../domain.ts';
import type { CaptureWork } from '../../kinds/kind.ts';
import { listSealed, noteProgress, readAttempt } from '../../vault/ledger.ts';
import { advance } from '../settle.ts';
import { type Carried, type Stage, step } from '../step.ts';
import { cadences } from './cadence.ts';
import { captureWorks, carriedOn } from './capture.ts';

/** What the Choice and the Wait after a Settle need to know. */
export interface Settling extends Carried {
  readonly pending: number;
  readonly waitSeconds: number;
}

/**
 * Starts the exact kinds when their log has reached the instant and the slow ones once it has passed (a walk that began before it could miss
 * what came just before), and asks after everything that was started.
 */
export const settle = step({
  name: 'protect-settle',
  duty: 'capture',
  uses: { readAttempt, noteProgress, listSealed },
  kinds: ['capture.start', 'capture.settle', 'strays'],
  cuts: { 'capture.start': ['exact', 'slow'], strays: ['slow'] }, // prompt kinds were fired; only slow ones have a cadence
  limits: { seconds: 300, memoryMb: 1024 },
  run: async ({ readAttempt, noteProgress, listSealed }, point: Carried, stage: Stage): Promise<Settling> => {
    const { plan, progress, outcome, etag } = await readAttempt(point);
    if (outcome) throw new Conflict(`${point.slot}/${point.attempt} is ${outcome.status} already.`);
    if (!progress?.cut?.instant) throw new Permanent(`${point.slot}/${point.attempt} has no cut, so there is nothing to settle.`);
    const works = captureWorks(plan, progress.cut);
    const { young, fallBack } = await cadences(plan, progress, stage, listSealed);
    const before = young(progress.items);
    const { items, notes } = fallBack(await advance<CaptureWork, Artifact>('capture', works, before, stage), before);
    const noted = { ...progress, items, ...(notes.length > 0 ? { notes: [...(progress.notes ?? []), ...notes] } : {}) };
    if (changed(progress.items, items)) await noteProgress({ point, progress: noted, etag });
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
    const late = items.flatMap((item) =>
      item.state === 'waiting' || item.state === 'started' ? [item.why ? `${item.resource} (${item.why})` : item.resource] : [],
    );
    throw new Permanent(`The deadline passed while ${late.join(', ')} had not settled.`);
  }
  return { ...carriedOn(point), pending: left, waitSeconds: waitSeconds(items, begun, clock.now(), UNHURRIED) };
}

export const changed = (before: readonly Item<unknown>[], after: readonly Item<unknown>[]): boolean =>
  after.some((item, i) => item !== before[i]);
