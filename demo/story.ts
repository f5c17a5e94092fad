import { parseArgs } from 'node:util';
import colours from 'picocolors';
import { open, type Verb } from '../functions/aws/verb.ts';
import { besideLabel } from '../functions/decide/slow.ts';
import { type Place, pointId, type Report, type Sealed } from '../functions/domain.ts';
import { machineArn } from '../functions/vault/layout.ts';
import { listSealed } from '../functions/vault/ledger.ts';
import { readRestore } from '../functions/vault/restores.ts';
import { createWorld, direct, type World } from '../local/index.ts';
import type { EventsState } from '../local/services/events/state.ts';
import type { StatesState } from '../local/services/states/state.ts';
import { backUpEach } from './baseline.ts';
import { duration, type RestoreResult, type Result, summary } from './report.ts';
import { sample } from './sample.ts';
import { type Content, centsInFlight, mismatches, tears, totalCents } from './shop/audit.ts';
import { namesOfObjects } from './shop/objects.ts';
import type { Shop } from './shop/shop.ts';
import { STORES } from './shop/stores.ts';

/** What happens, told as it happens. Everything in it is simulated but Stillpoint itself. */
const HOME = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };
const MINUTE = 60_000;

class Story {
  readonly world: World;
  readonly shop: Shop;
  readonly #say: (line: string) => void;
  /** How many calls each execution's steps made. */
  readonly #calls: ReadonlyMap<string, number>;

  constructor(world: World, shop: Shop, calls: ReadonlyMap<string, number>, say: (line: string) => void) {
    this.world = world;
    this.shop = shop;
    this.#calls = calls;
    this.#say = say;
  }

  tell(line: string): void {
    this.#say(`${colours.dim(new Date(this.world.clock.now()).toISOString().slice(11, 19))}  ${line}`);
  }

  settle<T>(work: Promise<T>): Promise<T> {
    return this.world.clock.settle(work);
  }

  ask<In, Out>(verb: Verb<any, In, Out>, here: Place, input: In): Promise<Out> {
    const { clock, random } = this.world;
    const own = {
      now: () => clock.now(),
      sleep: (ms: number) => clock.sleep(ms),
      random: (digits: number) => random.hex(digits),
    };
    return this.settle(open(verb, direct(this.world), own, { here, home: HOME })(input));
  }

  async points(place: Place): Promise<Sealed[]> {
    return (await this.ask(listSealed, place, { application: 'shop' })).map(({ point }) => point);
  }

  /** Lets time pass until a vault holds a point of this slot; tells when it does. */
  async until(place: Place, matches: (point: Sealed) => boolean, what: string): Promise<Sealed> {
    for (let waited = 0; waited < 6 * 60; waited++) {
      const found = (await this.points(place)).find(matches);
      if (found) {
        this.tell(
          `${what}: ${pointId(found)} in ${place.region}, ${found.consistency}, skew ${found.skewSeconds} s, freeze ${freezeMillis(found)} ms.`,
        );
        return found;
      }
      await this.world.clock.advance(MINUTE);
    }
    throw new Error(`${what} did not happen within six hours.`);
  }

  async runTo(iso: string): Promise<void> {
    await this.world.clock.run({ until: Date.parse(iso) });
  }

