import { type Clock, instant } from '../../functions/aws/clock.ts';
import type { HookAnswer, HookEvent } from '../../functions/freeze/hook.ts';
import { persist } from './door.ts';
import type { Store } from './store.ts';
import { type Trace, withinAnHour } from './traces.ts';
import type { Misbehaviour, Writers } from './writers.ts';

/** Drains no longer than this, in milliseconds; what is still under way then is told as not drained. */
const DRAIN = 5000;
/** How long the answer to a release waits for the traces to be gone; they are undone in any case. */
const TIDY = 2000;

/** What a freeze has to hold still, and what it leaves behind while it does. */
export interface Held {
  readonly writers: Writers;
  readonly stores: readonly Store[];
  /** Where each resource stands, by its id. */
  readonly positions: Readonly<Record<string, () => Promise<string>>>;
  readonly traces: readonly Trace[];
  readonly clock: Clock;
  readonly misbehaviour: Misbehaviour;
}

interface Lease {
  readonly cut: string;
  readonly restorePoint: string;
  readonly until: number;
  answer?: HookAnswer;
  over: boolean;
}

/**
 * The shop's own maintenance mode, held by a lease. It lets go by itself when the lease ends, whoever asked and whoever died; a freeze for
 * another cut ends the one before. All instants in answers are by the clock that the function was given.
 */
export class Maintenance {
  readonly #held: Held;
  readonly #ended = new Map<string, HookAnswer>();
  #lease: Lease | undefined;
  #tidying: Promise<unknown> = Promise.resolve();

  constructor(held: Held) {
    this.#held = held;
  }

  get held(): boolean {
    return this.#lease !== undefined;
  }

  async freeze({ cut, restorePoint, leaseSeconds }: HookEvent, now: () => number): Promise<HookAnswer> {
    if (this.#lease?.cut === cut && this.#lease.answer) return this.#lease.answer;
    const { writers, stores, clock, misbehaviour, traces } = this.#held;
    if (this.#lease) this.#letGo(this.#lease);
    const millis = misbehaviour.breaksLeaseAfterMillis ?? leaseSeconds * 1000;
    const lease: Lease = { cut, restorePoint, until: now() + leaseSeconds * 1000, over: false };
    this.#lease = lease;
    void clock.sleep(millis).then(() => this.#letGo(lease));
    try {
      const drained = await writers.hold(Math.min(DRAIN, (leaseSeconds * 1000) / 2));
      await this.#tidying;
      await Promise.all(
        traces.map((trace) =>
          persist(
            clock,
            () => trace.leave({ cut, restorePoint }),
            () => lease.over,
          ),
        ),
      );
      const positions = await this.#positions();
      lease.answer = {
        drained,
        flushed: !stores.some(({ dirty }) => dirty),
        heldFrom: instant(now()),
        heldUntil: instant(lease.until),
        broken: lease.over,
        positions,
      };
      return lease.answer;
    } finally {
      if (!lease.answer) this.#letGo(lease);
      if (lease.over) this.#tidy(); // it ended while traces were being left
    }
  }

  /** Reads where everything stands, then lets go. Asked again, it answers the same; asked for a lease that is over, it says broken. */
  async release({ cut }: HookEvent, now: () => number): Promise<HookAnswer> {
    const lease = this.#lease;
    const before = this.#ended.get(cut);
    if (before) return before;
    const positions = await this.#positions();
    const held = lease?.cut === cut && !lease.over;
    const answer: HookAnswer = {
      drained: lease?.cut === cut && lease.answer?.drained === true,
      flushed: lease?.cut === cut && lease.answer?.flushed === true,
      heldFrom: (lease?.cut === cut ? lease.answer?.heldFrom : undefined) ?? instant(now()),
      heldUntil: instant(now()),
      broken: !held,
      positions,
    };
    this.#ended.set(cut, answer);
    if (held) this.#letGo(lease);
    await Promise.race([this.#tidying, this.#held.clock.sleep(TIDY)]);
    return answer;
  }

  /** Writers first, so that nothing that goes wrong with the traces keeps the shop still. */
  #letGo(lease: Lease): void {
    if (lease.over) return;
    lease.over = true;
    if (this.#lease === lease) this.#lease = undefined;
    this.#held.writers.resume();
    this.#tidy();
  }

  #tidy(): void {
    const { clock, traces } = this.#held;
    const stopped = withinAnHour(clock);
    const undone = traces.map((trace) => persist(clock, () => trace.undo(), stopped));
    this.#tidying = Promise.allSettled([this.#tidying, ...undone]);
  }

  async #positions(): Promise<Record<string, string>> {
    const { positions, clock } = this.#held;
    const stopped = withinAnHour(clock);
    const asked = Object.entries(positions).map(async ([id, ask]) => [id, await persist(clock, ask, stopped)] as const);
    return Object.fromEntries(await Promise.all(asked));
  }
}
