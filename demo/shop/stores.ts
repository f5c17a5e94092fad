import type { Random } from '../../local/world/random.ts';

export const STORES = ['database', 'table', 'bucket'] as const;
export type StoreName = (typeof STORES)[number];

/** Money on its way from one store to another. Its debit is the cause, its credit the effect. Ids end in the client's number and count. */
export interface Transfer {
  readonly id: string;
  readonly from: StoreName;
  readonly to: StoreName;
  /** Whose money it is, in the words of the store that it leaves. */
  readonly payer: string;
  readonly cents: number;
}

/** Where money is kept. Both writes are applied at most once, however often they are asked for. */
export interface Store {
  readonly name: StoreName;
  /** The id under which restore points list it. */
  readonly resource: string;
  /** Somebody who can pay, and how much; nobody else is offered the same voucher until it was paid or `release`d. */
  payer(random: Random, cents: number): { readonly payer: string; readonly cents: number } | undefined;
  /** False if the payer has not enough. */
  debit(transfer: Transfer): Promise<boolean>;
  credit(transfer: Transfer, random: Random): Promise<void>;
  /** Where its log stands, read from the store itself: the same text twice if and only if nothing was written in between. */
  position(): Promise<string>;
}
