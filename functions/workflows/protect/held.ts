import { Permanent } from '../../aws/errors.ts';
import { slowWord } from '../../decide/slow.ts';
import type { Artifact, Cut, CutClass, Item, Plan } from '../../domain.ts';
import type { Lease } from '../../freeze/lease.ts';
import type { CaptureWork } from '../../kinds/kind.ts';
import { advance } from '../settle.ts';
import type { Stage } from '../step.ts';

/** The resources of one class: the prompt ones, whose instant is when the call is accepted, are fired inside the freeze. */
export async function ofClass(wanted: CutClass, plan: Plan, stage: Stage): Promise<Set<string>> {
  const kinds = await Promise.all([...new Set(plan.resources.map(({ kind }) => kind))].map((name) => stage.kind(name)));
  const names = new Set(kinds.filter(({ cut }) => cut === wanted).map(({ name }) => name));
  return new Set(plan.resources.filter(({ kind }) => names.has(kind)).map(({ id }) => id));
}

/** The slow resources for which the freeze is held until they are captured. */
export async function heldMembers(plan: Plan, stage: Stage): Promise<Set<string>> {
  const slow = await ofClass('slow', plan, stage);
  return new Set([...slow].filter((id) => slowWord(plan.definition.slow[id]) === 'hold'));
}

export const notHeld = (held: ReadonlySet<string>, freeze: Cut['freeze']): string =>
  `${[...held].join(', ')} is to be captured while the application is held still, and it was not held: ${freeze?.trouble ?? 'it has no freeze hook'}.`;

/** How often one that the freeze is held for is asked after, and how long before the end of the lease it is given up. */
const ASK_MILLIS = 5000;
const LET_GO_MILLIS = 5000;

/** Asks after what the freeze is held for until it is captured. A lease that does not last so long vouches for nothing, so the point is given up. */
export async function untilCaptured(
  slow: Item<Artifact>[],
  works: readonly CaptureWork[],
  plan: Plan,
  { heldUntil }: Lease,
  stage: Stage,
): Promise<Item<Artifact>[]> {
  let items = slow;
  const unfinished = () => items.filter((item) => item.state === 'waiting' || item.state === 'started');
  while (unfinished().length > 0 && stage.clock.now() + ASK_MILLIS + LET_GO_MILLIS < heldUntil) {
    await stage.clock.sleep(ASK_MILLIS);
    items = await advance<CaptureWork, Artifact>('capture', works, items, stage);
  }
  const late = unfinished().map(({ resource, why }) => `${resource}${why ? ` (${why})` : ''}`);
  if (late.length === 0) return items;
  throw new Permanent(
    `${late.join(', ')} was not captured within the lease of ${plan.definition.freeze!.leaseSeconds} s for which the application was held still; raise freeze.leaseSeconds, or say accept or cadence of it under applications.${plan.application}.slow.`,
  );
}
