import type { Clock } from '../../functions/aws/clock.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import type { Instant, Place, Rename } from '../../functions/domain.ts';
import type { HookAnswer, HookEvent } from '../../functions/freeze/hook.ts';
import type { DynamoDbState } from '../../local/services/dynamodb/state.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import type { HandlerContext, LambdaState } from '../../local/services/lambda/state.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import type { Random } from '../../local/world/random.ts';
import type { World } from '../../local/world/world.ts';
import { type Content, contentOf, readStores } from './audit.ts';
import { CartStore, type Item } from './cart-store.ts';
import { Cluster } from './cluster.ts';
import { eatData } from './damage.ts';
import { Database, type Disk } from './database.ts';
import { openDoor, type ShopDoor, type Site } from './door.ts';
import { Maintenance } from './freeze.ts';
import { LedgerStore } from './ledger-store.ts';
import { cartIds, openForBusiness, SMALL_STOCK, STOCK, type Stock } from './opening.ts';
import { deploy, makeCluster, makeKey, makeStores, type Names, pushImages, resourceIds } from './resources.ts';
import { namesAfter, thaw } from './thaw.ts';
import { controlItem, definitionsPosition, maintenanceWord, ownHeader } from './traces.ts';
import { VoucherStore } from './voucher-store.ts';
import { type Misbehaviour, type Pace, Writers } from './writers.ts';

export const HOOK = 'shop-freeze';
export const NAMESPACE = 'shop';

export interface ShopOptions {
  readonly account?: string;
  /** The regions in which it lives, and in which it could live. */
  readonly home?: string;
  readonly standby?: string;
  readonly pace?: Pace;
  readonly misbehaviour?: Misbehaviour;
  /** Fewer things of everything. */
  readonly small?: boolean;
  /** Without one, the shop has no Kubernetes objects and no images. */
  readonly cluster?: boolean;
  /** How far the clock of its function is from the world's. */
  readonly hookClockOffsetMillis?: number;
}

interface Clusters {
  readonly home: Cluster;
  readonly standby: Cluster;
  readonly secrets: { readonly password: string; readonly token: string };
}

interface Parts {
  readonly world: World;
  readonly here: Site;
  readonly random: Random;
  readonly names: Names;
  readonly ledger: LedgerStore;
  readonly writers: Writers;
  readonly maintenance: Maintenance;
  readonly clusters: Clusters | undefined;
}

/** A shop in a world of the local AWS: what it keeps, those who write there, and what it truly held when. */
export class Shop {
  readonly #parts: Parts;
  /** The ids under which restore points list what it consists of. */
  readonly resources: readonly string[];

  constructor(parts: Parts) {
    this.#parts = parts;
    const { names, clusters } = parts;
    this.resources = [...Object.values(resourceIds(names)), ...(clusters ? [`${clusters.home.arn}/${NAMESPACE}`] : [])];
  }

  get names(): Names {
    return this.#parts.names;
  }

  get place(): Place {
    return this.#parts.names.place;
  }

  get writers(): Writers {
    return this.#parts.writers;
  }

  get maintenance(): Maintenance {
    return this.#parts.maintenance;
  }

