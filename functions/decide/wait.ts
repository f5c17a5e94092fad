import type { Item } from '../domain.ts';

/**
 * How to rest between two looks, in seconds: never less than `least` or more than `most`, and in between this part of what has passed, so that the
 * number of state transitions grows with the logarithm of the duration and not with the number of resources.
 */
export interface Rhythm {
  readonly least: number;
  readonly most: number;
  readonly part: number;
}

/** Nobody waits for a point to be sealed: a look costs three transitions, being late costs nothing. */
export const UNHURRIED: Rhythm = { least: 30, most: 600, part: 1 / 2 };
/** Somebody waits for a restore. */
export const HURRIED: Rhythm = { least: 15, most: 60, part: 1 / 4 };

/** How many seconds to rest before asking again, but not beyond the moment that an item waits for. */
export function waitSeconds(items: readonly Item<unknown>[], begun: number, now: number, { least, most, part }: Rhythm): number {
  const grown = Math.min(most, Math.max(least, Math.round(((now - begun) / 1000) * part)));
  const until = items.flatMap((item) => (item.state === 'waiting' ? [Date.parse(item.until)] : []));
  const started = items.some(({ state }) => state === 'started');
  if (until.length === 0) return grown;
  const next = Math.max(1, Math.ceil((Math.min(...until) - now) / 1000));
  return started ? Math.min(grown, Math.max(next, least)) : Math.min(most, next);
}

/** How many items are still under way. */
export const pending = (items: readonly Item<unknown>[]): number =>
  items.filter(({ state }) => state === 'waiting' || state === 'started').length;
