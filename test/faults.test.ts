import { expect, test } from 'vitest';
import { mismatches } from '../demo/shop/audit.ts';
import { storeIds } from '../demo/shop/resources.ts';
import { operationOf } from '../functions/aws/call.ts';
import { TAG } from '../functions/aws/tags.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { listAttempts } from '../functions/vault/ledger.ts';
import { comeToRest, nobodyFrozen, nothingLeaks, whole } from './invariants.ts';
import { HOME, type Stage, stage, WEST } from './world.ts';

interface Tag {
  readonly Key: string;
  readonly Value: string;
}

const FAULTS = ['error before', 'error after', 'timeout after'] as const;
type Fault = (typeof FAULTS)[number];

const unavailable = () =>
  Object.assign(new Error('An internal error has occurred.'), { name: 'InternalError', $metadata: { httpStatusCode: 500 } });
const silence = () => Object.assign(new Error('socket hang up'), { name: 'TimeoutError' });

/** Strikes one call of the steps of a workflow, to AWS or to a cluster, counted over the whole execution. */
function striking(workflow: string, at: number, fault: Fault, seen: string[]) {
  return (transport: Transport, step: string): Transport => {
    if (!step.startsWith(`${workflow}-`)) return transport;
    const struck = async <T>(call: string, make: () => Promise<T>): Promise<T> => {
      seen.push(`${step} ${call}`);
      if (seen.length !== at) return make();
      if (fault !== 'error before') await make();
      throw fault === 'timeout after' ? silence() : unavailable();
    };
    return {
      ...transport,
      send: (request) => struck(`${request.call.service}:${operationOf(request.call)}`, () => transport.send(request)),
      fetch: (request) => struck(`kubernetes:${request.method}`, () => transport.fetch(request)),
    };
  };
}

/** The first two of each step's calls of each kind: what comes after them is the same loop again. */
function worthStriking(seen: readonly string[]): number[] {
  const counts = new Map<string, number>();
  return seen.flatMap((call, i) => {
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    return count <= 2 ? [i + 1] : [];
  });
}

/** What is done in each world, and what must hold of it although one call was struck. */
interface Sweep {
  readonly workflow: string;
  run(stand: Stage): Promise<void>;
  check(stand: Stage): Promise<string[]>;
}

const protectOnce = (stand: Stage) => stand.settle(stand.startProtect({}, 'the-slot').ended);

const SWEEPS: readonly Sweep[] = [
  {
    workflow: 'protect',
    run: protectOnce,
    async check(stand) {
      const sealed = (await stand.sealed(HOME)).length;
      await comeToRest(stand);
      const open = (await stand.open(listAttempts, HOME)({ application: 'shop' })).filter(({ decided }) => !decided);
      return [
        ...(sealed === 1 ? [] : [`${sealed} points are sealed; one passing fault costs no point, and makes no second one.`]),
        ...open.map(({ slot, attempt }) => `${slot}/${attempt} was never decided.`),
        ...nobodyFrozen(stand),
        ...(await whole(stand)),
        ...(await nothingLeaks(stand, HOME)),
      ];
    },
  },
  {
    workflow: 'replicate',
    async run(stand) {
      await protectOnce(stand);
      await stand.advance(3 * 3600);
    },
    async check(stand) {
      const sealed = (await stand.sealed(WEST)).length;
      await comeToRest(stand, WEST);
      return [...(sealed === 1 ? [] : [`The vault has ${sealed} sealed points.`]), ...(await nothingLeaks(stand, WEST))];
    },
  },
  {
    workflow: 'restore',
    async run(stand) {
      await protectOnce(stand);
      await stand.restore(HOME, 'r1');
    },
    async check(stand) {
      const [point] = await stand.sealed(HOME);
      const { report } = await stand.reportOf(HOME, 'r1');
      if (report?.status !== 'restored') return [`The restore ended as ${report?.status}: ${report?.problems.join(' ')}`];
      const held = await stand.settle(stand.shop.readRestored(HOME, report.renames));
      return [
        ...mismatches(held, stand.shop.truthAt(point!.instant)),
        ...(await stand.settle(stand.shop.wrongUploads(HOME, report.renames, point!))),
        ...held.frozen.map((store) => `The ${store} wakes up frozen.`),
        ...(await madeOnce(stand, report.id)),
      ];
    },
  },
];

/** What bears tags and was made for a resource was made once: a call that was struck and asked again left no second thing. */
async function madeOnce({ world, shop }: Stage, restore: string): Promise<string[]> {
  const input = { TagFilters: [{ Key: TAG.restore, Values: [restore] }] };
  const call = world.call({ place: HOME, service: 'tagging', operation: 'GetResources', input });
  const { ResourceTagMappingList: made } = (await world.clock.settle(call)) as { ResourceTagMappingList: { Tags: Tag[] }[] };
  const madeFor = made.map(({ Tags }) => Tags.find(({ Key }) => Key === TAG.resource)!.Value);
  const lacking = Object.values(storeIds(shop.names)).filter((id) => !madeFor.includes(id));
  const twice = madeFor.filter((id, i) => madeFor.indexOf(id) !== i);
  return [...lacking.map((id) => `Nothing was made for ${id}.`), ...twice.map((id) => `More than one was made for ${id}.`)];
}

for (const { workflow, run, check } of SWEEPS) {
  const strike = async (at: number, fault: Fault) => {
    const seen: string[] = [];
    const stand = await stage({
      seed: `faults/${workflow}/${at}/${fault}`,
      shop: { cluster: true },
      between: striking(workflow, at, fault, seen),
    });
    await run(stand);
    return { stand, seen };
  };
  test.each(FAULTS)(`every call of ${workflow}, struck by %s`, { timeout: 180_000 }, async (fault) => {
    const { seen } = await strike(Number.POSITIVE_INFINITY, fault);
    const calls = worthStriking(seen);
    expect(calls.length).toBeGreaterThan(20);
    for (const at of calls) {
      const { stand } = await strike(at, fault);
      expect(await check(stand), `${fault} of call ${at}, ${seen[at - 1]}`).toEqual([]);
    }
  });
}
