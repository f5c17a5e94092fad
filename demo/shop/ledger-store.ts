import type { Clock } from '../../functions/aws/clock.ts';
import type { Random } from '../../local/world/random.ts';
import type { Database, Entry, Frozen } from './database.ts';
import type { Store, Transfer } from './stores.ts';

/** After how many milliseconds what was answered too early reaches the volume after all. */
const FORGETFUL = [500, 3000] as const;

/** The database on the volume: one process, one journal, one write at a time. */
export class LedgerStore implements Store {
  readonly name = 'database';
  readonly resource: string;
  /** When each entry was written and when it had reached the volume, in the journal's order: the truth about what the volume held when. */
  readonly history: { readonly entry: Entry; readonly writtenAt: number; safeAt: number }[] = [];
  readonly database: Database;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Whether each write is flushed before it is answered. A process that forgets this loses what it has promised. */
  readonly #flushes: boolean;
  #turn: Promise<unknown> = Promise.resolve();
  #dirty = false;
  #later: Promise<void> | undefined;

  constructor(options: { resource: string; database: Database; clock: Clock; random: Random; flushes: boolean }) {
    this.resource = options.resource;
    this.database = options.database;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#flushes = options.flushes;
  }

  open(account: string, cents: number): void {
    this.#append({ does: 'open', account, cents });
    this.flush();
  }

  payer(random: Random, cents: number) {
    const payer = random.pick(this.database.accounts);
    return this.database.balance(payer) >= cents ? { payer, cents } : undefined;
  }

  debit({ id, payer, cents, to }: Transfer): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.database.has(id)) return true;
      if (this.database.balance(payer) < cents) return false;
      await this.#write({ does: 'debit', account: payer, cents, transfer: id, other: to });
      return true;
    });
  }

  credit({ id, cents, from }: Transfer, random: Random): Promise<void> {
    const account = random.pick(this.database.accounts);
    return this.#inTurn(async () => {
      if (!this.database.has(id)) await this.#write({ does: 'credit', account, cents, transfer: id, other: from });
    });
  }

  async position(): Promise<string> {
    return this.database.position;
  }

  /** Says on the disk that the shop holds still, or that it is awake. */
  mark(frozen: Frozen | undefined): void {
    this.database.mark(frozen);
    this.#dirty = true;
    this.#soonOrLate();
  }

  /** Whether something was written that has not reached the volume. */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** Brings everything that was written to the volume. */
  flush(): void {
    this.database.flush();
    this.#dirty = false;
    this.#later = undefined;
    for (const one of this.history.toReversed()) {
      if (Number.isFinite(one.safeAt)) break;
      one.safeAt = this.#clock.now();
    }
  }

  async #write(entry: Entry): Promise<void> {
    this.#append(entry);
    await this.#clock.sleep(this.#random.between(1, 4));
    this.#soonOrLate();
  }

  /** At once, as a database should; or some time later, for all that has come together until then. */
  #soonOrLate(): void {
    if (this.#flushes) this.flush();
    else this.#later ??= this.#clock.sleep(this.#random.between(...FORGETFUL)).then(() => this.flush());
  }

  #append(entry: Entry): void {
    this.database.append(entry);
    this.#dirty = true;
    this.history.push({ entry, writtenAt: this.#clock.now(), safeAt: Number.POSITIVE_INFINITY });
  }

  /** A second write begins when the first has reached the volume, so a crash tears at most the last record. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
