import { createHash } from 'node:crypto';
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { type Item, MAINTENANCE } from './cart-store.ts';
import { balanceAfter, type Disk, type Entry, inspect } from './database.ts';
import type { ShopDoor } from './door.ts';
import { STORES, type StoreName } from './stores.ts';
import { VOUCHERS, type Voucher } from './voucher-store.ts';

/** One half of a transfer, as a store remembers it. */
export interface Half {
  readonly transfer: string;
  readonly does: 'debit' | 'credit';
  readonly store: StoreName;
  readonly other: string;
  readonly cents: number;
}

/** What the shop's stores hold at one moment, in one canonical spelling. What a freeze leaves behind is not part of it, but told. */
export interface Content {
  /** Each thing that a store holds, by its name there. */
  readonly held: Readonly<Record<StoreName, ReadonlyMap<string, string>>>;
  readonly halves: readonly Half[];
  readonly cents: Readonly<Record<StoreName, number>>;
  /** Which stores still say that the shop is frozen. */
  readonly frozen: readonly StoreName[];
  /** What cannot be read, in sentences. */
  readonly damage: readonly string[];
}

/** Raw contents, wherever they come from: live stores, restored ones, or the record of what was. */
export interface Raw {
  readonly entries: readonly Entry[];
  readonly items: Iterable<Item>;
  readonly objects: Iterable<readonly [key: string, body: Uint8Array]>;
  readonly frozenDisk?: boolean;
  readonly damage?: readonly string[];
}

export function contentOf({ entries, items, objects, frozenDisk = false, damage = [] }: Raw): Content {
  const database = readEntries(entries);
  const table = readItems(items);
  const bucket = readObjects(objects);
  return {
    held: { database: database.held, table: table.held, bucket: bucket.held },
    halves: [...database.halves, ...table.halves, ...bucket.halves],
    cents: { database: database.cents, table: table.cents, bucket: bucket.cents },
    frozen: [...(frozenDisk ? (['database'] as const) : []), ...(table.frozen ? (['table'] as const) : [])],
    damage: [...damage, ...bucket.damage],
  };
}

/** Reads the stores that these names stand for. Changes nothing. */
export async function readStores(
  aws: ShopDoor,
  names: { table: string; bucket: string },
  disk: Pick<Disk, 'read'>,
): Promise<Content> {
  const { entries, frozen, damage } = inspect(disk);
  const [items, objects] = await Promise.all([scan(aws, names.table), readBucket(aws, names.bucket)]);
  return contentOf({ entries, items, objects, frozenDisk: frozen !== undefined, damage });
}

export const totalCents = ({ cents }: Content): number => STORES.reduce((sum, store) => sum + cents[store], 0);

/** Money that has left one store and not arrived in the other. */
export function centsInFlight({ halves }: Content): number {
  const sum = (does: Half['does']) => halves.reduce((cents, half) => cents + (half.does === does ? half.cents : 0), 0);
  return sum('debit') - sum('credit');
}

function readEntries(entries: readonly Entry[]) {
  const held = new Map<string, string>();
  const balances = new Map<string, number>();
  const halves: Half[] = [];
  entries.forEach((entry, index) => {
    held.set(`entry ${String(index + 1).padStart(6, '0')}`, JSON.stringify(entry));
    balances.set(entry.account, balanceAfter(balances.get(entry.account) ?? 0, entry));
    if (entry.does !== 'open') halves.push({ store: 'database', ...entry });
  });
  return { held, halves, cents: sum(balances.values()) };
}

function readItems(items: Iterable<Item>) {
  const held = new Map<string, string>();
  const halves: Half[] = [];
  let cents = 0;
  let frozen = false;
  for (const item of items) {
    const id = item['id']?.S ?? '?';
    if (id === MAINTENANCE) {
      frozen = true;
      continue;
    }
    held.set(id, canonical(item));
    if (item['balance']?.N) cents += Number(item['balance'].N);
    if (item['kind']?.S === 'transfer') {
      halves.push({
        store: 'table',
        transfer: id.slice('transfer#'.length),
        does: item['does']?.S as Half['does'],
        other: item['other']?.S ?? '?',
        cents: Number(item['cents']?.N),
      });
    }
  }
  return { held, halves, cents, frozen };
}

