import { firstWhere } from '../utf8.ts';
import type { Item } from './value.ts';

/** One change of one item, in the order of acceptance. */
export interface Change {
  /** When it was accepted, in whole virtual milliseconds. */
  readonly at: number;
  readonly key: string;
  /** What the item became; absent for a delete. */
  readonly item?: Item;
}

/** Every change of a table: what point-in-time recovery and audits look into. Items are shared, never copied. */
export class History {
  readonly #changes: Change[] = [];
  readonly #byKey = new Map<string, Change[]>();

  note(change: Change): void {
    this.#changes.push(change);
    const known = this.#byKey.get(change.key);
    if (known) known.push(change);
    else this.#byKey.set(change.key, [change]);
  }

  /** Changes from an instant on and before another, in order. */
  between(from: number, until: number): readonly Change[] {
    return this.#changes.slice(
      firstWhere(this.#changes, ({ at }) => at >= from),
      firstWhere(this.#changes, ({ at }) => at >= until),
    );
  }

  /** What was there when everything accepted at this millisecond and before had happened, by key. */
  at(time: number, skewOf: (key: string) => number = () => 0): Map<string, Item> {
    const items = new Map<string, Item>();
    for (const [key, changes] of this.#byKey) {
      const until = time + skewOf(key);
      const item = changes[firstWhere(changes, ({ at }) => at > until) - 1]?.item;
      if (item) items.set(key, item);
    }
    return items;
  }
}

/**
 * What the log gives for a second: everything before it and nothing after it, and of that very second everything until some instant that the dice
 * decide. The grain of PITR is a second, and no more is promised of it (DynamoDB guide, "Point-in-time recovery"). Of a transaction that is in
 * flight just then, an export may hold a part on AWS; here it is in or out as a whole.
 */
export function asOfSecond(history: History, second: number, dice: { integer(from: number, to: number): number }): Item[] {
  return [...history.at(second + dice.integer(-1, 999)).values()];
}
