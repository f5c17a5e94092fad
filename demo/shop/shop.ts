import type { Clock } from '../../functions/aws/clock.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import type { Artifact, Instant, Interval, Place, Rename } from '../../functions/domain.ts';
import type { HookAnswer, HookEvent } from '../../functions/freeze/hook.ts';
import type { HandlerContext, LambdaState } from '../../local/services/lambda/state.ts';
import type { Random } from '../../local/world/random.ts';
import type { World } from '../../local/world/world.ts';
import { type Content, contentOf, readStores } from './audit.ts';
import { Cluster } from './cluster.ts';
import { eatData } from './damage.ts';
import { type Site, siteAt } from './door.ts';
import type { Maintenance } from './freeze.ts';
import { maintenanceOf } from './maintenance.ts';
import { NAMESPACE } from './manifests.ts';
import { SMALL_STOCK, STOCK } from './opening.ts';
import { type Ground, letIn, prepare } from './region.ts';
import { deploy, idsOf, makeAll, makeCluster, type Names, pushImages, type Secrets } from './resources.ts';
import type { Opening, Reading } from './store.ts';
import { everyStore, everyStoreSoon, SORTS, STORES, type StoreName, type Stores } from './stores.ts';
import { namesAfter, thaw } from './thaw.ts';
import { readUploads, Uploads, uploadsArn, wrongUploads } from './uploads.ts';
import { type Misbehaviour, type Pace, Writers } from './writers.ts';

export const HOOK = 'shop-freeze';

export interface ShopOptions {
  readonly account?: string;
  /** The regions in which it lives, and in which it could live. */
  readonly home?: string;
  readonly standby?: string;
  /** Whose the standby region is, where that is not the shop's own account. */
  readonly standbyAccount?: string;
  readonly pace?: Pace;
  readonly misbehaviour?: Misbehaviour;
  /** Fewer things of everything. */
  readonly small?: boolean;
  /** Without one, the shop has no Kubernetes objects and no images. */
  readonly cluster?: boolean;
  /** Without them, nothing of the shop lies on EFS. */
  readonly uploads?: boolean;
  /** How far the clock of its function is from the world's. */
  readonly hookClockOffsetMillis?: number;
}

interface Clusters {
  readonly home: Cluster;
  readonly standby: Cluster;
  /** The clear text of what its Secrets hold. */
  readonly secrets: readonly string[];
}

