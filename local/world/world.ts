import { readdirSync } from 'node:fs';
import { ACCESS_DENIED_EXCEPTION, authorize } from './authorization/authorize.ts';
import { checksOf } from './authorization/checks.ts';
import { Permissions } from './authorization/permissions.ts';
import { readReference } from './authorization/reference.ts';
import { assumed } from './authorization/trust.ts';
import { Clock } from './clock.ts';
import { copyOf } from './copy.ts';
import { DarkRegions } from './dark.ts';
import { type Decide, type Fault, noFaults } from './faults.ts';
import { Journal } from './journal.ts';
import { Random } from './random.ts';
import { type Context, Refusal, type Service } from './service.ts';

/** An account in a region. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** Who is calling: a principal of an account. `arn` ends in `:root` for the account's own keys. */
export interface Caller {
  readonly account: string;
  readonly arn: string;
  /** An AWS service that calls in its own name, such as `events.amazonaws.com`. */
  readonly service?: string;
}

/** One request as it arrives, whatever brought it: a socket or a direct call. */
export interface Request {
  readonly place: Place;
  readonly service: string;
  readonly operation: string;
  readonly input: object;
  readonly caller?: Caller;
}

/** The header that names a client of this machine, see `World.clients`. */
export const CLIENT_HEADER = 'x-local-client';

/** A program whose requests are counted, so that it is known whether it waits for us or we for it. */
export interface Client {
  /** One of its requests has reached the world. */
  arrived(): void;
  /** The answer is about to be on its way, or the connection about to break. */
  answered(): void;
}

export interface WorldOptions {
  readonly seed?: string | number;
  /** When the world begins, in milliseconds since the epoch. */
  readonly start?: number;
  /** See Clock: 1 for direct calls, more where SDK clients stand in between. */
  readonly patience?: number;
  /** How long a request takes to arrive, and how long its answer, in milliseconds: the seed chooses within. */
  readonly latency?: readonly [number, number];
  /** How many of its last requests it remembers; all unless given. */
  readonly remembered?: number | undefined;
  /** Where the world is served, once it is; what answers name as endpoints begins with it. */
  readonly origin?: string;
}

/** A connection that broke: the caller does not know whether the request took effect. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

const ROOT = (account: string): Caller => ({ account, arn: `arn:aws:iam::${account}:root` });

/** Accounts × regions × services: the state of everything, one clock, one seed. It knows no customer. */
export class World {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly permissions = new Permissions();
  readonly services: ReadonlyMap<string, Service>;
  readonly dark = new DarkRegions(() => this.clock.now());
  faults: Decide = noFaults;
  /** `http://127.0.0.1:PORT` where served; else a name that only in-process callers resolve. */
  origin: string;
  /** Programs of this machine that talk to the served world and wait for nothing but its answers, by the name that their requests bear. */
  readonly clients = new Map<string, Client>();
  readonly #latency: readonly [number, number];
  readonly #states = new Map<string, unknown>();
  readonly #ends = new Set<() => Promise<unknown>>();
  #requests = 0;

  constructor(services: ReadonlyMap<string, Service>, options: WorldOptions = {}) {
    this.services = services;
    this.random = new Random(options.seed ?? 0);
    this.clock = new Clock({ ...(options.start === undefined ? {} : { start: options.start }), patience: options.patience ?? 1 });
    this.journal = new Journal(options.remembered);
    this.origin = options.origin ?? 'http://local.aws.invalid';
    this.#latency = options.latency ?? [8, 60];
  }

  /** The state of a service at a place, made when first asked for. Also the door for what no API of AWS offers, such as a disk's bytes. */
  state<State>(name: string, place: Place): State {
    const service = this.services.get(name);
    if (!service) throw new Error(`There is no local service "${name}".`);
    const key =
      service.scope === 'partition'
        ? name
        : service.scope === 'account'
          ? `${name}/${place.account}`
          : `${name}/${place.account}/${place.region}`;
    let state = this.#states.get(key);
    if (state === undefined) {
      state = service.state({ ...place, world: this });
      this.#states.set(key, state);
    }
    return state as State;
  }

