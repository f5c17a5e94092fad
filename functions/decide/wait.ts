import type { Item } from '../domain.ts';

const SHORTEST = 15;
const LONGEST = 300;

/**
 * How many seconds to wait before asking again: longer and longer, a quarter of what has passed, so that the number of state transitions
 * grows with the logarithm of the duration and not with the number of resources; but not beyond the moment that an item waits for.
 */
export function waitSeconds(items: readonly Item<unknown>[], begun: number, now: number): number {
  const grown = Math.min(LONGEST, Math.max(SHORTEST, Math.round((now - begun) / 4000)));
  const until = items.flatMap((item) => (item.state === 'waiting' ? [Date.parse(item.until)] : []));
  const started = items.some(({ state }) => state === 'started');
  if (until.length === 0) return grown;
  const next = Math.max(1, Math.ceil((Math.min(...until) - now) / 1000));
  return started ? Math.min(grown, next) : Math.min(LONGEST, next);
}

/** How many items are still under way. */
export const pending = (items: readonly Item<unknown>[]): number =>
  items.filter(({ state }) => state === 'waiting' || state === 'started').length;