  /** Restores a point by its state machine, telling each stage, and compares everything with what it was at T. */
  async restore(place: Place, point: Sealed, restore: string): Promise<RestoreResult> {
    const before = this.shop.truthAt(point.instant);
    const states = this.world.state<StatesState>('states', place);
    const input = { application: 'shop', point: pointId(point), restore };
    const execution = states.start(states.machine(machineArn(place, 'restore')), `restore-${restore}`, JSON.stringify(input));
    await this.#watch(place, restore, execution.ended);
    const { report } = await this.ask(readRestore, place, { application: 'shop', restore });
    if (report?.status !== 'restored') {
      return {
        region: place.region,
        stages: report?.stages ?? [],
        mismatches: [`The restore failed: ${report?.problems.join(' ') ?? execution.cause}`],
        moneyBefore: money(before),
        moneyAfter: 0,
      };
    }
    const held = await this.settle(this.shop.readRestored(place, report.renames));
    const wrong = [
      ...mismatches(held, before),
      ...tears(held),
      ...held.frozen.map((store) => `${store}: it still says that the shop is frozen.`),
      ...(await this.settle(this.shop.wrongUploads(place, report.renames, point))),
      ...(await this.#missingObjects(place, point, report)),
    ];
    this.tell(
      `${place.region}: ${wrong.length === 0 ? 'every store, every transfer, every file, every object is as it was at T' : `${wrong.length} mismatches`}.`,
    );
    return {
      region: place.region,
      stages: report.stages,
      mismatches: wrong,
      moneyBefore: money(before),
      moneyAfter: money(held),
    };
  }

  async #watch(place: Place, restore: string, ended: Promise<unknown>): Promise<void> {
    let over = false;
    void ended.then(() => {
      over = true;
    });
    const began = this.world.clock.now();
    for (let told = ''; !over; await this.world.clock.advance(MINUTE / 2)) {
      const found = await this.ask(readRestore, place, { application: 'shop', restore }).catch(() => undefined);
      const { plan, progress } = found ?? {};
      const stage = progress?.marks.at(-1)?.name;
      if (!plan || !progress || !stage) continue;
      const done = progress.items.filter(({ state }) => state === 'done').length;
      if (`${stage} ${done}` === told) continue;
      told = `${stage} ${done}`;
      this.tell(
        `  ${restore} ${stage.padEnd(10)} ${bar(done, plan.point.artifacts.length)} after ${duration(this.world.clock.now() - began)}`,
      );
    }
    await ended;
  }

