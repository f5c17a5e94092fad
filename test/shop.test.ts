import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Content,
  centsInFlight,
  contentOf,
  type Half,
  mismatches,
  tears,
  totalCents,
  unexplained,
} from '../demo/shop/audit.ts';
import { pathOf } from '../demo/shop/cluster.ts';
import { Database, inspect } from '../demo/shop/database.ts';
import { COMPONENTS, type Component, manifests } from '../demo/shop/manifests.ts';
import { installShop, type Shop, type ShopOptions } from '../demo/shop/shop.ts';
import { everyStore, SORTS, STORES } from '../demo/shop/stores.ts';
import { wrongUploads } from '../demo/shop/uploads.ts';
import type { Misbehaviour } from '../demo/shop/writers.ts';
import type { HookAnswer, HookEvent } from '../functions/freeze/hook.ts';
import { Disk } from '../local/services/ec2/disk.ts';
import { direct } from '../local/world/direct.ts';
import type { Service } from '../local/world/service.ts';
import { loadServices, World } from '../local/world/world.ts';

let services: ReadonlyMap<string, Service>;
beforeAll(async () => {
  services = await loadServices();
});

const STANDBY = { account: '111122223333', region: 'eu-west-1' };

async function open(seed: number | string, options: ShopOptions = {}): Promise<{ world: World; shop: Shop }> {
  const world = new World(services, { seed });
  const shop = await world.clock.settle(installShop(world, direct(world), { small: true, cluster: false, ...options }));
  return { world, shop };
}

const event = (action: HookEvent['action'], cut = 'cut-1', leaseSeconds = 20): HookEvent => ({
  action,
  application: 'shop',
  restorePoint: '20261122T040000Z-hourly/1',
  cut,
  leaseSeconds,
});

/** Calls the shop's function as Stillpoint would: through Lambda. */
async function invoke<Answer = HookAnswer>(
  world: World,
  payload: HookEvent,
  place = { account: '111122223333', region: 'us-east-1' },
): Promise<Answer> {
  const { Payload, FunctionError } = await world.clock
    .settle(
      direct(world).send({
        call: { service: 'lambda', command: { name: 'InvokeCommand' } },
        place,
        input: { FunctionName: 'shop-freeze', Payload: Buffer.from(JSON.stringify(payload)) },
      }),
    )
    .then(({ output }) => output);
  const text = Buffer.from(Payload).toString();
  if (FunctionError) throw new Error(text);
  return JSON.parse(text) as Answer;
}

const live = (world: World, shop: Shop): Promise<Content> => world.clock.settle(shop.readLive());

describe('the writers', () => {
  it.each([1, 2, 3])('move money and lose none (seed %i)', async (seed) => {
    const { world, shop } = await open(seed);
    const opening = totalCents(shop.truthAt(world.clock.now()));
    shop.writers.start();
    await world.clock.advance(30_000);
    const middle = shop.truthAt(world.clock.now());
    expect(totalCents(middle) + centsInFlight(middle)).toBe(opening);
    expect(tears(middle)).toEqual([]);
    await world.clock.settle(shop.writers.stop());
    const end = await live(world, shop);
    expect(shop.writers.done).toBeGreaterThan(100);
    expect(shop.writers.troubles).toEqual([]);
    expect(end.halves.length).toBe(2 * shop.writers.done);
    expect(totalCents(end)).toBe(opening);
    expect(tears(end)).toEqual([]);
    for (const [store, cents] of Object.entries(end.cents)) expect([store, cents >= 0]).toEqual([store, true]);
  });

  it('write every transfer at most once, whatever happens to their calls', async () => {
    const { world, shop } = await open(4);
    const opening = totalCents(shop.truthAt(world.clock.now()));
    const dice = world.random.stream('faults');
    world.faults = ({ service }) => {
      if (service === 'lambda' || !dice.chance(0.15)) return undefined;
      return dice.chance(0.5)
        ? { when: 'after', answer: 'silence' }
        : { when: 'before', answer: { code: 'ThrottlingException', message: 'Rate exceeded', status: 400 } };
    };
    shop.writers.start();
    await world.clock.advance(30_000);
    await world.clock.settle(shop.writers.stop());
    world.faults = () => undefined;
    const end = await live(world, shop);
    expect(shop.writers.troubles).toEqual([]);
    expect(shop.writers.done).toBeGreaterThan(50);
    expect([totalCents(end), tears(end), new Set(end.halves.map(({ transfer, does }) => transfer + does)).size]).toEqual([
      opening,
      [],
      end.halves.length,
    ]);
  });

  it('do the same for the same seed', async () => {
    const digest = async () => {
      const { world, shop } = await open(5);
      shop.writers.start();
      await world.clock.advance(10_000);
      return world.journal.digest();
    };
    expect(await digest()).toBe(await digest());
  });
});