  /** The clear text of its Secrets, for those who make sure that it stands nowhere else. */
  get secrets(): readonly string[] {
    return Object.values(this.#parts.clusters?.secrets ?? {});
  }

  /** Its cluster at a place, if it has one there. */
  clusterAt({ region }: Place): Cluster | undefined {
    const { clusters } = this.#parts;
    return clusters && [clusters.home, clusters.standby].find(({ place }) => place.region === region);
  }

  /** What its stores hold now, read through AWS's APIs and from its disk. */
  readLive(): Promise<Content> {
    return readStores(this.#parts.here.aws, this.names, this.#disk(this.place, this.names.volume));
  }

  /** What was restored at a place under new names. Throws if a store was not restored. */
  async readRestored(place: Place, renames: readonly Rename[]): Promise<Content> {
    const { volume, table, bucket } = namesAfter(this.names, place, renames);
    if (!volume || !table || !bucket) {
      const lacking = Object.entries({ volume, table, bucket }).filter(([, name]) => !name);
      throw new Error(`Not restored, as far as its renames say: ${lacking.map(([what]) => what).join(', ')}.`);
    }
    return readStores(await this.#door(place), { table, bucket }, this.#disk(place, volume));
  }

  /** What its stores truly held at an instant, to the millisecond: from the record of what was done, not from any copy. */
  truthAt(at: Instant | number): Content {
    const { world, ledger, names } = this.#parts;
    const date = new Date(at);
    const objects = world.state<S3State>('s3', names.place).asOf(names.bucket, date);
    return contentOf({
      entries: ledger.history.filter(({ safeAt }) => safeAt <= date.getTime()).map(({ entry }) => entry),
      items: world.state<DynamoDbState>('dynamodb', names.place).itemsAt(names.table, date) as readonly Item[],
      objects: [...objects].map(([key, { body }]) => [key, body] as const),
    });
  }

  /** What its stores held at every instant between these two at which that differed, by steps of some milliseconds. */
  truthsBetween(from: Instant | number, to: Instant | number, step = 20): Content[] {
    const [first, last] = [new Date(from).getTime(), new Date(to).getTime()];
    const count = Math.ceil((last - first) / step);
    return Array.from({ length: count + 1 }, (_, i) => this.truthAt(Math.min(last, first + i * step)));
  }

  /**
   * What the volume may have held when it was asked for its bytes between these two: all that had reached it, and of what was written but not
   * flushed any beginning, as the host's cache writes back when it likes.
   */
  databasesBetween(from: Instant | number, to: Instant | number): Content[] {
    const { history } = this.#parts.ledger;
    const [first, last] = [new Date(from).getTime(), new Date(to).getTime()];
    const least = history.filter(({ safeAt }) => safeAt <= first).length;
    const most = history.filter(({ writtenAt }) => writtenAt <= last).length;
    return Array.from({ length: most - least + 1 }, (_, more) =>
      contentOf({ entries: history.slice(0, least + more).map(({ entry }) => entry), items: [], objects: [] }),
    );
  }

  /** A bad deployment eats data. The writers stop, as there is nothing left to serve. */
  async damage(): Promise<string[]> {
    const { here, random, clusters, writers } = this.#parts;
    await writers.stop();
    return await eatData(
      here.aws,
      this.names,
      this.#disk(this.place, this.names.volume),
      random.stream('damage'),
      clusters?.home,
    );
  }

  /** The shop's function, as it is called at a place: at home it holds the shop still, anywhere it wakes up what was restored. */
  async hook(event: HookEvent, here: Place, now: () => number): Promise<HookAnswer | { thawed: string[] }> {
    if (event.action === 'thaw') return { thawed: await this.#thaw(event, here) };
    if (here.region !== this.place.region)
      throw new Error(`The shop lives in ${this.place.region}; there is nothing to ${event.action} in ${here.region}.`);
    return event.action === 'freeze' ? await this.maintenance.freeze(event, now) : await this.maintenance.release(event, now);
  }

  async #thaw({ place, renames = [], cut }: HookEvent, here: Place): Promise<string[]> {
    const there = place ?? here;
    const cluster = this.clusterAt(there);
    return thaw(
      {
        names: namesAfter(this.names, there, renames),
        aws: await this.#door(there),
        disk: (volume) => this.#disk(there, volume),
        cut,
        ...(cluster ? { cluster } : {}),
      },
      this.#parts.here.clock,
    );
  }

  #door(place: Place): Promise<ShopDoor> {
    const { transport, clock } = this.#parts.here;
    return openDoor(transport, clock, place);
  }

  /** The bytes of a volume, as a process on the instance that mounts it reads and writes them. */
  #disk(place: Place, volume: string): Disk {
    return this.#parts.world.state<Ec2State>('ec2', place).disk(volume);
  }
}

/** Builds a shop in a world, fills it and deploys its function at home and in the standby region. Its writers are not started. */
export async function installShop(world: World, transport: Transport, options: ShopOptions = {}): Promise<Shop> {
  const { account = '111122223333', home = 'us-east-1', standby = 'eu-west-1', small = false } = options;
  const { misbehaviour = {}, pace = { clients: 4, rate: 8 } } = options;
  const random = world.random.stream('shop');
  const clock: Clock = {
    now: () => world.clock.now(),
    sleep: (millis) => world.clock.sleep(millis),
    random: (digits) => random.hex(digits),
  };
  const siteAt = async (region: string): Promise<Site> => {
    const place = { account, region };
    return { place, transport, clock, aws: await openDoor(transport, clock, place) };
  };
  const [here, there] = await Promise.all([siteAt(home), siteAt(standby)]);
  const { aws, place } = here;

  const [names] = await Promise.all([makeStores(aws, clock, place), makeKey(there.aws)]);
  const disk = world.state<Ec2State>('ec2', place).disk(names.volume);
  const stock = small ? SMALL_STOCK : STOCK;
  const stores = storesOf(names, { here, disk, stock, random, flushes: misbehaviour.unflushed !== true });
  await openForBusiness(aws, names, stores, stock, random.stream('stock'));
  const clusters = options.cluster === false ? undefined : await runClusters(here, there, names, random.stream('secrets'), small);

  const writers = new Writers({ stores, clock, random: random.stream('writers'), pace, misbehaviour });
  const maintenance = maintenanceOf({ here, names, stores, writers, misbehaviour, cluster: clusters?.home });
  const shop = new Shop({ world, here, names, random, ledger: stores.database, writers, maintenance, clusters });
  for (const at of [place, there.place]) register(world, shop, at, options.hookClockOffsetMillis);
  return shop;
}

interface Building {
  readonly here: Site;
  readonly disk: Disk;
  readonly stock: Stock;
  readonly random: Random;
  readonly flushes: boolean;
}

function storesOf(names: Names, { here: { aws, clock }, disk, stock, random, flushes }: Building) {
  const { table, bucket } = names;
  const ids = resourceIds(names);
  const database = Database.format(disk);
  return {
    database: new LedgerStore({ resource: ids.database, database, clock, random: random.stream('disk'), flushes }),
    table: new CartStore({ resource: ids.table, table, aws, carts: cartIds(stock) }),
    bucket: new VoucherStore({ resource: ids.bucket, bucket, aws }),
  };
}

/** A cluster at home with the shop in it, and an empty one in the standby region that can pull the same images. */
async function runClusters(
  here: Site,
  there: Site,
  names: Awaited<ReturnType<typeof makeStores>>,
  random: Random,
  small: boolean,
): Promise<Clusters> {
  const home = new Cluster(here, 'shop');
  const standby = new Cluster(there, 'shop-standby');
  const [images] = await Promise.all([pushImages(here, there), makeCluster(here, home), makeCluster(there, standby)]);
  return { home, standby, secrets: await deploy(home, here.clock, names, images, random, small) };
}

interface Holding {
  readonly here: Site;
  readonly names: Names;
  readonly stores: ReturnType<typeof storesOf>;
  readonly writers: Writers;
  readonly misbehaviour: Misbehaviour;
  readonly cluster: Cluster | undefined;
}

function maintenanceOf({ here: { aws, clock }, names, stores, writers, misbehaviour, cluster }: Holding): Maintenance {
  const traces = [ownHeader(stores.database, names.volume), controlItem(aws, names.table)];
  return new Maintenance({
    writers,
    ledger: stores.database,
    stores: Object.values(stores),
    positions: async () => (cluster ? { [`${cluster.arn}/${NAMESPACE}`]: await definitionsPosition(cluster, NAMESPACE) } : {}),
    traces: cluster ? [...traces, maintenanceWord(cluster, NAMESPACE)] : traces,
    clock,
    misbehaviour,
  });
}

function register(world: World, shop: Shop, here: Place, clockOffsetMillis = 0): void {
  world.state<LambdaState>('lambda', here).register({
    name: HOOK,
    timeoutSeconds: 60,
    memoryMb: 256,
    clockOffsetMillis,
    tags: { app: 'shop' },
    handler: (event: HookEvent, { clock }: HandlerContext) => shop.hook(event, here, clock.now),
  });
}
