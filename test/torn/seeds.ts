import { type Content, centsInFlight, mismatches, tears, totalCents } from '../../demo/shop/audit.ts';
import { storeIds } from '../../demo/shop/resources.ts';
import type { Reading } from '../../demo/shop/store.ts';
import { STORES } from '../../demo/shop/stores.ts';
import type { Sealed } from '../../functions/domain.ts';
import { HOME, type Stage, WEST } from '../world.ts';
import { liarOf, worldOf } from './worlds.ts';

/** What became of one seed. */
export interface Told {
  readonly seed: number;
  readonly liar: string;
  readonly label: string;
  /** What is wrong; nothing may be. */
  readonly wrong: readonly string[];
  /** Whether the artifacts did not fit together, as they need not in a crash-consistent point. */
  readonly torn: boolean;
}

/**
 * No torn restore (I27). Takes a point of the world of a seed while money moves, lets the vault pull it, loses the home region, restores
 * from the vault, and holds every store against what it truly held.
 */
export async function tell(seed: number): Promise<Told> {
  const liar = liarOf(seed);
  const stand = await worldOf(seed, liar);
  const money = (content: Content) => totalCents(content) + centsInFlight(content);
  const opening = money(stand.shop.truthAt(stand.world.clock.now()));
  const point = await takePoint(stand);
  if (typeof point === 'string')
    return { seed, liar: liar.name, label: 'abandoned', wrong: liar.name === 'honest' ? [point] : [], torn: false };
  await stand.replicated(WEST);
  stand.world.dark.add(HOME.region);
  const { execution, report } = await stand.restore(WEST, 'r1');
  if (report?.status !== 'restored') {
    return { seed, liar: liar.name, label: point.consistency, wrong: [`The restore failed: ${execution.cause}`], torn: false };
  }
  const held = await stand.settle(stand.shop.readRestored(WEST, report.renames));
  const torn = tears(held);
  const lost = money(held) === opening ? [] : [`Money is ${money(held)} and was ${opening}.`];
  const exact = point.consistency.startsWith('application-consistent');
  const wrong = exact
    ? [...mismatches(held, stand.shop.truthAt(point.instant)), ...torn, ...lost]
    : unexplained(held, stand, point);
  const uploads = await stand.settle(stand.shop.wrongUploads(WEST, report.renames, point));
  const frozen = held.frozen.length > 0 ? [`It wakes up frozen: ${held.frozen.join(', ')}.`] : [];
  const falselyGood =
    exact && liar.name !== 'honest' && mustFall(liar.name)
      ? [`The label is ${point.consistency} although there was ${liar.name}.`]
      : [];
  return {
    seed,
    liar: liar.name,
    label: point.consistency,
    wrong: [...wrong, ...uploads, ...frozen, ...falselyGood],
    torn: torn.length > 0,
  };
}

/** Clocks that disagree by more than a second are always seen; the others are only where they did something. */
const mustFall = (liar: string): boolean => /clock/.test(liar);

/** The sealed point, or why there is none: a cut that a wrong clock puts where no log reaches is abandoned. */
async function takePoint(stand: Stage): Promise<Sealed | string> {
  const execution = stand.startProtect();
  await stand.advance(20); // the cut is taken; from here on writers only cost time
  await stand.settle(stand.shop.writers.stop());
  await stand.settle(execution.ended);
  const [point] = await stand.sealed(HOME);
  return point ?? `No point was sealed: ${execution.error} ${execution.cause}`;
}

/**
 * In a crash-consistent point each store is what it truly was at some instant of its own interval. One sentence for each that was not.
 */
function unexplained(held: Content, { shop }: Stage, { artifacts }: Sealed): string[] {
  const ids = storeIds(shop.names);
  return STORES.flatMap((store) => {
    const interval = artifacts.find(({ resource }) => resource === ids[store])?.interval;
    if (!interval) return [`The ${store} is not in the point.`];
    for (const possible of shop.possibleBetween(store, interval.from, interval.to))
      if (same(held.held[store], possible.held)) return [];
    return [`The ${store} is what it was at no instant from ${interval.from} to ${interval.to}.`];
  });
}

function same(one: Reading['held'], other: Reading['held']): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}

/** Tells many seeds and says what came of them: how often which label, and everything that is wrong. */
export async function tellAll(
  seeds: readonly number[],
): Promise<{ wrong: string[]; labels: Record<string, number>; torn: number }> {
  const labels: Record<string, number> = {};
  const wrong: string[] = [];
  let torn = 0;
  for (const seed of seeds) {
    const told = await tell(seed);
    const of = `${told.liar}: ${told.label}`;
    labels[of] = (labels[of] ?? 0) + 1;
    if (told.torn) torn++;
    wrong.push(...told.wrong.map((what) => `seed ${seed} (${told.liar}, ${told.label}): ${what}`));
  }
  return { wrong, labels, torn };
}
