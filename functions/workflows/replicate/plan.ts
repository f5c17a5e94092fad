import { instant, millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { nextAttempt } from '../../decide/attempt.ts';
import type { Place } from '../../domain.ts';
import { readHomesPoint } from '../../vault/announced.ts';
import { abandonment, commitAbandoned, listSealed, readLastAttempt, writePlan } from '../../vault/ledger.ts';
import { type Carried, type Request, type Stage, step } from '../step.ts';

/** The announcement of a sealed point at home. */
export interface ReplicateRequest extends Request {
  readonly slot: string;
  /** The attempt that was sealed at home. */
  readonly attempt: number;
  readonly home: Place;
}

/** Copies of a large point take long; quotas make them wait. */
const PATIENCE_HOURS = 24;

/** Reads what home sealed, verifies it, and writes the intent to copy it into this vault's own ledger. */
export const plan = step({
  name: 'replicate-plan',
  duty: 'discover',
  uses: { readLastAttempt, readHomesPoint, listSealed, writePlan, commitAbandoned },
  limits: { seconds: 120, memoryMb: 512 },
  run: async (
    { readLastAttempt, readHomesPoint, listSealed, writePlan, commitAbandoned },
    request: ReplicateRequest,
    stage: Stage,
  ): Promise<Carried> => {
    const { vault, clock, code } = stage;
    const { application, owner, slot } = request;
    const last = await readLastAttempt({ application, slot });
    const next = nextAttempt(last, owner, clock.now());
    if (next.do === 'stop') throw new Conflict(next.because);
    if (next.do === 'resume') return { application, owner, slot, attempt: next.attempt };
    if (next.do === 'abandon') await commitAbandoned(abandonment(last!.plan, owner, instant(clock.now()), next.because));
    const attempt = next.do === 'abandon' ? next.attempt + 1 : next.attempt;

    const source = await readHomesPoint({ application, slot, attempt: request.attempt });
    if (!source.point.policy.vaults.includes(vault.name))
      throw new Conflict(`Policy "${source.point.policy.name}" keeps no copies in "${vault.name}".`);
    if (source.point.definition.name !== application)
      throw new Permanent(`The point that home announced is of "${source.point.definition.name}", not of "${application}".`);
    const sealed = await listSealed({ application, last: 1 });
    const plannedAt = instant(clock.now());
    await writePlan({
      schema: 1,
      code,
      application,
      owner,
      slot,
      attempt,
      plannedAt,
      deadline: instant(millis(plannedAt) + PATIENCE_HOURS * 3_600_000),
      trigger: 'replication',
      policy: source.point.policy,
      definition: source.point.definition,
      vault,
      resources: source.point.resources,
      notes: source.point.notes,
      after: sealed.map(({ digest }) => digest),
      ...(source.point.outlasting ? { outlasting: source.point.outlasting } : {}),
      source,
    });
    return { application, owner, slot, attempt };
  },
});
