import { instant } from '../../aws/clock.ts';
import { Conflict } from '../../aws/errors.ts';
import { nextAttempt } from '../../decide/attempt.ts';
import { abandonment, commitAbandoned, listAttempts, readAttempt } from '../../vault/ledger.ts';
import { type Request, type Stage, step } from '../step.ts';

export interface Reconciling extends Request {
  /** What was done so far, in sentences. */
  readonly done?: readonly string[];
}

/** Finishes what died: an attempt whose deadline passed without an outcome is presumed aborted, and that is made so. */
export const finish = step({
  name: 'reconcile-finish',
  duty: 'expire',
  uses: { listAttempts, readAttempt, commitAbandoned },
  limits: { seconds: 300, memoryMb: 512 },
  run: async (
    { listAttempts, readAttempt, commitAbandoned },
    { application, owner }: Reconciling,
    stage: Stage,
  ): Promise<Required<Reconciling>> => {
    const open = (await listAttempts({ application })).filter(({ decided }) => !decided);
    const done: string[] = [];
    for (const point of open) {
      const now = stage.clock.now();
      const attempt = await readAttempt(point);
      const next = nextAttempt(attempt, owner, now);
      if (next.do !== 'abandon') continue;
      await commitAbandoned(abandonment(attempt.plan, owner, instant(now), next.because)).catch(unlessDecided);
      done.push(`${point.slot}/${point.attempt} was abandoned: ${next.because}`);
    }
    return { application, owner, done };
  },
});

/** Someone else decided in the meantime, which is all that was wanted. */
function unlessDecided(error: unknown): undefined {
  if (!(error instanceof Conflict)) throw error;
  return undefined;
}
