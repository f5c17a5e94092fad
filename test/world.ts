import { install } from '../demo/install.ts';
import { installShop, type Shop, type ShopOptions } from '../demo/shop/shop.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { open, type Verb } from '../functions/aws/verb.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Place, Report, Sealed } from '../functions/domain.ts';
import { machineArn } from '../functions/vault/layout.ts';
import { listSealed } from '../functions/vault/ledger.ts';
import { readRestore } from '../functions/vault/restores.ts';
import type { Execution } from '../local/services/states/execution.ts';
import type { StatesState } from '../local/services/states/state.ts';
import { direct } from '../local/world/direct.ts';
import type { Service } from '../local/world/service.ts';
import { loadServices, World } from '../local/world/world.ts';

/** A world with the shop and Stillpoint in it, reached by direct dispatch. */
export const HOME: Place = { account: '111122223333', region: 'us-east-1' };
export const WEST: Place = { account: '111122223333', region: 'eu-west-1' };

let services: ReadonlyMap<string, Service> | undefined;

/** The same region in an account of its own. */
export const SAFE: Place = { account: '444455556666', region: 'eu-west-1' };

export interface StageOptions {
  readonly seed: string | number;
  /** When the world begins, in milliseconds since the epoch. */
  readonly start?: number;
  readonly shop?: ShopOptions;
  /** Where copies are kept. */
  readonly vault?: Place;
  readonly configuration?: (of: Configuration) => Configuration;
  /** Stands between a step's function and AWS. */
  readonly between?: (transport: Transport, step: string, place: Place, world: World) => Transport;
  readonly clockOffsets?: Readonly<Record<string, number>>;
  readonly schedules?: boolean;
  /** What is done to the world of the shop before Stillpoint comes into it. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Where the lines that functions log go. */
  readonly log?: (line: object) => void;
}

const target = (place: Place, cluster: string | undefined, subnets: readonly string[]) => ({
  place,
  ...(cluster ? { cluster } : {}),
  subnets,
  securityGroups: [],
  zones: [],
});

export const configurationFor = (
  { cluster = true }: ShopOptions = {},
  subnets: readonly string[] = [],
  vault = WEST,
): Configuration => ({
  applications: {
    shop: {
      name: 'shop',
      home: HOME,
      ...(cluster ? { cluster: 'shop' } : {}),
      namespaces: cluster ? ['shop'] : [],
      resources: { tags: { app: 'shop' }, arns: [] },
      freeze: { function: 'shop-freeze', leaseSeconds: 20 },
      slow: {},
    },
  },
  policies: {
    hourly: {
      name: 'hourly',
      applications: ['shop'],
      schedule: 'cron(0 * * * ? *)',
      timezone: 'UTC',
      on: ['codepipeline-started'],
      vaults: ['west'],
      keep: { hourly: 24, daily: 14 },
    },
  },
  vaults: {
    west: {
      name: 'west',
      place: vault,
      lock: { mode: 'compliance', days: 14 },
      target: target(vault, cluster ? 'shop-standby' : undefined, subnets),
    },
  },
});

export class Stage {
  readonly world: World;
  readonly shop: Shop;
  readonly configuration: Configuration;
  #names = 0;

  constructor(world: World, shop: Shop, configuration: Configuration) {
    this.world = world;
    this.shop = shop;
    this.configuration = configuration;
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.world.clock.settle(work);
  }

  advance(seconds: number): Promise<void> {
    return this.world.clock.advance(seconds * 1000);
  }

  states(place: Place): StatesState {
    return this.world.state<StatesState>('states', place);
  }

  start(place: Place, workflow: string, input: object, name = `execution-${++this.#names}`): Execution {
    const states = this.states(place);
    return states.start(states.machine(machineArn(place, workflow)), name, JSON.stringify(input));
  }

  /** Runs a workflow to its end. */
  async run(place: Place, workflow: string, input: object, name?: string): Promise<Execution> {
    const execution = this.start(place, workflow, input, name);
    await this.settle(execution.ended);
    return execution;
  }

  startProtect(more: object = {}, name?: string): Execution {
    const due = new Date(Math.floor(this.world.clock.now() / 1000) * 1000).toISOString();
    return this.start(
      HOME,
      'protect',
      { application: 'shop', policy: 'hourly', trigger: 'person', due, asker: 'test', ...more },
      name,
    );
  }

  open<In, Out>(verb: Verb<any, In, Out>, here: Place): (input: In) => Promise<Out> {
    const { clock, random } = this.world;
    const opened = open(
      verb,
      direct(this.world),
      { now: () => clock.now(), sleep: (ms) => clock.sleep(ms), random: (n) => random.hex(n) },
      { here, home: HOME },
    );
    return (input) => this.settle(opened(input));
  }

  sealed(place: Place): Promise<Sealed[]> {
    return this.open(listSealed, place)({ application: 'shop' }).then((found) => found.map(({ point }) => point));
  }

  /** Lets time pass until the vault has as many points as asked for. */
  async replicated(place: Place, count = 1): Promise<Sealed[]> {
    for (let minutes = 0; minutes < 240; minutes += 2) {
      const points = await this.sealed(place);
      if (points.length >= count) return points;
      await this.advance(120);
    }
    throw new Error(`${place.region} has not ${count} sealed points after four hours.`);
  }

  async restore(place: Place, restore: string, more: object = {}): Promise<{ execution: Execution; report: Report | undefined }> {
    const execution = await this.run(place, 'restore', { application: 'shop', point: 'latest', restore, ...more });
    return { execution, ...(await this.reportOf(place, restore)) };
  }

  async reportOf(place: Place, restore: string): Promise<{ report: Report | undefined }> {
    const { report } = await this.open(readRestore, place)({ application: 'shop', restore });
    return { report };
  }
}

/** Sets a stage; nothing on it happens by itself unless `schedules` says so. */
export async function stage({
  seed,
  start,
  shop: options = {},
  vault = WEST,
  configuration: change = (of) => of,
  between = (transport) => transport,
  schedules = false,
  prepare = async () => {},
  ...more
}: StageOptions): Promise<Stage> {
  services ??= await loadServices();
  const world = new World(services, { seed, ...(start === undefined ? {} : { start }) });
  const transport = direct(world);
  const shop = await world.clock.settle(installShop(world, transport, { small: true, cluster: false, ...options }));
  const configuration = change(configurationFor({ cluster: false, ...options }, shop.subnetsAt(vault), vault));
  await world.clock.settle(
    install(world, {
      configuration,
      transport: (place, step, role) => between(direct(world, role), step, place, world),
      schedules,
      ...more,
    }),
  );
  await prepare(world);
  return new Stage(world, shop, configuration);
}