  /** Every place at which a service has been used. */
  places(name: string): Place[] {
    return [...this.#states.keys()].flatMap((key) => {
      const [service, account, region] = key.split('/');
      return service === name && account && region ? [{ account, region }] : [];
    });
  }

  /** Has `end` run when the world is closed. */
  atEnd(end: () => Promise<unknown>): void {
    this.#ends.add(end);
  }

  /** Ends what the world has running on the machine. */
  async close(): Promise<void> {
    this.clock.stop();
    await Promise.all([...this.#ends].map((end) => end()));
  }

  /** Forgets everything but the time. */
  reset(): void {
    this.#states.clear();
    this.dark.clear();
    this.faults = noFaults;
    this.journal.clear();
    this.permissions.clear();
  }

  /** One request to a service. Throws a Refusal for an answer that is an error, ConnectionLost where no answer comes. */
  call(request: Request): Promise<any> {
    return this.carry(request, (requestId) => this.#run(request, requestId));
  }

  /**
   * One request's life, whatever runs it: it travels, a dark region breaks it, a fault may strike before or after the effect, it runs, the
   * answer travels back.
   */
  async carry<T>(request: Request, run: (requestId: string) => T | Promise<T>): Promise<T> {
    const { place, service: name, operation } = request;
    const requestId = this.random.uuid();
    const number = ++this.#requests;
    const entry = this.journal.begin({
      number,
      at: this.clock.now(),
      place,
      service: name,
      operation,
      input: request.input,
      caller: (request.caller ?? ROOT(place.account)).arn,
    });
    const fault = this.faults({ number, place, service: name, operation, input: request.input });
    await this.#travel(fault);
    if (this.dark.has(place.region)) throw entry.lost(new ConnectionLost(`${place.region} is dark`));
    try {
      strike(fault, 'before');
      const output = await run(requestId);
      if (this.dark.has(place.region)) throw new ConnectionLost(`${place.region} is dark`);
      await this.#travel(fault);
      strike(fault, 'after');
      entry.done(this.clock.now());
      return output;
    } catch (error) {
      if (error instanceof ConnectionLost) throw entry.lost(error);
      await this.#travel(undefined);
      entry.refused(this.clock.now(), error instanceof Refusal ? error.code : 'InternalFailure');
      throw error;
    }
  }

  async #run(request: Request, requestId: string): Promise<unknown> {
    const service = this.services.get(request.service);
    const run = service?.operations[request.operation];
    if (!run) {
      throw new Refusal('NotImplemented', `The local AWS does not model ${request.service}:${request.operation}.`, {
        status: 501,
      });
    }
    const context = this.context(request, requestId);
    this.#authorize(service as Service, request, context);
    const output = await run(copyOf(request.input), context);
    return copyOf(output ?? {});
  }

  /** Every call is judged before it runs; those of an account's root as far as resources have policies, which bind it too. */
  #authorize(service: Service, { operation, input }: Request, context: Context<any>): void {
    const { itself, guard, refusing = ACCESS_DENIED_EXCEPTION } = service.authorization ?? {};
    if (itself || !this.services.has('iam')) return;
    if (guard === undefined && context.caller.arn.endsWith(':root') && context.caller.account === context.account) return;
    authorize(
      checksOf(service, operation, input, context),
      { world: this, caller: context.caller, region: context.region },
      refusing,
    );
  }

  /** What an operation is given; also for what happens later on a service's own account. */
  context<State>(
    { place, service, caller }: Pick<Request, 'place' | 'service' | 'caller'>,
    requestId = this.random.uuid(),
  ): Context<State> {
    const who = caller ?? ROOT(place.account);
    return {
      ...place,
      world: this,
      caller: who,
      requestId,
      state: this.state<State>(service, place),
      now: () => new Date(this.clock.now()),
      after: (seconds, run) => {
        const delay = typeof seconds === 'number' ? seconds : this.random.between(seconds[0], seconds[1]);
        this.clock.after(delay * 1000, run);
      },
      id: (prefix) => `${prefix}-0${this.random.hex(16)}`,
      peer: (name, elsewhere) => this.state(name, { ...place, ...elsewhere }),
      call: (name, operation, input, elsewhere) =>
        this.call({ place: { ...place, ...elsewhere }, service: name, operation, input, caller: who }),
      assume: (name, roleArn, session) => assumed(this, { service: name, roleArn, session, for: place }),
    };
  }

  async #travel(fault: Fault | undefined): Promise<void> {
    const [from, to] = this.#latency;
    await this.clock.sleep(this.random.between(from, to) * (fault?.slowdown ?? 1));
  }
}

function strike(fault: Fault | undefined, when: 'before' | 'after'): void {
  if (fault?.when !== when) return;
  if (fault.answer === 'silence') throw new ConnectionLost('The connection was reset.');
  throw new Refusal(fault.answer.code, fault.answer.message, { status: fault.answer.status });
}

/** Finds the services by folder; nothing is registered. */
export async function loadServices(): Promise<Map<string, Service>> {
  const folder = new URL('../services/', import.meta.url);
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const services = new Map<string, Service>();
  for (const { name } of names) {
    const { service } = (await import(new URL(`${name}/index.ts`, folder).href)) as { service: Service };
    if (service.name !== name)
      throw new Error(`local/services/${name} calls itself "${service.name}"; a service's folder bears its signing name.`);
    await readReference(name, actionsOf(service));
    services.set(name, service);
  }
  return services;
}

/** The actions, without prefix, that a service's operations are called in IAM. */
export const actionsOf = ({ operations, authorization: { called = {}, instead = {} } = {} }: Service): string[] =>
  Object.keys(operations)
    .filter((operation) => !Object.hasOwn(instead, operation))
    .map((operation) => called[operation] ?? operation);
