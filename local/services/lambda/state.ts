import type * as SDK from '@aws-sdk/client-lambda';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { environmentsOf } from './environments.ts';
import { errorOf, failed, MAX_ANSWER, type Result, TOO_LARGE, timedOut } from './results.ts';

export type Handler = (event: any, context: HandlerContext) => Promise<unknown>;

/** A function whose code runs in this process. */
export interface Registration {
  readonly name: string;
  readonly role?: string;
  /** Virtual seconds after which an invocation is given up. */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly handler: Handler;
  /** How far this function's clock is from the world's. */
  readonly clockOffsetMillis?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A function's code as it was uploaded. */
export interface Zip {
  readonly bytes: Uint8Array;
  /** SHA-256, in Base64. */
  readonly digest: string;
}

/** A function as it is deployed. */
export interface Deployed {
  readonly name: string;
  readonly role: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly description: string;
  readonly runtime: SDK.Runtime;
  /** The module and its export, such as `index.handler`. */
  readonly handlerName: string;
  readonly architectures: readonly SDK.Architecture[];
  readonly variables: Readonly<Record<string, string>>;
  readonly tracing: SDK.TracingMode;
  /** The network that it runs in, kept and shown: everything here can be reached from everywhere. */
  readonly network?: SDK.VpcConfig | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** Absent where it was only ever registered in this process. */
  readonly zip?: Zip;
  /** In this process: stands in for the code of the Zip where both are there. */
  readonly handler?: Handler;
  readonly clockOffsetMillis: number;
  readonly changedAt: Date;
  readonly revision: string;
  readonly permissions: ReadonlyMap<string, object>;
}

/** Lambda's context object, with the world's clock beside it. */
export interface HandlerContext {
  readonly functionName: string;
  readonly functionVersion: '$LATEST';
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
  readonly clock: {
    now(): number;
    sleep(milliseconds: number): Promise<void>;
    random(digits: number): string;
  };
}

const ASYNC_RETRY_SECONDS = [60, 120];
const DARK_MILLIS = 60_000;

export class LambdaState {
  readonly #functions = new Map<string, Deployed>();
  readonly #place: Place;
  readonly #world: World;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.#world = world;
  }

  /** Runs a function in this process. Of one that is deployed only the code is replaced: role, time and memory stay as they were deployed. */
  register({ name, handler, clockOffsetMillis = 0, ...settings }: Registration): void {
    const known = this.#functions.get(name);
    if (known?.zip) {
      this.#functions.set(name, { ...known, handler, clockOffsetMillis });
      return;
    }
    const { role = `arn:aws:iam::${this.#place.account}:role/${name}`, timeoutSeconds, memoryMb, tags = {} } = settings;
    this.keep({ ...UNASKED, name, role, timeoutSeconds, memoryMb, tags, handler, clockOffsetMillis });
  }

  /** Deploys a function, in place of one of the same name. */
  keep(written: Omit<Deployed, 'changedAt' | 'revision'>): Deployed {
    const { clock, random } = this.#world;
    const kept = { ...written, changedAt: new Date(clock.now()), revision: written.zip ? random.uuid() : written.name };
    this.#functions.set(kept.name, kept);
    return kept;
  }

  /** Notes what does not concern the code. */
  change(deployed: Deployed): void {
    this.#functions.set(deployed.name, deployed);
  }

  remove(name: string): void {
    this.#functions.delete(this.find(name).name);
  }

