import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { Random } from '../../local/world/random.ts';
import { type Reading, type StoredHalf, sumOf } from './store.ts';

export type Item = Record<string, AttributeValue>;

/** Keys of items in the table. */
export const COUNTER = 'control#transfers';
export const MAINTENANCE = 'control#maintenance';
const CART_CENTS = 50_000;

/** A cart with one attribute of each type that DynamoDB has, so that a copy which loses one of them shows. */
export const cart = (id: string, random: Random): Item => ({
  id: { S: id },
  kind: { S: 'cart' },
  balance: { N: String(CART_CENTS) },
  touched: { S: 'opening' },
  precise: { N: '0.12345678901234567890123456789012345678' },
  lines: { L: [{ M: { sku: { N: String(random.integer(1000, 1999)) }, note: { S: 'größe S, “leicht”' } } }, { NULL: true }] },
  coupons: { SS: ['AUTUMN', 'WELCOME'] },
  seen: { NS: ['3', '1', '2'] },
  thumb: { B: random.bytes(12) },
  gift: { BOOL: random.chance(0.5) },
});

/** What the items of a table say. */
export function readItems(items: readonly Item[]): Reading {
  const kept = items.filter((item) => idOf(item) !== MAINTENANCE);
  return {
    held: new Map(kept.map((item) => [idOf(item), canonical(item)])),
    halves: kept.flatMap((item): StoredHalf[] =>
      item['kind']?.S === 'transfer'
        ? [
            {
              transfer: idOf(item).slice('transfer#'.length),
              does: item['does']?.S as StoredHalf['does'],
              other: item['other']?.S ?? '?',
              cents: Number(item['cents']?.N),
            },
          ]
        : [],
    ),
    cents: sumOf(kept.map((item) => Number(item['balance']?.N ?? 0))),
    frozen: kept.length < items.length,
  };
}

const idOf = (item: Item): string => item['id']?.S ?? '?';

/** An item with its attributes, and the members of sets, in order. */
function canonical(item: Item): string {
  const ordered = (value: AttributeValue): unknown => {
    if (value.M) return { M: members(value.M) };
    if (value.L) return { L: value.L.map(ordered) };
    if (value.SS) return { SS: value.SS.toSorted() };
    if (value.NS) return { NS: value.NS.toSorted() };
    if (value.BS) return { BS: value.BS.map((bytes) => Buffer.from(bytes).toString('base64')).toSorted() };
    if (value.B) return { B: Buffer.from(value.B).toString('base64') };
    return value;
  };
  const members = (map: Item): object =>
    Object.fromEntries(
      Object.keys(map)
        .toSorted()
        .map((name) => [name, ordered(map[name]!)]),
    );
  return JSON.stringify(members(item));
}