describe('what was held when', () => {
  it('is what was read then', async () => {
    const { world, shop } = await open(6);
    shop.writers.start();
    await world.clock.advance(5000);
    await invoke(world, event('freeze'));
    const at = world.clock.now();
    const read = await live(world, shop);
    await invoke(world, event('release'));
    await world.clock.advance(5000);
    expect(mismatches(read, shop.truthAt(at))).toEqual([]);
    expect(mismatches(await live(world, shop), shop.truthAt(at)).length).toBeGreaterThan(0);
  });

  it('explains nothing that was not so at any of the instants', async () => {
    const { world, shop } = await open(7);
    shop.writers.start();
    await world.clock.advance(5000);
    const now = world.clock.now();
    const truth = shop.truthAt(now - 500);
    expect(unexplained(truth, shop.truthsBetween(now - 1000, now))).toEqual([]);
    expect(unexplained(truth, shop.truthsBetween(now - 5000, now - 4000)).length).toBeGreaterThan(0);
  });

  it('tears where an effect is there without its cause', () => {
    const found = (half: Omit<Half, 'store'>) =>
      contentOf(everyStore((store) => ({ held: new Map(), halves: store === 'database' ? [half] : [], cents: 0 })));
    const credit = { does: 'credit', cents: 5, transfer: 'c0-1', other: 'table' } as const;
    expect(tears(found(credit))).toEqual([expect.stringMatching(/credit of c0-1 is in the database.*debit of c0-1/)]);
    const skipped = found({ ...credit, does: 'debit', transfer: 'c0-2' });
    expect(tears(skipped)).toEqual([expect.stringMatching(/debit of c0-2 .*credit of c0-1/)]);
  });
});

/** Starts the writers, freezes, holds for two seconds, releases; answers what was seen. */
async function frozen(seed: number, misbehaviour: Misbehaviour, options: ShopOptions = {}) {
  const { world, shop } = await open(seed, { misbehaviour, ...options });
  shop.writers.start();
  await world.clock.advance(5000);
  const asked = world.clock.now();
  const freeze = await invoke(world, event('freeze'));
  const answered = world.clock.now();
  const first = shop.truthAt(answered);
  await world.clock.advance(2500);
  const last = shop.truthAt(world.clock.now());
  const release = await invoke(world, event('release'));
  return { world, shop, freeze, release, moved: mismatches(last, first), asked, answered, first };
}

