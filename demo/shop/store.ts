import type { Place } from '../../functions/domain.ts';
import type { Random } from '../../local/world/random.ts';
import type { Frozen } from './database.ts';
import type { Site } from './door.ts';
import type { Stock } from './opening.ts';
import type { StoreName } from './stores.ts';
import type { Trace } from './traces.ts';

/** Money on its way from one store to another. Its debit is the cause, its credit the effect. Ids end in the client's number and count. */
export interface Transfer {
  readonly id: string;
  readonly from: StoreName;
  readonly to: StoreName;
  /** Whose money it is, in the words of the store that it leaves. */
  readonly payer: string;
  readonly cents: number;
}

/** One half of a transfer, as the store remembers it in which it happened. */
export interface StoredHalf {
  readonly transfer: string;
  readonly does: 'debit' | 'credit';
  /** The store on the far side. */
  readonly other: string;
  readonly cents: number;
}

/** What a store holds at one moment, in one canonical spelling. What a freeze leaves behind is not part of it, but told. */
export interface Reading {
  /** Each thing that it holds, by its name there. */
  readonly held: ReadonlyMap<string, string>;
  readonly halves: readonly StoredHalf[];
  readonly cents: number;
  /** Whether it still says that the shop is frozen. */
  readonly frozen?: boolean;
  /** What cannot be read, in sentences. */
  readonly damage?: readonly string[];
}

/** A store that the shop's processes have open. Both writes are applied at most once, however often they are asked for. */
export interface Store {
  /** Somebody who can pay, and how much; nobody else is offered the same voucher until it was paid or `release`d. */
  payer(random: Random, cents: number): { readonly payer: string; readonly cents: number } | undefined;
  /** False if the payer has not enough. */
  debit(transfer: Transfer): Promise<boolean>;
  credit(transfer: Transfer, random: Random): Promise<void>;
  /** Where its log stands, read from the store itself: the same text twice if and only if nothing was written in between. */
  position(): Promise<string>;
  /** Whether something was promised that is not safe yet. */
  readonly dirty?: boolean;
  /** Marks the store that is open, where its sort leaves a trace. */
  leave?(frozen: Frozen | undefined): Promise<void>;
  /** What it truly held at an instant, to the millisecond: from the record of what was done, not from any copy. */
  truthAt(at: Date): Reading;
  /** What may be found where it is captured between these two, if that is more than what it held at instants of them. */
  possibleBetween?(from: Date, to: Date): Iterable<Reading>;
}

/** What the shop opens with. */
export interface Opening {
  readonly site: Site;
  readonly stock: Stock;
  readonly random: Random;
  /** Whether the database flushes each write before it answers. */
  readonly flushes: boolean;
}

/** What a store is made of, beside its own settings. */
export interface Making {
  /** The ARN of the shop's key in the store's region. */
  readonly key: string;
  /** Where the shop could live. */
  readonly standby: Site;
  readonly password: string;
}

/** A sort of store, by the file that knows it. Whatever is told of stores loops over the sorts. */
export interface Sort<Word extends string = string> {
  /** What one is called by in AWS, as names and the blanks of manifests say it. */
  readonly word: Word;
  /** The id under which restore points list it. */
  arn(place: Place, name: string): string;
  /** Makes one, and waits until it can be used; answers its name. */
  make(site: Site, making: Making): Promise<string>;
  /** Fills one that was made, and opens it. */
  open(name: string, opening: Opening): Promise<Store>;
  /** Reads what one of this name holds, wherever it came from. Changes nothing. */
  read(site: Site, name: string): Promise<Reading>;
  /** What a freeze leaves in one, where it leaves something. */
  trace?(site: Site, name: string): Trace;
  /** What a bad deployment does to it; a sentence. */
  eat(site: Site, name: string, random: Random): Promise<string>;
  /** Backs it up now, knowing of nothing else. Answers how to restore that later, by the name of what is made. */
  backUp(site: Site, name: string, label: string): Promise<() => Promise<string>>;
}

export const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((total, number) => total + number, 0);
