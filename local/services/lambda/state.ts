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
    this.find(name);
    this.#functions.delete(nameIn(name));
  }

  get functions(): readonly Registration[] {
    return [...this.#functions.values()];
  }

  /** By name, partial ARN or ARN (Lambda API, Invoke: FunctionName). */
  find(name: string): Registration {
    return (
      this.#functions.get(nameIn(name)) ??
      refuse('ResourceNotFoundException', `Function not found: ${this.arn(nameIn(name))}`, { status: 404, Type: 'User' })
    );
  }

  arn(name: string): string {
    return `arn:aws:lambda:${this.#place.region}:${this.#place.account}:function:${name}`;
  }

  /** Runs a function once. Never rejects: what the function throws is a result, as is running out of time or of its region. */
  invoke(registration: Registration, payload: string, requestId: string): Promise<Result> {
    return this.#world.clock.drive(
      Promise.race([this.#run(registration, payload, requestId), this.#timeout(registration, requestId)]),
    );
  }

  async #run(
    { name, memoryMb, timeoutSeconds, handler, clockOffsetMillis = 0 }: Registration,
    payload: string,
    requestId: string,
  ): Promise<Result> {
    const { clock, random } = this.#world;
    const deadline = clock.now() + timeoutSeconds * 1000;
    const context: HandlerContext = {
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
    try {
      const answer = await handler(JSON.parse(payload || '{}'), context);
      return { payload: JSON.stringify(answer) ?? 'null' };
    } catch (error) {
      return { functionError: 'Unhandled', payload: JSON.stringify(errorOf(error)) };
    }
  }

  /** The runtime is stopped at the function's limit; what it would have answered later is lost, but what it did is done. */
  async #timeout({ timeoutSeconds }: Registration, requestId: string): Promise<Result> {
    await this.#world.clock.sleep(timeoutSeconds * 1000);
    return {
      functionError: 'Unhandled',
      payload: JSON.stringify({
        errorType: 'Sandbox.Timedout',
        errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
      }),
    };
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return this.functions.map(({ name, tags = {} }) => ({ arn: this.arn(name), tags }));
  }
}

/** Node's runtime answers an error's name, message and stack (Lambda guide, "Node.js function errors"). */
function errorOf(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: [] };
}

const nameIn = (text: string): string =>
  /function:([^:]+)/.exec(text)?.[1] ?? text.split(':').at(text.includes(':') ? -2 : 0) ?? text;

export const codeDigest = (name: string): string => createHash('sha256').update(name).digest('base64');