describe('the freeze', () => {
  it.each([1, 2, 3, 4])('drains, flushes, holds and lets go (seed %i)', async (seed) => {
    const { world, shop, freeze, release, moved, asked, answered, first } = await frozen(seed, {});
    expect(freeze).toMatchObject({ drained: true, flushed: true, broken: false });
    expect(answered - asked).toBeLessThan(1200);
    expect(moved).toEqual([]);
    expect(centsInFlight(first)).toBe(0);
    expect(Object.keys(freeze.positions).toSorted()).toEqual(shop.resources.toSorted());
    expect(release).toMatchObject({ broken: false, positions: freeze.positions });
    expect(Date.parse(release.heldUntil)).toBeGreaterThan(Date.parse(freeze.heldFrom) + 2000);
    const done = shop.writers.done;
    await world.clock.advance(5000);
    expect(shop.writers.done).toBeGreaterThan(done);
    expect((await live(world, shop)).frozen).toEqual([]);
  });

  it('lets go by itself when nobody asks it to', async () => {
    const { world, shop } = await open(8);
    shop.writers.start();
    await world.clock.advance(2000);
    await invoke(world, event('freeze', 'cut-1', 6));
    expect((await live(world, shop)).frozen).toEqual(marked);
    await world.clock.advance(8000);
    expect([shop.maintenance.held, shop.writers.frozen, (await live(world, shop)).frozen]).toEqual([false, false, []]);
    expect(await invoke(world, event('release'))).toMatchObject({ broken: true });
  });

  it('answers a release that is asked again as before, and one for another cut as broken', async () => {
    const { world } = await open(9);
    await invoke(world, event('freeze'));
    expect(await invoke(world, event('release', 'cut-0'))).toMatchObject({ broken: true });
    const answer = await invoke(world, event('release'));
    expect(answer.broken).toBe(false);
    expect(await invoke(world, event('release'))).toEqual(answer);
  });

  it('for a new cut ends the one before', async () => {
    const { world, shop } = await open(10);
    shop.writers.start();
    await world.clock.advance(2000);
    await invoke(world, event('freeze', 'cut-1'));
    expect(await invoke(world, event('freeze', 'cut-2'))).toMatchObject({ drained: true, broken: false });
    expect(await invoke(world, event('release', 'cut-1'))).toMatchObject({ broken: true });
    expect(shop.maintenance.held).toBe(true);
    expect(await invoke(world, event('release', 'cut-2'))).toMatchObject({ broken: false });
  });

  it('is not held in the standby region', async () => {
    const { world } = await open(11);
    await expect(invoke(world, event('freeze'), STANDBY)).rejects.toThrow(/lives in us-east-1/);
  });
});

describe('misbehaviour shows', () => {
  const movedBetween = ({ freeze, release }: { freeze: HookAnswer; release: HookAnswer }) =>
    Object.keys(freeze.positions).filter((resource) => freeze.positions[resource] !== release.positions[resource]);

  it('a writer that ignores the freeze', async () => {
    const seen = await frozen(1, { ignoresFreeze: true });
    expect(seen.freeze.drained).toBe(true);
    expect(seen.moved.length).toBeGreaterThan(0);
    expect(movedBetween(seen).length).toBeGreaterThan(0);
  });

  it('a late commit, if it comes inside the freeze', async () => {
    const inside: boolean[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const seen = await frozen(seed, { lateCommit: true });
      expect(seen.freeze.drained).toBe(true);
      expect(centsInFlight(seen.first)).toBeGreaterThan(0);
      expect(tears(seen.first)).toEqual([]);
      expect(movedBetween(seen).length > 0).toBe(seen.moved.length > 0);
      inside.push(seen.moved.length > 0);
    }
    expect(inside).toContain(true);
  });

  it('pages that were not flushed: money has arrived that never left', async () => {
    const torn: boolean[] = [];
    for (const seed of [1, 2, 3, 4]) {
      const { world, shop, freeze, first } = await frozen(seed, { unflushed: true });
      if (!freeze.flushed) torn.push(tears(first).length > 0);
      await world.clock.settle(shop.writers.stop());
      await world.clock.advance(5000);
      expect(tears(shop.truthAt(world.clock.now()))).toEqual([]);
    }
    expect(torn).toContain(true);
  });

  it('a lease that breaks early', async () => {
    const { release, moved } = await frozen(1, { breaksLeaseAfterMillis: 1500 });
    expect(release.broken).toBe(true);
    expect(moved.length).toBeGreaterThan(0);
  });

  it('a clock that is wrong', async () => {
    const { freeze, asked } = await frozen(1, {}, { hookClockOffsetMillis: 5000 });
    expect(Date.parse(freeze.heldFrom)).toBeGreaterThan(asked + 5000);
  });
});

/** Captures the first store at a whole second and the others `lagMillis` later, each as its service can; restores all at home. */
async function captured({ world, shop }: { world: World; shop: Shop }, lagMillis: number) {
  await world.clock.run({ until: Math.ceil((world.clock.now() + 1100) / 1000) * 1000 });
  const from = world.clock.now();
  let pauses = 0;
  const restore = await world.clock.settle(
    shop.backUpEach('restored', async () => {
      if (pauses++ === 1) await world.clock.sleep(lagMillis);
    }),
  );
  const at = world.clock.now();
  await world.clock.advance(1100); // what is asked of a log is exact to a second
  return { from, at, restore: () => world.clock.settle(restore()) };
}

