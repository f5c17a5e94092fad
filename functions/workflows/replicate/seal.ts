import { instant } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { commitOutcome, readAttempt } from '../../vault/ledger.ts';
import { carriedOn } from '../protect/capture.ts';
import { type SealedPoint, sealedOf } from '../protect/seal.ts';
import { type Carried, type Stage, step } from '../step.ts';

/** Commits the copy in this vault's own ledger, under this vault's own key. Its label is home's: copying makes nothing more consistent. */
export const seal = step({
  name: 'replicate-seal',
  duty: 'seal',
  uses: { readAttempt, commitOutcome },
  limits: { seconds: 60, memoryMb: 256 },
  run: async ({ readAttempt, commitOutcome }, point: Carried, stage: Stage): Promise<SealedPoint> => {
    const { plan, progress, outcome } = await readAttempt(point);
    if (outcome?.status === 'abandoned') throw new Conflict(`${point.slot}/${point.attempt} was abandoned: ${outcome.because}`);
    const { point: source, digest: sourceDigest } = plan.source!;
    const lacking = plan.resources.filter(
      ({ id }) => !progress?.items.some((item) => item.resource === id && item.state === 'done'),
    );
    if (!progress || lacking.length > 0) throw new Permanent(`${lacking.map(({ id }) => id).join(', ')} was not copied.`);
    const { consistency, skewSeconds, because, cut, instant: at } = source;
    const { digest } = await commitOutcome({
      ...sealedOf(plan, { ...progress, cut }, instant(stage.clock.now()), stage.code),
      instant: at,
      consistency,
      skewSeconds,
      because,
      copyOf: { place: source.vault.place, attempt: source.attempt, digest: sourceDigest },
    });
    return { ...carriedOn(point), digest, consistency, skewSeconds };
  },
});
