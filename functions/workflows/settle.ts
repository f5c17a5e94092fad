import { instant, millis } from '../aws/clock.ts';
import type { Item } from '../domain.ts';
import type { KindVerb, Stage } from './step.ts';

/** The work of one resource in a passage, and the kind whose it is. */
interface Work {
  readonly resource: { readonly id: string; readonly kind: string };
}

/**
 * The one loop over passages. Groups what can go on by kind, starts what waits and whose time has come, settles what was started, groups side
 * by side, and answers every item as it stands now. Without `settles` it only starts. A failed item is a value; a failed call throws, and all of it is asked again.
 */
export async function advance<W extends Work, Done>(
  passage: 'capture' | 'copy' | 'restore',
  works: readonly W[],
  items: readonly Item<Done>[],
  stage: Stage,
  { settles = true } = {},
): Promise<Item<Done>[]> {
  const now = stage.clock.now();
  const byResource = new Map(works.map((work) => [work.resource.id, work]));
  const due = items.filter(
    (item) =>
      byResource.has(item.resource) &&
      ((settles && item.state === 'started') || (item.state === 'waiting' && millis(item.until) <= now)),
  );
  const answered = await Promise.all(
    [...groupBy(due, (item) => `${item.state}/${byResource.get(item.resource)!.resource.kind}`)].map(([group, members]) => {
      const [state, kind] = group.split('/') as ['started' | 'waiting', string];
      const inputs = members.map((item) => ({
        ...byResource.get(item.resource)!,
        ...('handle' in item ? { handle: item.handle } : {}),
      }));
      return ask<Done>(stage, kind, `${passage}.${state === 'started' ? 'settle' : 'start'}`, inputs);
    }),
  );
  const news = new Map(answered.flat().map((item) => [item.resource, item]));
  return items.map((item) => timed(item, news.get(item.resource) ?? item, stage.clock.now()));
}

/** Asks a kind's verb about all its works at once; a work that it does not answer has failed. */
export async function ask<Done>(stage: Stage, kind: string, verb: KindVerb, works: readonly Work[]): Promise<Item<Done>[]> {
  const answers = new Map<string, Item<Done>>();
  for (const item of (await (await stage.kind(kind)).open(verb)(works)) as Item<Done>[]) answers.set(item.resource, item);
  return works.map(
    ({ resource: { id } }) => answers.get(id) ?? { resource: id, state: 'failed', why: `${kind} gave no answer for it.` },
  );
}

/** Notes when an item was started and when it was done, for reports. */
function timed<Done>(before: Item<Done>, after: Item<Done>, now: number): Item<Done> {
  const from = ('from' in before && before.from) || instant(now);
  if (after === before || (after.state !== 'started' && after.state !== 'done')) return after;
  return after.state === 'started' ? { ...after, from } : { ...after, from, at: instant(now) };
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}