/** The stores in which a freeze leaves something. */
const marked = STORES.filter((store) => SORTS[store].trace);

describe('what is restored', () => {
  it('equals the truth at the instant of the freeze, sleeps, and wakes up when it is thawed', async () => {
    const { world, shop } = await open(20);
    shop.writers.start();
    await world.clock.advance(20_000);
    await invoke(world, event('freeze'));
    const taken = await captured({ world, shop }, 0);
    await invoke(world, event('release'));
    await world.clock.advance(10_000);
    await world.clock.settle(shop.damage());
    const renames = await taken.restore();

    const read = () => world.clock.settle(shop.readRestored(shop.place, renames));
    const truth = shop.truthAt(taken.at);
    const asleep = await read();
    expect([mismatches(asleep, truth), tears(asleep), totalCents(asleep)]).toEqual([[], [], totalCents(truth)]);
    expect(asleep.frozen).toEqual(marked);

    const thawing = { ...event('thaw'), place: shop.place, renames };
    const { thawed } = await invoke<{ thawed: string[] }>(world, thawing);
    const restored = renames.filter((_, i) => marked.includes(STORES[i]!)).map(({ is }) => expect.stringContaining(is));
    expect(thawed).toEqual(restored);
    const awake = await read();
    expect([awake.frozen, mismatches(awake, truth)]).toEqual([[], []]);
    expect(await invoke(world, thawing)).toEqual({ thawed: [] });
  });

  it('is torn where each store was captured at its own time', async () => {
    const { world, shop } = await open(21);
    shop.writers.start();
    await world.clock.advance(20_000);
    const taken = await captured({ world, shop }, 15_000);
    await world.clock.settle(shop.writers.stop());
    const content = await world.clock.settle(shop.readRestored(shop.place, await taken.restore()));
    expect(tears(content).length).toBeGreaterThan(0);
    expect(mismatches(content, shop.truthAt(taken.at)).length).toBeGreaterThan(0);
    expect(unexplained(content, shop.truthsBetween(taken.from, taken.at + 1000))).toEqual([]);
  });

  it('is said to be lacking where nothing was renamed', async () => {
    const { shop } = await open(22);
    await expect(shop.readRestored(STANDBY, [])).rejects.toThrow(/Not restored.*volume, table, bucket, instance/);
  });
});

describe('the incident', () => {
  it('shows in what is read afterwards, and the truth before it stays known', async () => {
    const { world, shop } = await open(12);
    shop.writers.start();
    await world.clock.advance(5000);
    const before = world.clock.now();
    const truth = shop.truthAt(before);
    const told = await world.clock.settle(shop.damage());
    expect(told.join(' ')).toMatch(
      /bytes of the database.*carts were deleted.*vouchers.*overwritten.*orders.*emptied.*uploads.*deleted/,
    );
    const after = await live(world, shop);
    expect(after.damage).toEqual(
      expect.arrayContaining([expect.stringMatching(/journal cannot be read/), expect.stringMatching(/not a voucher/)]),
    );
    expect(mismatches(after, truth).length).toBeGreaterThan(10);
    expect(mismatches(shop.truthAt(before), truth)).toEqual([]);
  });
});

