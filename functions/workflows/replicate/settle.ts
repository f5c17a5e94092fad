import { millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import type { Artifact } from '../../domain.ts';
import type { CopyWork } from '../../kinds/kind.ts';
import { noteProgress, readAttempt } from '../../vault/ledger.ts';
import { changed, type Settling, settling } from '../protect/settle.ts';
import { advance } from '../settle.ts';
import { type Carried, type Stage, step } from '../step.ts';
import { copyWorks } from './copy.ts';

/** Asks after every copy, and starts those that had to wait. */
export const settle = step({
  name: 'replicate-settle',
  duty: 'copy',
  uses: { readAttempt, noteProgress },
  kinds: ['copy.start', 'copy.settle'],
  waited: ['copy.start'],
  limits: { seconds: 600, memoryMb: 1024 },
  run: async ({ readAttempt, noteProgress }, point: Carried, stage: Stage): Promise<Settling> => {
    const { plan, progress, outcome, etag } = await readAttempt(point);
    if (outcome) throw new Conflict(`${point.slot}/${point.attempt} is ${outcome.status} already.`);
    if (!progress) throw new Permanent(`${point.slot}/${point.attempt} was never started, so there is nothing to settle.`);
    const items = await advance<CopyWork, Artifact>('copy', copyWorks(plan), progress.items, stage);
    if (changed(progress.items, items)) await noteProgress({ point, progress: { ...progress, items }, etag });
    return settling(point, items, millis(plan.plannedAt), millis(plan.deadline), stage);
  },
});
