/** With how much of everything the shop opens. */
export interface Stock {
  readonly accounts: number;
  readonly carts: number;
  readonly vouchers: number;
  readonly products: number;
  readonly orders: number;
  readonly uploads: number;
}

export const STOCK: Stock = { accounts: 12, carts: 20, vouchers: 12, products: 8, orders: 12, uploads: 8 };
export const SMALL_STOCK: Stock = { accounts: 4, carts: 4, vouchers: 4, products: 2, orders: 4, uploads: 2 };
