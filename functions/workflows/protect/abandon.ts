import { instant } from '../../aws/clock.ts';
import { Conflict, TRANSIENT } from '../../aws/errors.ts';
import { abandonment, commitAbandoned, readLastAttempt } from '../../vault/ledger.ts';
import { type Request, type Stage, step } from '../step.ts';

/** What Catch hands over: what was carried, and the error. Before Plan is done there is no slot yet. */
export interface Failed extends Request {
  readonly slot?: string;
  readonly attempt?: number;
  readonly error?: { readonly Error?: string; readonly Cause?: string };
}

export interface Abandonment extends Request {
  readonly because: string;
  /** The trouble was passing, and this was not the last try: plan the next attempt. */
  readonly again: boolean;
}

/** Attempts of one slot; then a person is needed, or the next slot. */
const ATTEMPTS = 3;

/** Gives the attempt up, so that nothing else can seal it and the next attempt may be planned. What it left behind bears our tags: reconcile deletes it. */
export const abandon = step({
  name: 'protect-abandon',
  duty: 'expire',
  uses: { readLastAttempt, commitAbandoned },
  limits: { seconds: 60, memoryMb: 256 },
  run: async ({ readLastAttempt, commitAbandoned }, failed: Failed, stage: Stage): Promise<Abandonment> => {
    const because = reasonOf(failed.error);
    if (failed.slot !== undefined && failed.attempt !== undefined) {
      const last = await readLastAttempt({ application: failed.application, slot: failed.slot });
      if (last?.outcome?.status === 'sealed') throw new Conflict(`${failed.slot}/${failed.attempt} was sealed all the same.`);
      if (last?.plan.attempt === failed.attempt) {
        await commitAbandoned(abandonment(last.plan, failed.owner, instant(stage.clock.now()), because));
      }
    }
    const again = failed.error?.Error === TRANSIENT && (failed.attempt ?? ATTEMPTS) < ATTEMPTS;
    return { application: failed.application, owner: failed.owner, because, again };
  },
});

/** Lambda's Cause is JSON with the message of what was thrown; other causes are sentences already. */
export function reasonOf(error: Failed['error']): string {
  if (!error) return 'It was given up.';
  try {
    const { errorMessage } = JSON.parse(error.Cause ?? '') as { errorMessage?: string };
    if (errorMessage) return errorMessage;
  } catch {}
  return [error.Error, error.Cause].filter(Boolean).join(': ');
}
