import type { Random } from '../../local/world/random.ts';
import { COUNTER, type Item } from './cart-store.ts';
import type { ShopDoor } from './door.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { Names } from './resources.ts';
import { VOUCHERS, type VoucherStore } from './voucher-store.ts';

/** With how much of everything the shop opens. Amounts are in cents. */
export interface Stock {
  readonly accounts: number;
  readonly carts: number;
  readonly vouchers: number;
  readonly products: number;
}

export const STOCK: Stock = { accounts: 12, carts: 20, vouchers: 12, products: 8 };
export const SMALL_STOCK: Stock = { accounts: 4, carts: 4, vouchers: 4, products: 2 };

const ACCOUNT_CENTS = 200_000;
const CART_CENTS = 50_000;
const VOUCHER_CENTS = [500, 5000] as const;

export const cartIds = ({ carts }: Stock): string[] => Array.from({ length: carts }, (_, i) => `cart-${i + 1}`);

/** Fills the shop's stores. */
export async function openForBusiness(
  aws: ShopDoor,
  { table, bucket }: Names,
  { database, bucket: vouchers }: { readonly database: LedgerStore; readonly bucket: VoucherStore },
  stock: Stock,
  random: Random,
): Promise<void> {
  for (let i = 1; i <= stock.accounts; i++) database.open(`customer-${i}`, ACCOUNT_CENTS);
  const items: Item[] = [{ id: { S: COUNTER }, count: { N: '0' } }, ...cartIds(stock).map((id) => cart(id, random))];
  const given = Array.from(
    { length: stock.vouchers },
    (_, i) => [`${VOUCHERS}opening-${i + 1}.json`, random.integer(...VOUCHER_CENTS)] as const,
  );
  const products = Array.from(
    { length: stock.products },
    (_, i) => [`products/${i + 1} größe ${'SML'[i % 3]}.webp`, random.bytes(random.integer(200, 2000))] as const,
  );
  await Promise.all([
    ...items.map((Item) => aws.putItem({ TableName: table, Item })),
    ...given.map(([key, cents]) => vouchers.give(key, { cents })),
    ...products.map(([Key, Body], i) =>
      aws.putObject({
        Bucket: bucket,
        Key,
        Body,
        ContentType: 'image/webp',
        CacheControl: 'max-age=3600',
        Metadata: { sku: `${1000 + i}` },
      }),
    ),
  ]);
}

/** A cart with one attribute of each type that DynamoDB has, so that a copy which loses one of them shows. */
const cart = (id: string, random: Random): Item => ({
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