  /** Every Kubernetes object that was there at T is there again, by type and name. */
  async #missingObjects(place: Place, point: Sealed, report: Report): Promise<string[]> {
    const cluster = this.shop.clusterAt(place);
    if (!cluster) return [];
    const { namespaces } = (await this.ask(readRestore, place, { application: 'shop', restore: report.id })).plan;
    const restored = new Set(await this.settle(namesOfObjects(cluster, namespaces['shop'] ?? 'shop')));
    const expected = this.#objectsAt.get(pointId(point)) ?? [];
    return expected.filter((name) => !restored.has(name)).map((name) => `cluster: ${name} is missing.`);
  }

  readonly #objectsAt = new Map<string, string[]>();
  async noteObjects(point: Sealed): Promise<void> {
    const cluster = this.shop.clusterAt(HOME);
    if (cluster) this.#objectsAt.set(pointId(point), await this.settle(namesOfObjects(cluster, 'shop')));
  }

  /** What a point cost: the calls and transitions of the executions that made and copied it. */
  costOf(point: Sealed, copy: Sealed | undefined): { awsCalls: number; transitions: number } {
    const owners = [[HOME, point.owner], ...(copy ? [[WEST, copy.owner] as const] : [])] as [Place, string][];
    return {
      awsCalls: owners.reduce((sum, [, owner]) => sum + (this.#calls.get(owner) ?? 0), 0),
      transitions: owners.reduce(
        (sum, [place, owner]) => sum + this.world.state<StatesState>('states', place).transitions(owner),
        0,
      ),
    };
  }
}

const money = (content: Content): number => totalCents(content) + centsInFlight(content);
const bar = (done: number, all: number): string => `[${'█'.repeat(done)}${'░'.repeat(all - done)}] ${done}/${all}`;
const freezeMillis = ({ cut: { freeze } }: Sealed): number =>
  freeze?.released ? Date.parse(freeze.released.to) - Date.parse(freeze.asked.from) : 0;

/** Tells the whole story for a seed. */
export async function tellStory(seed: string, say: (line: string) => void): Promise<Result> {
  const world = await createWorld({ seed, patience: 4, start: Date.parse('2026-11-22T03:00:00Z') });
  const calls = new Map<string, number>();
  say(colours.bold(`Stillpoint, against a simulated AWS (seed ${seed}). Nothing here is real but Stillpoint's own code.`));
  const { shop } = await world.clock.settle(sample(world, { count: (owner) => calls.set(owner, (calls.get(owner) ?? 0) + 1) }));
  const story = new Story(world, shop, calls, say);
  story.tell(
    `The shop lives in ${HOME.region}: orders in RDS, carts in DynamoDB, a database on an EBS volume, vouchers in S3, uploads on EFS, images in ECR, a namespace on EKS.`,
  );
  shop.writers.start();
  story.tell(
    `Its writers move money between the ${STORES.length} stores, without a pause. Stillpoint takes a point every hour; ${WEST.region} pulls a copy.`,
  );

  await story.runTo('2026-11-22T04:00:00Z');
  const hourly = await story.until(HOME, ({ trigger }) => trigger === 'schedule', 'The schedule took a point');
  await story.noteObjects(hourly);

  await story.runTo('2026-11-22T05:12:00Z');
  const opening = money(shop.truthAt(world.clock.now()));
  const each = story.settle(backUpEach(world, shop, world.random.stream('baseline'), 'shop-each'));
  story.tell(
    'A deployment begins: its pipeline says so on EventBridge. Beside Stillpoint, each resource is also backed up on its own.',
  );
  pipelineStarts(world);
  const baseline = await each;
  const point = await story.until(HOME, ({ trigger }) => trigger === 'event', 'The event took a point');
  await story.noteObjects(point);

  for (const what of await story.settle(shop.damage())) story.tell(colours.red(what));
  const homeRestore = await story.restore(HOME, point, 'undo');

  const copy = await story.until(WEST, ({ slot }) => slot === point.slot, 'The vault has its copy');
  const torn = await story.settle(baseline().then((renames) => shop.readRestored(HOME, renames)));
  story.tell(colours.red(`${HOME.region} goes dark: no API, no keys, no ledger, no cluster of it answers any more.`));
  world.dark.add(HOME.region);
  const restore = await story.restore(WEST, copy, 'west');

  world.dark.delete(HOME.region); // only to read what home recorded
  const [atHome, inWest] = [await story.points(HOME), await story.points(WEST)];
  const wanted = atHome.filter(({ instant }) => instant <= point.instant);
  return {
    points: wanted.map((one) =>
      describe(
        story,
        one,
        inWest.find(({ slot }) => slot === one.slot),
      ),
    ),
    homeRestore,
    restore,
    baseline: {
      moneyBefore: opening,
      moneyAfter: totalCents(torn),
      torn: tears(torn).length > 0 || totalCents(torn) !== opening,
    },
    verdict: [homeRestore, restore].every((one) => one.mismatches.length === 0 && one.moneyBefore === one.moneyAfter)
      ? 'pass'
      : 'fail',
  };
}

const describe = (story: Story, point: Sealed, copy: Sealed | undefined): Result['points'][number] => ({
  id: pointId(point),
  instant: point.instant,
  skewSeconds: point.skewSeconds,
  freezeMillis: freezeMillis(point),
  consistency: point.consistency,
  artifacts: point.artifacts.length,
  beside: besideLabel(point).map(({ resource, interval }) => ({ resource, ...interval })),
  regions: [point.vault.place.region, ...(copy ? [copy.vault.place.region] : [])],
  ...story.costOf(point, copy),
});

/** What CodePipeline tells when a deployment begins; only AWS's own services may speak as `aws.…`. */
const pipelineStarts = (world: World): string =>
  world.state<EventsState>('events', HOME).emit({
    source: 'aws.codepipeline',
    'detail-type': 'CodePipeline Pipeline Execution State Change',
    detail: { pipeline: 'shop', state: 'STARTED', 'execution-id': '2026.11.4' },
  });

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
  });
  const say = (line: string) => (values.json ? process.stderr : process.stdout).write(`${line}\n`);
  const result = await tellStory(values.seed, say);
  for (const line of summary(result)) say(line);
  if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.verdict === 'pass' ? 0 : 1;
}
