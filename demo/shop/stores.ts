import { carts } from './cart-store.ts';
import { ledgers } from './ledger-store.ts';
import { orders } from './order-store.ts';
import type { Sort, Store } from './store.ts';
import { vouchers } from './voucher-store.ts';

/** Where the shop keeps money: one line each. */
export const SORTS = { database: ledgers, table: carts, bucket: vouchers, orders } satisfies Record<string, Sort>;

export type StoreName = keyof typeof SORTS;
export const STORES = Object.keys(SORTS) as readonly StoreName[];
export type Stores = Readonly<Record<StoreName, Store>>;

/** The words by which stores are named in AWS: `volume`, `table`, … */
export type Word = (typeof SORTS)[StoreName]['word'];

/** The same for every store, made by its name and sort. */
export const everyStore = <T>(make: (store: StoreName, sort: Sort<Word>) => T): Record<StoreName, T> =>
  Object.fromEntries(STORES.map((store) => [store, make(store, SORTS[store])])) as Record<StoreName, T>;

/** The same where making takes time, all at once. */
export async function everyStoreSoon<T>(make: (store: StoreName, sort: Sort<Word>) => Promise<T>): Promise<Record<StoreName, T>> {
  const made = await Promise.all(STORES.map(async (store) => [store, await make(store, SORTS[store])] as const));
  return Object.fromEntries(made) as Record<StoreName, T>;
}
