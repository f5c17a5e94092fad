import { Worker } from 'node:worker_threads';
import { CLIENT_HEADER, type Client, type World } from '../../world/world.ts';
import { exited, type Result } from './results.ts';
import type { FromRuntime, Rests, Setup, ToRuntime } from './runtime.ts';

/** What an execution environment is made of. */
export interface Making {
  readonly folder: string;
  /** Where compiled code is kept for the next thread that loads the same, be it the function's or Node's own. */
  readonly compiled: string;
  readonly handlerName: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Told what the function writes, line by line. */
  readonly write: (lines: string[]) => void;
}

/** What a thread has just made may fill so much before it is looked through: most are small, and left alone would each take thrice that. */
const YOUNG_MB = 12;
/** How long a thread may seem at work without a word, in real milliseconds, before its lost requests are given up. */
const LOST_MILLIS = 2_000;
/** Code that computes for so long, in real milliseconds, without ever coming to rest is ended: time stands still while it runs. */
const ENDLESS_MILLIS = 60_000;

/**
 * One execution environment: a worker thread that has loaded a function's code, and runs one invocation at a time. While code in it runs, the
 * world's clock stands; as soon as it only waits for the world (an answer, a sleep), time goes on.
 */
export class Environment implements Client {
  readonly name: string;
  readonly #world: World;
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<Result | 'ready'>();
  #invocation: PromiseWithResolvers<Result> | undefined;
  #requestId = '';
  #arrived = 0;
  #answered = 0;
  /** Counts what was sent into the thread: it is at rest only if nothing came since it was asked. */
  #woken = 0;
  #watching = false;
  #asked = 0;
  #answer: ((rests: Rests | undefined) => void) | undefined;
  ended = false;

  constructor(world: World, { folder, compiled, handlerName, variables, write }: Making) {
    this.#world = world;
    this.name = world.random.uuid();
    world.clients.set(this.name, this);
    const setup: Setup = {
      folder,
      handlerName,
      time: world.clock.shared,
      client: { header: CLIENT_HEADER, name: this.name },
    };
    const env = { ...variables, NODE_COMPILE_CACHE: compiled };
    this.#worker = new Worker(new URL('./runtime.ts', import.meta.url), {
      workerData: setup,
      env,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      execArgv: [],
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (message: FromRuntime) => this.#hear(message));
    this.#worker.on('error', (error) => write([String(error?.stack ?? error)]));
    this.#worker.on('exit', (code) => this.#over(code));
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      stream.on('data', (chunk: Buffer) =>
        write(
          String(chunk)
            .split('\n')
            .filter((line) => line !== ''),
        ),
      );
  }

  /** Loads the code: real time, in which the world's stands still. A function that cannot be loaded fails every invocation. */
  load(): Promise<Result | 'ready'> {
    return this.#world.clock.busy(() => this.#ready.promise);
  }

  invoke(invoke: Extract<ToRuntime, { invoke: object }>['invoke']): Promise<Result> {
    this.#invocation = Promise.withResolvers<Result>();
    this.#requestId = invoke.requestId;
    this.#worker.ref();
    this.#send({ invoke });
    return this.#invocation.promise;
  }

  /** Ends the thread, whatever it does. */
  async end(): Promise<void> {
    this.ended = true;
    this.#world.clients.delete(this.name);
    await this.#worker.terminate();
  }

  arrived(): void {
    this.#arrived++;
  }

  answered(): void {
    this.#answered++;
    this.#stir();
  }

  #send(message: ToRuntime): void {
    this.#worker.postMessage(message);
    this.#stir();
  }

  #hear(message: FromRuntime): void {
    if ('ready' in message) {
      this.#worker.unref();
      this.#ready.resolve(message.ready);
    } else if ('done' in message) this.#finish(message.done);
    else if ('sleep' in message) {
      const { id, milliseconds } = message.sleep;
      this.#world.clock.after(milliseconds, () => {
        if (!this.ended) this.#send({ woken: id });
      });
    } else if (message.rests.id === this.#asked) this.#answer?.(message.rests);
  }

  #finish(result: Result): void {
    this.#worker.unref();
    this.#invocation?.resolve(result);
    this.#invocation = undefined;
    this.#answer?.(undefined);
  }

  #over(code: number): void {
    this.ended = true;
    this.#world.clients.delete(this.name);
    this.#ready.resolve(exited(code, this.#requestId));
    this.#finish(exited(code, this.#requestId));
  }

  /** Something was sent into the thread, so it is at work until it says otherwise. */
  #stir(): void {
    this.#woken++;
    if (this.#watching || !this.#invocation) return;
    this.#watching = true;
    void this.#world.clock
      .busy(() => this.#resting())
      .finally(() => {
        this.#watching = false;
      });
  }

  async #resting(): Promise<void> {
    for (let since = performance.now(); this.#invocation; ) {
      const woken = this.#woken;
      const rests = await this.#ask();
      if (!this.#invocation || !rests) return;
      if (woken !== this.#woken) since = performance.now();
      else if (rests.idle && rests.begun === this.#arrived && rests.ended === this.#answered) return;
      else if (rests.idle && performance.now() - since > LOST_MILLIS) return this.#forget(rests);
      await new Promise((next) => setTimeout(next, 1));
    }
  }

  #ask(): Promise<Rests | undefined> {
    return new Promise((answered) => {
      const endless = setTimeout(() => void this.end(), ENDLESS_MILLIS);
      this.#answer = (rests) => {
        clearTimeout(endless);
        answered(rests);
      };
      this.#worker.postMessage({ rest: ++this.#asked } satisfies ToRuntime);
    });
  }

  /** Requests that never reached us, or whose answers nobody reads. */
  #forget({ begun, ended }: Rests): void {
    this.#arrived = begun;
    this.#answered = ended;
  }
}
