import { type Clock, millis } from '../../aws/clock.ts';
import type { Transport } from '../../aws/transport.ts';
import type { Item, Place, Resource } from '../../domain.ts';
import type { Passage } from '../kind.ts';
import { A_DAY, at, type LawStage, must, sameSet, travelled } from './stage.ts';

/** Starts what waits and settles what was started, as the machine does, until all is done. A failed item is an error here. */
export async function driven<W extends { readonly resource: Resource }, Done>(
  passage: Passage<W, Done>,
  works: readonly W[],
  stage: LawStage,
  here: Place,
  transport: Transport = stage.transport,
  begun?: readonly Item<Done>[],
): Promise<Done[]> {
  const items = await driveItems(passage, works, stage, here, transport, begun);
  return items.map((item) => {
    must(item.state === 'done', `${item.resource} failed: ${'why' in item ? item.why : item.state}`);
    return item.result;
  });
}

export async function driveItems<W extends { readonly resource: Resource }, Done>(
  passage: Passage<W, Done>,
  works: readonly W[],
  stage: LawStage,
  here: Place,
  transport: Transport,
  begun?: readonly Item<Done>[],
): Promise<Item<Done>[]> {
  const { clock } = stage;
  const start = at(passage.start, stage, here, transport);
  const settle = at(passage.settle, stage, here, transport);
  const items = new Map((begun ?? travelled(await start(works))).map((item) => [item.resource, item]));
  const until = clock.now() + A_DAY;
  for (;;) {
    must(
      passage.waits === true || [...items.values()].every(({ state }) => state !== 'waiting'),
      'Something waits, and the passage does not say that anything ever does.',
    );
    must(
      sameSet(
        [...items.keys()],
        works.map(({ resource }) => resource.id),
      ),
      'A verb answers once per work, by its resource.',
    );
    const waiting = works.filter((work) => isDue(items.get(work.resource.id)!, clock));
    const running = works.flatMap((work) => {
      const item = items.get(work.resource.id)!;
      return item.state === 'started' ? [{ ...work, handle: item.handle }] : [];
    });
    if (waiting.length > 0) for (const item of travelled(await start(waiting))) items.set(item.resource, item);
    if (running.length > 0) for (const item of travelled(await settle(running))) items.set(item.resource, item);
    const states = [...items.values()];
    if (states.every(({ state }) => state === 'done' || state === 'failed')) return states;
    must(clock.now() < until, `After a day this has not settled: ${states.map((item) => JSON.stringify(item)).join(' ')}`);
    await clock.sleep(15_000);
  }
}

export const isDue = (item: Item<unknown>, clock: Clock): boolean =>
  item.state === 'waiting' && millis(item.until) <= clock.now();
