import colours from 'picocolors';
import { open, type Verb } from '../functions/aws/verb.ts';
import { type Place, pointId, type Report, type Sealed } from '../functions/domain.ts';
import { machineArn } from '../functions/vault/layout.ts';
import { listSealed } from '../functions/vault/ledger.ts';
import { readRestore } from '../functions/vault/restores.ts';
import { direct, type World } from '../local/index.ts';
import type { StatesState } from '../local/services/states/state.ts';
import { callsByOwner } from './calls.ts';
import { duration, type RestoreResult } from './report.ts';
import { type Content, centsInFlight, mismatches, tears, totalCents } from './shop/audit.ts';
import { namesOfObjects } from './shop/objects.ts';
import type { Shop } from './shop/shop.ts';

/** What happens, told as it happens. Everything in it is simulated but Stillpoint itself. */
export const HOME = { account: '111122223333', region: 'us-east-1' };
export const WEST = { account: '111122223333', region: 'eu-west-1' };
const MINUTE = 60_000;

/** A world with the shop in it, and how what happens there is told. */
export class Story {
  readonly world: World;
  readonly shop: Shop;
  readonly #say: (line: string) => void;

  constructor(world: World, shop: Shop, say: (line: string) => void) {
    this.world = world;
    this.shop = shop;
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
    throw new Error([`"${what}" did not come true within six hours.`, ...this.#failures(place)].join(' '));
  }

  /** Why executions at a place did not succeed, in the words of their machines: each reason once, with the last execution that has it. */
  #failures(place: Place): string[] {
    const { executions } = this.world.state<StatesState>('states', place);
    const failed = [...executions.values()].filter(({ status }) => !['RUNNING', 'SUCCEEDED'].includes(status));
    const reasons = new Map(failed.map(({ arn, error, cause }) => [`${error}: ${reasonIn(cause)}`, arn]));
    return [...reasons].map(([reason, arn]) => `${arn} failed. ${reason}`);
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
        mismatches: [`The restore failed: ${report?.problems.join(' ') ?? reasonIn(execution.cause)}`],
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
  async costOf(point: Sealed, copy: Sealed | undefined): Promise<{ awsCalls: number; transitions: number }> {
    const cost = { awsCalls: 0, transitions: 0 };
    for (const { vault, owner } of copy ? [point, copy] : [point]) {
      const calls = await this.settle(callsByOwner(this.world, vault.place));
      cost.awsCalls += calls.get(owner) ?? 0;
      cost.transitions += this.world.state<StatesState>('states', vault.place).transitions(owner);
    }
    return cost;
  }
}

export const money = (content: Content): number => totalCents(content) + centsInFlight(content);
/** Drawn for people; a file gets the numbers. */
const bar = (done: number, all: number): string =>
  `${process.stdout.isTTY ? `[${'█'.repeat(done)}${'░'.repeat(all - done)}] ` : ''}${done}/${all}`;
export const freezeMillis = ({ cut: { freeze } }: Sealed): number =>
  freeze?.released ? Date.parse(freeze.released.to) - Date.parse(freeze.asked.from) : 0;

/** What a function threw is the cause as Lambda tells it, a JSON document; anything else is text. */
function reasonIn(cause = 'no cause is given'): string {
  try {
    return (JSON.parse(cause) as { errorMessage?: string }).errorMessage ?? cause;
  } catch {
    return cause;
  }
}