interface Parts {
  readonly here: Site;
  /** Where it could live. */
  readonly there: Site;
  readonly ground: { readonly here: Ground; readonly there: Ground };
  readonly random: Random;
  readonly names: Names;
  readonly stores: Stores;
  readonly uploads: Uploads | undefined;
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
    this.resources = [...idsOf(names).map(({ arn }) => arn), ...(clusters ? [`${clusters.home.arn}/${NAMESPACE}`] : [])];
  }

  get names(): Names {
    return this.#parts.names;
  }

  get place(): Place {
    return this.#parts.names.place;
  }

  /** The subnets in which it can be restored in a region that it was prepared for. */
  subnetsAt({ region }: Place): readonly string[] {
    const { ground, there } = this.#parts;
    return region === this.place.region ? ground.here.subnets : region === there.place.region ? ground.there.subnets : [];
  }

  get writers(): Writers {
    return this.#parts.writers;
  }

  get maintenance(): Maintenance {
    return this.#parts.maintenance;
  }

  /** The clear text of its Secrets, for those who make sure that it stands nowhere else. */
  get secrets(): readonly string[] {
    return this.#parts.clusters?.secrets ?? [];
  }

  /** Its cluster at a place, if it has one there. */
  clusterAt({ region }: Place): Cluster | undefined {
    const { clusters } = this.#parts;
    return clusters && [clusters.home, clusters.standby].find(({ place }) => place.region === region);
  }

  /** What its stores hold now, read through AWS's APIs and from its disk. */
  readLive(): Promise<Content> {
    return readStores(this.#parts.here, this.names);
  }

  /** What was restored at a place under new names. Throws if a store was not restored. */
  async readRestored(place: Place, renames: readonly Rename[]): Promise<Content> {
    const names = namesAfter(this.names, place, renames);
    const lacking = STORES.map((store) => SORTS[store].word).filter((word) => !names[word]);
    if (lacking.length > 0) throw new Error(`Not restored, as far as its renames say: ${lacking.join(', ')}.`);
    return readStores(await this.#site(place), names as Names);
  }

  /** What is wrong with the uploads that were restored at a place from a point of this instant, one sentence each. */
  async wrongUploads(
    place: Place,
    renames: readonly Rename[],
    { instant, artifacts }: { readonly instant: Instant; readonly artifacts: readonly Artifact[] },
  ): Promise<string[]> {
    const { uploads, names } = this.#parts;
    if (!uploads || !names.uploads) return [];
    const id = uploadsArn(names.place, names.uploads);
    const walked: Interval | undefined = artifacts.find(({ resource }) => resource === id)?.interval;
    const restored = namesAfter(names, place, renames).uploads;
    if (!walked || !restored) return ['The uploads are not in the point, or were not restored.'];
    return wrongUploads(readUploads(await this.#site(place), restored), Date.parse(instant), walked, uploads);
  }

  /** What its stores truly held at an instant, to the millisecond: from the record of what was done, not from any copy. */
  truthAt(at: Instant | number): Content {
    const date = new Date(at);
    return contentOf(everyStore((store) => this.#parts.stores[store].truthAt(date)));
  }

  /** What its stores held at every instant between these two at which that differed, by steps of some milliseconds. */
  truthsBetween(from: Instant | number, to: Instant | number, step = 20): Content[] {
    return [...instantsBetween(new Date(from), new Date(to), step)].map((at) => this.truthAt(at.getTime()));
  }

  /** Whatever one store may be found to hold where it is captured between these two, one after the other, the likeliest first. */
  *possibleBetween(store: StoreName, from: Instant, to: Instant): Generator<Reading> {
    const [first, last] = [new Date(from), new Date(to)];
    const one = this.#parts.stores[store];
    if (one.possibleBetween) yield* one.possibleBetween(first, last);
    for (const step of [20, 1]) for (const at of instantsBetween(first, last, step)) yield one.truthAt(at);
  }

  /** A bad deployment eats data. The writers stop, as there is nothing left to serve. */
  async damage(): Promise<string[]> {
    const { here, random, clusters, writers } = this.#parts;
    await writers.stop();
    return await eatData(here, this.names, random.stream('damage'), clusters?.home);
  }

  /** Backs each store up on its own, one after the other, with a pause before each. Answers how to restore them all, and as what they come back. */
  async backUpEach(label: string, pause: () => Promise<void>): Promise<() => Promise<Rename[]>> {
    const { here, names } = this.#parts;
    const restores: (() => Promise<Rename>)[] = [];
    for (const { word, backUp } of Object.values(SORTS)) {
      await pause();
      const restore = await backUp(here, names[word], label);
      restores.push(async () => ({ was: names[word], is: await restore(), what: word }));
    }
    return () => Promise.all(restores.map((restore) => restore()));
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
    const names = namesAfter(this.names, there, renames);
    return thaw({ names, site: await this.#site(there), cut, ...(cluster ? { cluster } : {}) });
  }

  #site(place: Place): Promise<Site> {
    const { world, transport, clock } = this.#parts.here;
    return siteAt(world, transport, clock, place);
  }
}

function* instantsBetween(from: Date, to: Date, step: number): Generator<Date> {
  const count = Math.ceil((to.getTime() - from.getTime()) / step);
  for (let i = 0; i <= count; i++) yield new Date(Math.min(to.getTime(), from.getTime() + i * step));
}

/** Builds a shop in a world, fills it and deploys its function at home and in the standby region. Its writers are not started. */
export async function installShop(world: World, transport: Transport, options: ShopOptions = {}): Promise<Shop> {
  const { account = '111122223333', home = 'us-east-1', standby = 'eu-west-1', small = false } = options;
  const { standbyAccount = account, misbehaviour = {}, pace = { clients: 4, rate: 8 } } = options;
  const random = world.random.stream('shop');
  const clock: Clock = {
    now: () => world.clock.now(),
    sleep: (millis) => world.clock.sleep(millis),
    random: (digits) => random.hex(digits),
  };
  const at = (place: Place): Promise<Site> => siteAt(world, transport, clock, place);
  const [here, there] = await Promise.all([at({ account, region: home }), at({ account: standbyAccount, region: standby })]);
  const ground = { here: await prepare(here), there: await prepare(there) };
  const secrets = secretsOf(random.stream('secrets'));
  const making = { key: ground.here.key, standby: there, password: secrets.password };
  const names = await makeAll(here, making, ground.here, options.uploads !== false);

  if (standbyAccount !== account) await letIn(here, standbyAccount, ground.here.key, names.bucket);

  const stock = small ? SMALL_STOCK : STOCK;
  const stores = await openStores(names, { site: here, stock, random, flushes: misbehaviour.unflushed !== true });
  const uploads = names.uploads ? new Uploads(here, names.uploads) : undefined;
  for (let i = 0; i < stock.uploads; i++) uploads?.add(random.stream(`upload ${i}`));
  const clusters = options.cluster === false ? undefined : await runClusters(here, there, names, secrets, small);

  const writers = new Writers({ stores, uploads, clock, random: random.stream('writers'), pace, misbehaviour });
  const maintenance = maintenanceOf({ here, names, stores, uploads, writers, misbehaviour, cluster: clusters?.home });
  const shop = new Shop({ here, there, ground, names, random, stores, uploads, writers, maintenance, clusters });
  for (const { place } of [here, there]) register(world, shop, place, options.hookClockOffsetMillis);
  return shop;
}

const secretsOf = (random: Random): Secrets => ({ password: random.hex(24), token: random.hex(40) });

const openStores = (names: Names, opening: Opening): Promise<Stores> =>
  everyStoreSoon((store, { word, open }) => open(names[word], { ...opening, random: opening.random.stream(store) }));

/** A cluster at home with the shop in it, and an empty one in the standby region that can pull the same images. */
async function runClusters(here: Site, there: Site, names: Names, secrets: Secrets, small: boolean): Promise<Clusters> {
  const home = new Cluster(here, 'shop');
  const standby = new Cluster(there, 'shop-standby');
  const [images] = await Promise.all([pushImages(here, there), makeCluster(here, home), makeCluster(there, standby)]);
  return { home, standby, secrets: await deploy(home, here, names, images, secrets, small) };
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
