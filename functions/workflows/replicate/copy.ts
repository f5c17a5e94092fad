import { Conflict } from '../../aws/errors.ts';
import { keepDays, keepUntil } from '../../decide/promise.ts';
import type { Artifact, Item, Plan } from '../../domain.ts';
import type { CopyWork } from '../../kinds/kind.ts';
import { noteProgress, readAttempt } from '../../vault/ledger.ts';
import { carriedOn } from '../protect/capture.ts';
import { advance } from '../settle.ts';
import { type Carried, type Stage, step } from '../step.ts';

/** Starts a copy of every artifact into this vault. What a quota makes wait is started by Settle. */
export const copy = step({
  name: 'replicate-copy',
  duty: 'copy',
  uses: { readAttempt, noteProgress },
  kinds: ['copy.start'],
  limits: { seconds: 600, memoryMb: 1024 },
  run: async ({ readAttempt, noteProgress }, point: Carried, stage: Stage): Promise<Carried> => {
    const { plan, progress, outcome, etag } = await readAttempt(point);
    if (outcome) throw new Conflict(`${point.slot}/${point.attempt} is ${outcome.status} already.`);
    const before = progress?.items ?? notYet(plan);
    const items = await advance<CopyWork, Artifact>('copy', copyWorks(plan), before, stage, { settles: false });
    await noteProgress({ point, progress: { owner: point.owner, cut: plan.source!.point.cut, items }, etag });
    return carriedOn(point);
  },
});

const notYet = (plan: Plan): Item<Artifact>[] =>
  plan.resources.map(({ id }) => ({ resource: id, state: 'waiting', until: plan.plannedAt, why: 'It is not being copied yet.' }));

/** What a kind needs to copy each artifact of the point at home. */
export function copyWorks(plan: Plan): CopyWork[] {
  const { cut, artifacts } = plan.source!.point;
  const resources = new Map(plan.resources.map((resource) => [resource.id, resource]));
  const until = keepUntil(plan.vault, plan.plannedAt);
  const point = { application: plan.application, slot: plan.slot, attempt: plan.attempt };
  const kept = { keepDays: keepDays(plan.policy), ...(until ? { keepUntil: until } : {}) };
  return artifacts.flatMap((artifact) => {
    const resource = resources.get(artifact.resource);
    return resource ? [{ point, resource, cut, artifact, vault: plan.vault, ...kept }] : [];
  });
}