function readObjects(objects: Raw['objects']) {
  const held = new Map<string, string>();
  const halves: Half[] = [];
  const damage: string[] = [];
  let cents = 0;
  for (const [key, body] of objects) {
    held.set(key, createHash('sha256').update(body).digest('hex'));
    if (!key.startsWith(VOUCHERS)) continue;
    const voucher = readVoucher(body);
    if (!voucher) {
      damage.push(`${key} is not a voucher.`);
      continue;
    }
    const { transfer, from, spent } = voucher;
    if (!spent) cents += voucher.cents;
    if (transfer) halves.push({ store: 'bucket', transfer, does: 'credit', other: from!, cents: voucher.cents });
    if (spent) halves.push({ store: 'bucket', transfer: spent.transfer, does: 'debit', other: spent.to, cents: voucher.cents });
  }
  return { held, halves, cents, damage };
}

function readVoucher(body: Uint8Array): Voucher | undefined {
  try {
    const voucher = JSON.parse(Buffer.from(body).toString()) as Voucher;
    return Number.isInteger(voucher.cents) ? voucher : undefined;
  } catch {
    return undefined;
  }
}

async function scan(aws: ShopDoor, TableName: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let from: { ExclusiveStartKey?: Item } | undefined = {}; from; ) {
    const page: { Items?: Item[]; LastEvaluatedKey?: Item } = await aws.scan({ TableName, ConsistentRead: true, ...from });
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey ? { ExclusiveStartKey: page.LastEvaluatedKey } : undefined;
  }
  return items;
}

const AT_ONCE = 16;

async function readBucket(aws: ShopDoor, Bucket: string): Promise<(readonly [string, Uint8Array])[]> {
  const keys: string[] = [];
  for (let from: { ContinuationToken?: string } | undefined = {}; from; ) {
    const page = await aws.listObjects({ Bucket, ...from });
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    from = page.NextContinuationToken ? { ContinuationToken: page.NextContinuationToken } : undefined;
  }
  const objects: (readonly [string, Uint8Array])[] = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE);
    objects.push(
      ...(await Promise.all(
        some.map(async (Key) => [Key, await (await aws.getObject({ Bucket, Key })).Body!.transformToByteArray()] as const),
      )),
    );
  }
  return objects;
}

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

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);

/** Where two contents differ, one sentence for each thing: `held` is what was found, `truth` what it should have been. */
export function mismatches(held: Content, truth: Content): string[] {
  return STORES.flatMap((store) => differences(held.held[store], truth.held[store]).map((what) => `${store}: ${what}`)).concat(
    held.damage,
  );
}

function differences(held: ReadonlyMap<string, string>, truth: ReadonlyMap<string, string>): string[] {
  const names = [...new Set([...held.keys(), ...truth.keys()])].toSorted();
  return names.flatMap((name) => {
    const [is, was] = [held.get(name), truth.get(name)];
    if (is === was) return [];
    if (is === undefined) return [`${name} is missing.`];
    return [was === undefined ? `${name} should not be there.` : `${name} is ${is} and should be ${was}.`];
  });
}

/** What each thing held at any of these moments; a thing that matches none of them is explained by no instant in between. */
export function unexplained(held: Content, truths: readonly Content[]): string[] {
  return STORES.flatMap((store) => {
    const names = new Set([held, ...truths].flatMap((content) => [...content.held[store].keys()]));
    return [...names]
      .filter((name) => !truths.some((truth) => truth.held[store].get(name) === held.held[store].get(name)))
      .map((name) => `${store}: ${name} is what it was at none of these instants.`);
  }).concat(held.damage);
}

/**
 * Whether this is a consistent cut: nothing is there without what it followed from. A client's transfers follow each other, and a credit
 * follows its debit, so what is there of each client must be a beginning of its history. One sentence for each effect without its cause.
 */
export function tears({ halves }: Content): string[] {
  const seen = new Map(halves.map((half) => [`${half.transfer} ${half.does}`, half]));
  return halves.flatMap((half) => {
    const cause = causeOf(half);
    if (!cause || seen.has(cause)) return [];
    return [
      `The ${half.does} of ${half.transfer} is in the ${half.store}, and what it followed is not there: the ${cause.split(' ').reverse().join(' of ')}.`,
    ];
  });
}

/** A credit follows its own debit; a debit follows the credit of the client's transfer before. */
function causeOf({ transfer, does }: Half): string | undefined {
  if (does === 'credit') return `${transfer} debit`;
  const [client, count] = transfer.split('-');
  return count === '1' ? undefined : `${client}-${Number(count) - 1} credit`;
}
