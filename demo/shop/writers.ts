import type { Clock } from '../../functions/aws/clock.ts';
import type { Random } from '../../local/world/random.ts';
import { persist } from './door.ts';
import type { Transfer } from './store.ts';
import { STORES, type Stores } from './stores.ts';
import type { Uploads } from './uploads.ts';

/** How writers break the freeze, for worlds in which the label must fall. */
export interface Misbehaviour {
  /** One writer never learned to hold still. */
  readonly ignoresFreeze?: boolean;
  /** A transfer whose debit was drained commits its credit after the freeze was acknowledged. */
  readonly lateCommit?: boolean;
  /** The database answers before what it wrote has reached the volume. */
  readonly unflushed?: boolean;
  /** The application lets go this long after it was asked to freeze, whatever its lease says. */
  readonly breaksLeaseAfterMillis?: number;
}

export interface Pace {
  /** How many writers there are. */
  readonly clients: number;
  /** How many transfers all of them begin in a second, about. */
  readonly rate: number;
}

const LARGEST = 500;
/** How many transfers come with an upload. */
const UPLOADING = 0.1;
/** For how long writers that were told to stop try to end what they had begun, in milliseconds. */
const HOPE = 120_000;
/** How long after its debit a late credit comes, in milliseconds: by then the freeze has been acknowledged, and may or may not be over. */
const LATE = [700, 3000] as const;

/** The shop's writers: clients that move money from store to store, each one transfer after the other, until they are stopped. */
export class Writers {
  /** Transfers that were begun and have ended. */
  done = 0;
  /** Why writers gave up, if any did. */
  readonly troubles: string[] = [];
  readonly #stores: Stores;
  readonly #uploads: Uploads | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #pace: Pace;
  readonly #misbehaviour: Misbehaviour;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #loops = new Set<Promise<void>>();
  readonly #sequences = new Map<string, number>();
  #running = false;
  #giveUpAt = Number.POSITIVE_INFINITY;
  #gate: Promise<void> | undefined;
  #openGate: () => void = () => {};
  #late: Promise<void> = Promise.resolve();

  constructor(options: {
    stores: Stores;
    uploads?: Uploads | undefined;
    clock: Clock;
    random: Random;
    pace: Pace;
    misbehaviour: Misbehaviour;
  }) {
    this.#stores = options.stores;
    this.#uploads = options.uploads;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#pace = options.pace;
    this.#misbehaviour = options.misbehaviour;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#giveUpAt = Number.POSITIVE_INFINITY;
    for (let client = 0; client < this.#pace.clients; client++) {
      const ignoresFreeze = this.#misbehaviour.ignoresFreeze === true && client === 0;
      const loop: Promise<void> = this.#serve(`c${client}`, ignoresFreeze)
        .catch((error: Error) => void this.troubles.push(`c${client}: ${error.name}: ${error.message}`))
        .finally(() => this.#loops.delete(loop));
      this.#loops.add(loop);
    }
  }

  /** Begins no more transfers, and waits for those that are under way, as long as there is hope. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#giveUpAt = this.#clock.now() + HOPE;
    this.resume();
    await Promise.all([...this.#loops, this.#late]);
  }

  get frozen(): boolean {
    return this.#gate !== undefined;
  }

  /** Begins no more transfers and waits for those under way; answers whether all had ended within `timeout` milliseconds. */
  async hold(timeout: number): Promise<boolean> {
    this.#gate ??= new Promise((open) => {
      this.#openGate = open;
    });
    const late = this.#misbehaviour.lateCommit ? [this.#commitLate()] : [];
    const drained = Promise.allSettled([...this.#inFlight, ...late]).then(() => true);
    return await Promise.race([drained, this.#clock.sleep(timeout).then(() => false)]);
  }

  resume(): void {
    this.#gate = undefined;
    this.#openGate();
  }

  async #serve(client: string, ignoresFreeze: boolean): Promise<void> {
    const random = this.#random.stream(client);
    const pause = (this.#pace.clients / this.#pace.rate) * 1000;
    while (this.#running) {
      await this.#clock.sleep(random.between(0, 2 * pause));
      if (!ignoresFreeze) await this.#gate;
      if (!this.#running) return;
      const transfer = this.#transfer(client, random);
      if (!ignoresFreeze) this.#inFlight.add(transfer);
      await transfer.finally(() => this.#inFlight.delete(transfer));
    }
  }

  async #transfer(client: string, random: Random): Promise<void> {
    const begun = await this.#begin(client, random);
    if (begun) await this.#end(client, begun, random);
    if (random.chance(UPLOADING)) this.#uploads?.add(random);
  }

  /** The cause: money leaves a store. Undefined if nobody there could pay. */
  async #begin(client: string, random: Random): Promise<Transfer | undefined> {
    const from = random.pick(STORES);
    const to = random.pick(STORES.filter((name) => name !== from));
    const paying = this.#stores[from].payer(random, random.integer(1, LARGEST));
    if (!paying) return undefined;
    const transfer: Transfer = { id: `${client}-${(this.#sequences.get(client) ?? 0) + 1}`, from, to, ...paying };
    return (await this.#persist(() => this.#stores[from].debit(transfer))) ? transfer : undefined;
  }

  /** The effect: it arrives in another. */
  async #end(client: string, transfer: Transfer, random: Random): Promise<void> {
    await this.#persist(() => this.#stores[transfer.to].credit(transfer, random));
    this.#sequences.set(client, (this.#sequences.get(client) ?? 0) + 1);
    this.done++;
  }

  /** Drains a debit and leaves its credit to a queue that nobody asked to hold still. */
  async #commitLate(): Promise<void> {
    await this.#late;
    const random = this.#random.stream(`late ${this.done}`);
    const begun = await this.#beginSurely('late', random);
    this.#late = this.#clock
      .sleep(random.between(...LATE))
      .then(() => begun && this.#end('late', begun, random))
      .catch((error: Error) => void this.troubles.push(`late: ${error.name}: ${error.message}`));
  }

  /** Tries other payers where one has not enough. */
  async #beginSurely(client: string, random: Random): Promise<Transfer | undefined> {
    for (let tries = 0; tries < 10; tries++) {
      const begun = await this.#begin(client, random);
      if (begun) return begun;
    }
    return undefined;
  }

  #persist<T>(work: () => Promise<T>): Promise<T> {
    return persist(this.#clock, work, () => this.#clock.now() > this.#giveUpAt);
  }
}
