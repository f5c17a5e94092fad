import { instant } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { judge } from '../../decide/consistency.ts';
import { besides } from '../../decide/slow.ts';
import type { Artifact, Consistency, Plan, Progress, Sealed } from '../../domain.ts';
import { commitOutcome, readAttempt } from '../../vault/ledger.ts';
import { type Carried, type Stage, step } from '../step.ts';
import { carriedOn } from './capture.ts';

export interface SealedPoint extends Carried {
  readonly digest: string;
  readonly consistency: Consistency;
  readonly skewSeconds: number;
}

/** Commits the point if it is whole. The first outcome written is the outcome: ours again goes on, another's is a Conflict. */
export const seal = step({
  name: 'protect-seal',
  duty: 'seal',
  uses: { readAttempt, commitOutcome },
  limits: { seconds: 60, memoryMb: 256 },
  run: async ({ readAttempt, commitOutcome }, point: Carried, stage: Stage): Promise<SealedPoint> => {
    const { plan, progress, outcome } = await readAttempt(point);
    if (outcome?.status === 'abandoned') throw new Conflict(`${point.slot}/${point.attempt} was abandoned: ${outcome.because}`);
    const classes = new Map(
      (await Promise.all([...new Set(plan.resources.map(({ kind }) => kind))].map(stage.kind))).map(({ name, cut }) => [
        name,
        cut,
      ]),
    );
    const classOf = (kind: string) => classes.get(kind) ?? 'slow';
    const { refusal, consistency, skewSeconds, because } = judge(plan, progress, classOf);
    if (refusal) throw new Permanent(refusal);
    const { digest } = await commitOutcome({
      ...sealedOf(plan, progress!, instant(stage.clock.now()), stage.code),
      notes: [...plan.notes, ...besides(plan, progress!, classOf)],
      consistency,
      skewSeconds,
      because,
    });
    return { ...carriedOn(point), digest, consistency, skewSeconds };
  },
});

/** Everything of a plan and what was captured that a sealed point must say, but for the verdict. */
export const sealedOf = (
  plan: Plan,
  { cut, items }: Progress,
  sealedAt: string,
  code: string,
): Omit<Sealed, 'consistency' | 'skewSeconds' | 'because'> => ({
  schema: 1,
  code,
  status: 'sealed',
  application: plan.application,
  slot: plan.slot,
  attempt: plan.attempt,
  owner: plan.owner,
  sealedAt,
  trigger: plan.trigger,
  ...(plan.askedBy ? { askedBy: plan.askedBy } : {}),
  instant: cut!.instant!,
  cut: cut!,
  home: plan.definition.home,
  vault: plan.vault,
  policy: plan.policy,
  definition: plan.definition,
  resources: plan.resources,
  artifacts: items.flatMap((item): Artifact[] => (item.state === 'done' ? [item.result] : [])),
  notes: plan.notes,
  after: plan.after,
  ...(plan.outlasting ? { outlasting: plan.outlasting } : {}),
});
