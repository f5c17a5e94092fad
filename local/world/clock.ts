/**
 * A discrete-event clock. Time stands still while code runs and jumps to the next event when all code has come to rest,
 * so a month of schedules takes seconds and a slow machine breaks no lease.
 *
 * "At rest" means that the event loop went around `patience` times and nobody scheduled anything: enough for code that waits on
 * promises and in-process transports. Work that waits on the machine itself (a socket, a file) must say so with `busy`.
 */
export class Clock {
  /** The time as one double, which other threads can read. */
  readonly shared = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT);
  readonly #time = new Float64Array(this.shared);
  readonly #events: Event[] = [];
  #sequence = 0;
  #activity = 0;
  #busy = 0;
  #demands: Demand[] = [];
  #pumping = false;
  readonly #patience: number;
  #pace: Pace | undefined;
  #alarm: NodeJS.Timeout | undefined;
  #ended = false;

  constructor({ start = Date.UTC(2026, 10, 22, 3, 0, 0), patience = 1 } = {}) {
    this.#now = start;
    this.#patience = patience;
  }

  get #now(): number {
    return this.#time[0] as number;
  }

  set #now(milliseconds: number) {
    this.#time[0] = milliseconds;
  }

  /** Milliseconds since the epoch, virtual. */
  now(): number {
    return this.#now;
  }

  /** Runs `run` at `time`; events of one time run in the order in which they were asked for. The answer cancels it. */
  at(time: number, run: () => void): () => void {
    const event: Event = { time: Math.max(time, this.#now), sequence: ++this.#sequence, run, cancelled: false };
    push(this.#events, event);
    this.#activity++;
    this.#wake();
    return () => {
      event.cancelled = true;
    };
  }

  after(milliseconds: number, run: () => void): () => void {
    return this.at(this.#now + milliseconds, run);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((wake) => void this.after(milliseconds, wake));
  }

  /** While `work` waits on the real machine, the clock stands still, and is not owed that time afterwards. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy++ === 0) this.#owe(this.#passed());
    try {
      return await work();
    } finally {
      if (--this.#busy === 0) this.#owe(0);
      this.#activity++;
      this.#wake();
    }
  }

  /** Lets everything happen that is due until `time`, and leaves the clock there. */
  run({ until }: { until: number }): Promise<void> {
    return this.#demand({ until, done: () => this.#next() > until });
  }

  advance(milliseconds: number): Promise<void> {
    return this.run({ until: this.#now + milliseconds });
  }

  /** Lets events happen until `promise` settles. Rejects if nothing is left to happen and it still has not. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const note = () => {
      settled = true;
    };
    const settling = promise.then(note, note);
    await Promise.race([settling, this.#demand({ until: Number.POSITIVE_INFINITY, done: () => settled })]);
    return await promise;
  }

  /** Whether time passes by itself. */
  get paced(): boolean {
    return this.#pace !== undefined;
  }

  /** Work in flight in a served world moves the clock by itself; in a simulation whoever runs the simulation does. */
  drive<T>(work: Promise<T>): Promise<T> {
    return this.paced ? this.settle(work) : work;
  }

  /** From now on, when nobody demands anything, time passes at `speed` virtual seconds per real one; 0 lets it stand. */
  pace(speed: number): void {
    this.#pace = speed > 0 ? { speed, virtual: this.#now, real: performance.now() } : undefined;
    this.#wake();
  }

  /** The end: nothing that is still to happen happens, whoever waits for it. */
  stop(): void {
    this.#ended = true;
    clearTimeout(this.#alarm);
  }

  #demand(want: Pick<Demand, 'until' | 'done'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ ...want, resolve, reject });
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#pumping || this.#ended || (this.#demands.length === 0 && !this.#pace)) return;
    this.#pumping = true;
    void this.#pump()
      .catch((error: Error) => this.#giveUp(error))
      .finally(() => {
        this.#pumping = false;
        if (this.#demands.length > 0 && this.#busy === 0) this.#wake();
      });
  }

  async #pump(): Promise<void> {
    this.#owe(this.#passed());
    for (let waited = 0; ; ) {
      await this.#rest();
      if (this.#busy > 0 || this.#ended) return; // `busy` wakes us
      this.#answer();
      if (this.#demands.length > 0) {
        const until = Math.max(...this.#demands.map((demand) => demand.until));
        if (this.#step(until)) waited = 0;
        else if (++waited > STUCK_ROUNDS) this.#giveUp();
        else await new Promise((next) => setTimeout(next, 1));
        this.#owe(0); // demands move time by their own events, not by how long the machine takes over them
      } else if (this.#pace) {
        const until = this.#pace.virtual + this.#passed();
        if (this.#step(until)) continue;
        this.#now = Math.max(this.#now, until);
        clearTimeout(this.#alarm);
        this.#alarm = setTimeout(() => this.#wake(), Math.min(TICK, Math.max(1, (this.#next() - this.#now) / this.#pace.speed)));
        this.#alarm.unref();
        return;
      } else return;
    }
  }

  /** Virtual time that has passed by itself and is not accounted for. */
  #passed(): number {
    return this.#pace ? (performance.now() - this.#pace.real) * this.#pace.speed : 0;
  }

  /** Counts the pace anew from here, ahead by what has passed: however often somebody demands something, no time is lost. */
  #owe(passed: number): void {
    if (!this.#pace) return;
    const { speed, virtual } = this.#pace;
    this.#pace = { speed, virtual: Math.max(this.#now, virtual + passed), real: performance.now() };
  }

  /** Lets the next event happen, if it is due until then. */
  #step(until: number): boolean {
    if (this.#next() > until || this.#events.length === 0) return false;
    const event = pop(this.#events)!;
    this.#now = Math.max(this.#now, event.time);
    event.run();
    return true;
  }

  #answer(): void {
    this.#demands = this.#demands.filter((demand) => {
      if (!demand.done()) return true;
      if (Number.isFinite(demand.until)) this.#now = Math.max(this.#now, demand.until);
      demand.resolve();
      return false;
    });
  }

  /** An event that throws is a defect of the world: whoever waits is told, and where nobody waits the process ends. */
  #giveUp(error = new Error('The clock has nothing left to do, and what was waited for has not happened.')): void {
    const stuck = this.#demands;
    this.#demands = [];
    if (stuck.length === 0) throw error;
    for (const { reject } of stuck) reject(error);
  }

  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < this.#patience; quiet++) {
      const before = this.#activity;
      await new Promise((next) => setImmediate(next));
      if (this.#activity !== before) quiet = -1;
    }
  }

  #next(): number {
    while (this.#events[0]?.cancelled) pop(this.#events);
    return this.#events[0]?.time ?? Number.POSITIVE_INFINITY;
  }
}

/** How often time moves on its own when it is paced, in real milliseconds. */
const TICK = 50;
/** How many real milliseconds something awaited may spend outside our sight (a file, a socket) before we call it stuck. */
const STUCK_ROUNDS = 20_000;

interface Event {
  readonly time: number;
  readonly sequence: number;
  readonly run: () => void;
  cancelled: boolean;
}

interface Demand {
  readonly until: number;
  readonly done: () => boolean;
  readonly resolve: () => void;
  readonly reject: (why: Error) => void;
}

interface Pace {
  readonly speed: number;
  readonly virtual: number;
  readonly real: number;
}

const earlier = (a: Event, b: Event): boolean => a.time < b.time || (a.time === b.time && a.sequence < b.sequence);

/** A binary heap, earliest first. */
function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!earlier(heap[i]!, heap[parent]!)) return;
    [heap[i], heap[parent]] = [heap[parent]!, heap[i]!];
    i = parent;
  }
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (!first || !last || heap.length === 0) return first;
  heap[0] = last;
  for (let i = 0; ; ) {
    const left = 2 * i + 1;
    const right = left + 1;
    let least = i;
    if (left < heap.length && earlier(heap[left]!, heap[least]!)) least = left;
    if (right < heap.length && earlier(heap[right]!, heap[least]!)) least = right;
    if (least === i) return first;
    [heap[i], heap[least]] = [heap[least]!, heap[i]!];
    i = least;
  }
}

/** RFC 3339 in whole seconds, as EventBridge's events and Kubernetes' objects tell a time. */
export const rfc3339 = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z');