describe('the database', () => {
  const entry = (i: number) => ({ does: 'open', account: `a${i}`, cents: i }) as const;
  const filled = (count: number) => {
    const disk = new Disk(1 << 20);
    const database = Database.format(disk);
    for (let i = 1; i <= count; i++) {
      database.append(entry(i));
      database.flush();
    }
    return { disk, database };
  };
  const copyOf = (disk: Disk, lucky: (page: number) => boolean = () => false) => new Disk(disk.size, disk.snapshot(lucky));

  it('opens a copy where the original stood', () => {
    const { disk, database } = filled(300);
    const copy = Database.open(copyOf(disk));
    expect([copy.position, copy.balance('a7'), copy.accounts.length]).toEqual([database.position, 7, 300]);
    copy.append(entry(301));
    expect(inspect(disk).entries.length).toBe(300);
  });

  it('loses an entry that was not flushed, whichever of its pages got through, and nothing else', () => {
    for (let pages = 0; pages < 4; pages++) {
      const { disk, database } = filled(90);
      database.append({ does: 'open', account: 'x'.repeat(5000), cents: 1 });
      const { entries, damage } = inspect(copyOf(disk, (page) => page === 2 + pages));
      expect([entries.length, damage]).toEqual([90, []]);
    }
  });

  it('tells damage in the middle from an end', () => {
    const { disk } = filled(100);
    disk.write(4096 + 800, new Uint8Array(64).fill(7));
    const { entries, damage } = inspect(disk);
    expect(entries.length).toBeLessThan(20);
    expect(damage).toEqual([expect.stringMatching(/cannot be read from byte \d+ to \d+/)]);
    expect(() => Database.open(disk)).toThrow(/cannot be opened/);
    expect(inspect(new Disk(1 << 20)).damage).toEqual([expect.stringMatching(/no database/)]);
  });

  it('wakes up as it was copied', () => {
    const { disk, database } = filled(3);
    database.mark({ cut: 'c', restorePoint: 'p' });
    database.flush();
    const copy = copyOf(disk);
    database.mark(undefined);
    database.flush();
    expect([inspect(copy).frozen, inspect(disk).frozen]).toEqual([{ cut: 'c', restorePoint: 'p' }, undefined]);
  });
});

describe('the uploads', () => {
  const files = (...names: string[]) => new Map(names.map((name) => [name, `digest of ${name}`]));
  /** One was there at the instant, two when the walk began, three came while it went on, four after its end. */
  const uploads = { truthAt: (at: number) => files(...['one', 'two', 'three', 'four'].slice(0, at)) };
  const wrong = (held: ReadonlyMap<string, string>) =>
    wrongUploads(held, 1, { from: new Date(2).toISOString(), to: new Date(3).toISOString() }, uploads);

  it('are whole where nothing lacks that was there, and nothing is there that came after the walk', () => {
    expect(wrong(files('one', 'two'))).toEqual([]);
    expect(wrong(files('one', 'two', 'three'))).toEqual([]);
    expect(wrong(files('two', 'three'))).toEqual(['uploads: one is missing.']);
    expect(wrong(files('one'))).toEqual(['uploads: two is missing.']);
    expect(wrong(new Map([...files('one', 'two'), ['one', 'another']]))).toEqual(['uploads: one is not what it was.']);
    expect(wrong(files('one', 'two', 'four'))).toEqual([expect.stringMatching(/^uploads: four is there, and was not before/)]);
    expect(wrong(new Map([...files('one', 'two'), ['three', 'half']]))).toHaveLength(1);
  });
});

describe('the manifests', () => {
  const images = Object.fromEntries(
    COMPONENTS.map((one) => [one, `111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/${one}@sha256:${'0'.repeat(64)}`]),
  );
  const blanks = {
    namespace: 'shop',
    account: '111122223333',
    region: 'us-east-1',
    zone: 'us-east-1a',
    table: 'shop-carts',
    bucket: 'media',
    volume: 'vol-1',
    instance: 'orders',
    host: 'orders.c1.us-east-1.rds.amazonaws.com',
    uploads: 'fs-1',
    images: images as Record<Component, string>,
    secrets: { password: 'hunter2', token: 't0ken' },
  };

  it('leave no blank open and have each a place in the API', () => {
    const all = manifests(blanks);
    expect(JSON.stringify(all)).not.toContain('${');
    expect(new Set(all.map(pathOf)).size).toBe(all.length);
    expect(all.map(pathOf)).toEqual(
      expect.arrayContaining([
        '/api/v1/namespaces/shop',
        '/api/v1/persistentvolumes/shop-ledger',
        '/api/v1/persistentvolumes/shop-uploads',
        '/api/v1/namespaces/shop/secrets/shop-orders-database',
        '/apis/apps/v1/namespaces/shop/statefulsets/ledger',
        '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web',
        '/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/shop-settings-reader',
        '/apis/shop.example.com/v1/namespaces/shop/promotions/autumn',
      ]),
    );
    expect(manifests(blanks, { small: true }).length).toBeLessThan(all.length);
  });

  it('come with a record as Helm writes it, which names what was deployed', () => {
    const record = manifests(blanks).find(({ type }) => type === 'helm.sh/release.v1')!;
    const { release } = record['data'] as { release: string };
    const decoded = JSON.parse(gunzipSync(Buffer.from(Buffer.from(release, 'base64').toString(), 'base64')).toString());
    expect(decoded).toMatchObject({
      name: 'shop',
      version: 3,
      info: { status: 'deployed' },
      chart: { metadata: { version: '1.4.2' } },
    });
    expect(decoded.manifest).toContain('name: checkout');
  });
});