  get functions(): readonly Deployed[] {
    return [...this.#functions.values()];
  }

  peek(name: string): Deployed | undefined {
    return this.#functions.get(name);
  }

  /** By name, partial ARN or ARN, with or without a qualifier (Lambda API, Invoke: FunctionName). */
  find(text: string): Deployed {
    const { account, region } = this.#place;
    const { name, account: owner = account, region: where = region } = parse(text);
    const found = owner === account && where === region ? this.#functions.get(name) : undefined;
    if (found) return found;
    const message = `Function not found: arn:aws:lambda:${where}:${owner}:function:${name}`;
    return refuse('ResourceNotFoundException', message, { status: 404, Type: 'User' });
  }

  arn(name: string): string {
    return `arn:aws:lambda:${this.#place.region}:${this.#place.account}:function:${name}`;
  }

  /** Runs a function once. Never rejects: what the function throws is a result, as is running out of time or of its region. */
  invoke(deployed: Deployed, payload: string, requestId: string): Promise<Result> {
    const { clock } = this.#world;
    const { promise, resolve } = Promise.withResolvers<Result>();
    const stop = new AbortController();
    const cancel = clock.after(deployed.timeoutSeconds * 1000, () => {
      stop.abort();
      resolve(timedOut(deployed.timeoutSeconds, requestId));
    });
    void this.#run(deployed, payload, requestId, stop.signal).then((result) => {
      if (this.#dark) return; // whoever waits learns no more than that the time ran out
      cancel();
      resolve(result);
    });
    return clock.drive(promise);
  }

  /**
   * Runs a function for nobody who waits; one that fails is tried again twice, after one minute and after two more (Lambda guide, "Asynchronous
   * invocation"). The queue outlasts the darkness of its region.
   */
  async invokeLater(deployed: Deployed, payload: string, requestId: string): Promise<void> {
    const { clock } = this.#world;
    for (const pause of [...ASYNC_RETRY_SECONDS, 0]) {
      while (this.#dark) await clock.sleep(DARK_MILLIS);
      const { functionError } = await this.invoke(deployed, payload, requestId);
      if (!functionError) return;
      await clock.sleep(pause * 1000);
    }
  }

  async #run(deployed: Deployed, payload: string, requestId: string, stop: AbortSignal): Promise<Result> {
    if (this.#dark) return await new Promise<never>(() => {});
    if (!deployed.handler) {
      const arn = this.arn(deployed.name);
      return environmentsOf(this.#world).run({ deployed, arn, place: this.#place, payload: payload || '{}', requestId, stop });
    }
    try {
      const answer = await deployed.handler(JSON.parse(payload || '{}'), this.#context(deployed, requestId));
      const body = JSON.stringify(answer) ?? 'null';
      return Buffer.byteLength(body) > MAX_ANSWER ? TOO_LARGE : { payload: body };
    } catch (error) {
      return failed(errorOf(error));
    }
  }

  #context({ name, memoryMb, timeoutSeconds, clockOffsetMillis }: Deployed, requestId: string): HandlerContext {
    const { clock, random } = this.#world;
    const deadline = clock.now() + timeoutSeconds * 1000;
    return {
      functionName: name,
      functionVersion: '$LATEST',
      invokedFunctionArn: this.arn(name),
      memoryLimitInMB: String(memoryMb),
      awsRequestId: requestId,
      getRemainingTimeInMillis: () => deadline - clock.now(),
      clock: {
        now: () => clock.now() + clockOffsetMillis,
        sleep: (milliseconds) => clock.sleep(milliseconds),
        random: (digits) => random.hex(digits),
      },
    };
  }

  get #dark(): boolean {
    return this.#world.dark.has(this.#place.region);
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return this.functions.map(({ name, tags = {} }) => ({ arn: this.arn(name), tags }));
  }
}

/** What a function has that nobody asked for (Lambda API, CreateFunction). */
export const UNASKED = {
  description: '',
  runtime: 'nodejs24.x',
  handlerName: 'index.handler',
  architectures: ['x86_64'],
  variables: {},
  tracing: 'PassThrough',
  permissions: new Map(),
} as const satisfies Partial<Deployed>;

const FUNCTION = /^(?:arn:[^:]+:lambda:([^:]+):)?(?:(\d{12}):)?(?:function:)?([^:]+)(?::[^:]+)?$/;

function parse(text: string): { name: string; region?: string | undefined; account?: string | undefined } {
  const [, region, account, name = text] = FUNCTION.exec(text) ?? [];
  return { name, region, account };
}
