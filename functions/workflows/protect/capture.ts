import { type Clock, instant, millis } from '../../aws/clock.ts';
import { Conflict, Permanent } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { beforeFreeze, instantBetween, instantInFreeze } from '../../decide/cut.ts';
import { keepUntil } from '../../decide/promise.ts';
import type { Artifact, Cut, Item, Plan, PointName } from '../../domain.ts';
import { freezing } from '../../freeze/hook.ts';
import { freeze, isHeld } from '../../freeze/lease.ts';
import { allAnswered } from '../../kinds/items.ts';
import type { CaptureWork } from '../../kinds/kind.ts';
import { noteProgress, readAttempt } from '../../vault/ledger.ts';
import { ask, groupBy } from '../settle.ts';
import { type Carried, type Stage, step } from '../step.ts';
import { heldMembers, notHeld, ofClass, untilCaptured } from './held.ts';

/** The freeze as a verb, so that the door to the application's function is declared like any other. */
const hold = verb(freezing, (aws, { plan, cut }: { plan: Plan; cut: Cut }, { clock }) =>
  freeze(aws, plan.definition, plan, cut, clock),
);

/**
 * Freezes, fires, lets go, all in this one invocation. Its cut is new: if an earlier invocation died, what it made is void, for two freezes
 * never share a point; reconcile deletes it.
 */
export const capture = step({
  name: 'protect-capture',
  duty: 'capture',
  uses: { readAttempt, noteProgress, hold },
  kinds: ['capture.start', 'snapshot', 'capture.settle'],
  // Exact kinds are started afterwards, but for their plain snapshots; and only for slow ones the freeze is held until they are captured.
  cuts: { 'capture.start': ['prompt', 'slow'], 'capture.settle': ['slow'] },
  limits: { seconds: 900, memoryMb: 1024 }, // a few seconds, unless a slow member is held
  run: async ({ readAttempt, noteProgress, hold }, point: Carried, stage: Stage): Promise<Carried> => {
    const { clock } = stage;
    const { plan, outcome, etag } = await readAttempt(point);
    if (outcome) throw new Conflict(`${point.slot}/${point.attempt} is ${outcome.status} already.`);

    const prompt = await promptMembers(plan, stage);
    const held = await heldMembers(plan, stage);
    const begun: Cut = { id: `cut-${clock.random(16)}`, begun: instant(clock.now()) };
    const noted = await noteProgress({ point, progress: { owner: point.owner, cut: begun, items: [] }, etag });

    if (plan.definition.freeze) await clock.sleep(beforeFreeze(clock.now()));
    const lease = await hold({ plan, cut: begun });
    if (held.size > 0 && !isHeld(lease)) throw new Permanent(notHeld(held, lease));
    const inside = isHeld(lease) ? instantInFreeze(lease.heldFrom) : undefined;
    let items: Item<Artifact>[];
    let evidence: Cut['freeze'];
    try {
      const firing = inside ? sleepUntil(clock, inside.fireFrom) : Promise.resolve();
      const [slow, fired] = await allAnswered([
        fire(held, begun, plan, stage),
        firing.then(() => fire(prompt, begun, plan, stage)),
      ]);
      if (inside) await sleepUntil(clock, inside.releaseFrom);
      items = [...fired!, ...(isHeld(lease) ? await untilCaptured(slow!, captureWorks(plan, begun), plan, lease, stage) : [])];
    } finally {
      evidence = isHeld(lease) ? await lease.release() : lease;
    }
    const at = inside?.instant ?? instantBetween(intervalsOf(items), clock.now());
    const cut: Cut = { ...begun, instant: instant(at), ...(evidence ? { freeze: evidence } : {}) };
    await noteProgress({ point, progress: { owner: point.owner, cut, items: withLater(plan, items, at) }, etag: noted });
    return carriedOn(point);
  },
});

/** What a kind needs to capture one resource of a plan in a cut. */
export const captureWorks = (plan: Plan, cut: Cut): CaptureWork[] => {
  const point: PointName = { application: plan.application, slot: plan.slot, attempt: plan.attempt };
  const until = keepUntil(plan.vault, plan.plannedAt);
  const { outlasting, policy, vault } = plan;
  return plan.resources.map((resource) => ({
    point,
    resource,
    cut,
    vault,
    ...(until ? { keepUntil: until } : {}),
    ...(policy.vaults.length === 0 ? { homeOnly: true as const } : {}),
    ...(outlasting && resource.outlasts?.includes(outlasting)
      ? { outlasting, ...(policy.exports ? { exports: true } : {}) }
      : {}),
  }));
};

/** Those whose instant is when the call is accepted, by their kind or because a plain snapshot is taken: only they are fired inside the freeze. */
async function promptMembers(plan: Plan, stage: Stage): Promise<Set<string>> {
  const snapshotted = plan.resources.filter(({ outlasts }) => plan.outlasting === 'snapshot' && outlasts?.includes('snapshot'));
  return new Set([...(await ofClass('prompt', plan, stage)), ...snapshotted.map(({ id }) => id)]);
}

/** All at once: the freeze lasts as long as the slowest call, not as long as all of them. */
async function fire(members: ReadonlySet<string>, cut: Cut, plan: Plan, stage: Stage): Promise<Item<Artifact>[]> {
  const works = captureWorks(plan, cut).filter(({ resource }) => members.has(resource.id));
  const groups = [...groupBy(works, ({ resource }) => resource.kind)];
  const answers = await Promise.allSettled(
    groups.map(async ([kind, works]) => {
      const exact = (await stage.kind(kind)).cut === 'exact';
      return ask<Artifact>(stage, kind, exact ? 'snapshot' : 'capture.start', works);
    }),
  );
  const lost = answers.find((answer) => answer.status === 'rejected');
  if (lost) throw lost.reason;
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}

/** The exact kinds wait for their log to reach T, and the slow ones that nobody is held for begin once T has passed; Settle asks them. */
const withLater = (plan: Plan, items: readonly Item<Artifact>[], at: number): Item<Artifact>[] => {
  const fired = new Map(items.map((item) => [item.resource, item]));
  return plan.resources.map(
    ({ id }) =>
      fired.get(id) ?? { resource: id, state: 'waiting', until: instant(at), why: 'It is taken at the instant of the cut.' },
  );
};

const intervalsOf = (items: readonly Item<Artifact>[]): { from: number; to: number }[] =>
  items.flatMap((item) => {
    const artifact =
      item.state === 'done'
        ? item.result
        : item.state === 'started'
          ? (item.handle as { artifact?: Artifact } | null)?.artifact
          : undefined;
    return artifact ? [{ from: millis(artifact.interval.from), to: millis(artifact.interval.to) }] : [];
  });

const sleepUntil = (clock: Clock, at: number): Promise<void> => clock.sleep(Math.max(0, at - clock.now()));

/** Exactly what the machine carries on, and nothing that a step was given besides. */
export const carriedOn = ({ application, owner, slot, attempt }: Carried): Carried => ({ application, owner, slot, attempt });