describe('the cluster', () => {
  const everything: ShopOptions = { small: false, cluster: true };
  const request = (world: World, shop: Shop, path: string, place = shop.place) =>
    world.clock.settle(shop.clusterAt(place)!.request('GET', path));
  const maintenance = async (world: World, shop: Shop, namespace = 'shop') =>
    (await request(world, shop, `/api/v1/namespaces/${namespace}/configmaps/shop-maintenance`)).data;

  it('runs the shop, with its volume and its images', async () => {
    const { world, shop } = await open(30, everything);
    await world.clock.advance(300_000);
    const { items } = await request(world, shop, '/api/v1/namespaces/shop/pods');
    const ready = (pod: { status: { conditions: { type: string; status: string }[] } }) =>
      pod.status.conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    expect([items.length, items.filter(ready).length]).toEqual([6, 6]);
    const claim = await request(world, shop, '/api/v1/namespaces/shop/persistentvolumeclaims/data-ledger-0');
    expect([claim.status.phase, claim.spec.volumeName]).toEqual(['Bound', 'shop-ledger']);
    expect((await request(world, shop, '/apis/shop.example.com/v1/namespaces/shop/promotions/autumn')).spec.percent).toBe(15);
    expect(
      (await request(world, shop, '/api/v1/namespaces', STANDBY)).items.map(({ metadata }: any) => metadata.name),
    ).not.toContain('shop');
  });

  it('holds a position while it is frozen, although controllers work on', async () => {
    const { world, shop } = await open(31, everything);
    shop.writers.start();
    await world.clock.advance(3000);
    const freeze = await invoke(world, event('freeze'));
    expect(await maintenance(world, shop)).toEqual({ mode: 'frozen', cut: 'cut-1' });
    await world.clock.advance(3000);
    const release = await invoke(world, event('release'));
    expect(Object.keys(freeze.positions).toSorted()).toEqual(shop.resources.toSorted());
    expect(release).toMatchObject({ broken: false, positions: freeze.positions });
    expect(await maintenance(world, shop)).toEqual({ mode: 'open' });
  });

  it('shows a deployment in the middle of a freeze', async () => {
    const { world, shop } = await open(32, everything);
    const freeze = await invoke(world, event('freeze'));
    await world.clock.settle(
      shop.clusterAt(shop.place)!.merge('/apis/apps/v1/namespaces/shop/deployments/web', { spec: { replicas: 3 } }),
    );
    const release = await invoke(world, event('release'));
    const namespace = shop.resources.at(-1)!;
    expect(release.positions[namespace]).not.toBe(freeze.positions[namespace]);
  });

  it('is woken up in every namespace that the frozen one was restored into, and nowhere else', async () => {
    const { world, shop } = await open(33, everything);
    const cluster = shop.clusterAt(STANDBY)!;
    for (const [namespace, cut] of [
      ['shop', 'cut-1'],
      ['other', 'cut-2'],
    ] as const) {
      await world.clock.settle(cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }));
      await world.clock.settle(
        cluster.apply({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'shop-maintenance', namespace },
          data: { mode: 'frozen', cut },
        }),
      );
    }
    const thawing = { ...event('thaw'), place: STANDBY, renames: [] };
    expect(await invoke<{ thawed: string[] }>(world, thawing, STANDBY)).toEqual({
      thawed: ['the ConfigMap shop/shop-maintenance in shop-standby'],
    });
    const modes = ['shop', 'other'].map(
      async (name) => (await request(world, shop, `/api/v1/namespaces/${name}/configmaps/shop-maintenance`, STANDBY)).data.mode,
    );
    expect(await Promise.all(modes)).toEqual(['open', 'frozen']);
  });
});
