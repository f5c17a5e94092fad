import { createHash } from 'node:crypto';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';

/** A function whose code runs in this process. */
export interface Registration {
  readonly name: string;
  readonly role?: string;
  /** Virtual seconds after which an invocation is given up. */
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly handler: (event: any, context: HandlerContext) => Promise<unknown>;
  /** How far this function's clock is from the world's. */
  readonly clockOffsetMillis?: number;
  readonly tags?: Readonly<Record<string, string>>;
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

/** What came of one invocation: a payload, and the kind of error if the function failed. */
export interface Result {
  readonly payload: string;
  readonly functionError?: 'Unhandled';
}

const ASYNC_RETRY_SECONDS = [60, 120];
const DARK_MILLIS = 60_000;

export class LambdaState {
  readonly #functions = new Map<string, Registration>();
  readonly #place: Place;
  readonly #world: World;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.#world = world;
  }

  /** Deploys a function, in place of one of the same name. */
  register(registration: Registration): void {
    this.#functions.set(registration.name, registration);
  }

  remove(name: string): void {
    this.#functions.delete(this.find(name).name);
  }

  get functions(): readonly Registration[] {
    return [...this.#functions.values()];
  }

  /** By name, partial ARN or ARN, with or without a qualifier (Lambda API, Invoke: FunctionName). */
  find(text: string): Registration {
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
  invoke(registration: Registration, payload: string, requestId: string): Promise<Result> {
    const { clock } = this.#world;
    const { promise, resolve } = Promise.withResolvers<Result>();
    const cancel = clock.after(registration.timeoutSeconds * 1000, () => resolve(timedOut(registration, requestId)));
    void this.#run(registration, payload, requestId).then((result) => {
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
  async invokeLater(registration: Registration, payload: string, requestId: string): Promise<void> {
    const { clock } = this.#world;
    for (const pause of [...ASYNC_RETRY_SECONDS, 0]) {
      while (this.#dark) await clock.sleep(DARK_MILLIS);
      const { functionError } = await this.invoke(registration, payload, requestId);
      if (!functionError) return;
      await clock.sleep(pause * 1000);
    }
  }

  async #run(registration: Registration, payload: string, requestId: string): Promise<Result> {
    try {
      if (this.#dark) return await new Promise<never>(() => {});
      const answer = await registration.handler(JSON.parse(payload || '{}'), this.#context(registration, requestId));
      const body = JSON.stringify(answer) ?? 'null';
      return Buffer.byteLength(body) > MAX_ANSWER ? TOO_LARGE : { payload: body };
    } catch (error) {
      return failed(errorOf(error));
    }
  }

  #context({ name, memoryMb, timeoutSeconds, clockOffsetMillis = 0 }: Registration, requestId: string): HandlerContext {
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

/** A synchronous answer, or request, has at most 6 MB (Lambda guide, "Quotas"). */
export const MAX_REQUEST = 6_291_456;
const MAX_ANSWER = 6_291_556;

const failed = (error: object): Result => ({ functionError: 'Unhandled', payload: JSON.stringify(error) });

const TOO_LARGE = failed({
  errorType: 'Function.ResponseSizeTooLarge',
  errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_ANSWER} bytes).`,
});

/** The runtime is stopped at the function's limit; what it would have answered later is lost, but what it did is done. */
const timedOut = ({ timeoutSeconds }: Registration, requestId: string): Result =>
  failed({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  });

/** Node's runtime answers an error's name, message and stack (Lambda guide, "Node.js function errors"). The stack names no files of this machine. */
function errorOf(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  const { name, message } = error;
  return { errorType: name, errorMessage: message, trace: [`${name}: ${message}`] };
}

const FUNCTION = /^(?:arn:[^:]+:lambda:([^:]+):)?(?:(\d{12}):)?(?:function:)?([^:]+)(?::[^:]+)?$/;

function parse(text: string): { name: string; region?: string | undefined; account?: string | undefined } {
  const [, region, account, name = text] = FUNCTION.exec(text) ?? [];
  return { name, region, account };
}

export const codeDigest = (name: string): string => createHash('sha256').update(name).digest('base64');
