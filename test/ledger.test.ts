import { beforeEach, describe, expect, test } from 'vitest';
import { makeStores } from '../demo/install.ts';
import { Conflict, Permanent } from '../functions/aws/errors.ts';
import { open } from '../functions/aws/verb.ts';
import type { Plan, Sealed } from '../functions/domain.ts';
import { ledgerBucket, outcomeKey } from '../functions/vault/layout.ts';
import {
  abandonment,
  commitOutcome,
  listSealed,
  noteProgress,
  readAttempt,
  readSealed,
  writePlan,
} from '../functions/vault/ledger.ts';

const VERBS = { writePlan, readAttempt, noteProgress, commitOutcome, readSealed, listSealed };

import type { S3State } from '../local/services/s3/state.ts';
import { direct } from '../local/world/direct.ts';
import { errorAfter, silenceAfter } from '../local/world/faults.ts';
import { loadServices, World } from '../local/world/world.ts';

const home = { account: '111122223333', region: 'us-east-1' };
const services = await loadServices();
const point = { application: 'shop', slot: '20261122T040000Z-hourly', attempt: 1 };
const vault = { name: 'home', place: home, target: { place: home, subnets: [], securityGroups: [], zones: [] } };
const plan = (owner: string): Plan => ({
  schema: 1,
  code: '0',
  ...point,
  owner,
  plannedAt: '2026-11-22T04:00:00.000Z',
  deadline: '2026-11-22T10:00:00.000Z',
  trigger: 'schedule',
  policy: { name: 'hourly', applications: ['shop'], timezone: 'UTC', on: [], vaults: [], keep: {} },
  definition: { name: 'shop', home, namespaces: [], resources: { tags: { app: 'shop' }, arns: [] }, slow: {} },
  vault,
  resources: [],
  notes: [],
  after: [],
});
const sealed = (owner: string): Sealed => {
  const { plannedAt, deadline: _, ...rest } = plan(owner);
  const cut = { id: 'cut-1', begun: plannedAt, instant: plannedAt };
  return {
    ...rest,
    status: 'sealed',
    sealedAt: plannedAt,
    instant: plannedAt,
    consistency: 'crash-consistent',
    skewSeconds: 0,
    because: [],
    cut,
    home,
    artifacts: [],
  };
};
const abandoned = (owner: string) => abandonment(plan(owner), owner, '2026-11-22T04:10:00.000Z', 'a test says so');

let world: World;
let use: {
  [K in 'writePlan' | 'readAttempt' | 'noteProgress' | 'commitOutcome' | 'readSealed' | 'listSealed']: (
    input: any,
  ) => Promise<any>;
};
const settle = <T>(work: Promise<T>): Promise<T> => world.clock.settle(work);

beforeEach(async () => {
  world = new World(services, { seed: 'ledger' });
  await settle(makeStores(world, home, { mode: 'compliance', days: 7 }));
  const clock = {
    now: () => world.clock.now(),
    sleep: (ms: number) => world.clock.sleep(ms),
    random: (n: number) => world.random.hex(n),
  };
  use = Object.fromEntries(
    Object.entries(VERBS).map(([name, verb]) => {
      const opened = open(verb as never, direct(world) as never, clock, { here: home, home });
      return [name, (input: unknown) => settle(opened(input as never))];
    }),
  ) as never;
});

describe('the ledger', () => {
  test('a plan is its first owner’s: ours again goes on, another’s is a Conflict', async () => {
    await use.writePlan(plan('mine'));
    expect((await use.writePlan({ ...plan('mine'), plannedAt: '2026-11-22T04:00:09.000Z' })).plannedAt).toBe(
      '2026-11-22T04:00:00.000Z',
    );
    await expect(use.writePlan(plan('theirs'))).rejects.toBeInstanceOf(Conflict);
  });

  test('sealing and abandoning never both succeed, whichever comes first', async () => {
    for (const [first, second] of [
      [sealed('a'), abandoned('b')],
      [abandoned('b'), sealed('a')],
      [sealed('a'), abandoned('a')],
    ] as const) {
      world.state<S3State>('s3', home).delete(ledgerBucket(home));
      await settle(makeStoresAgain());
      await use.writePlan(plan('a'));
      await use.commitOutcome(first);
      await expect(use.commitOutcome(second)).rejects.toBeInstanceOf(Conflict);
      expect((await use.readAttempt(point)).outcome.status).toBe(first.status);
    }
  });

  test('not after a delete marker on the outcome either: the oldest version is the truth', async () => {
    await use.writePlan(plan('a'));
    await use.commitOutcome(sealed('a'));
    const s3 = world.state<S3State>('s3', home);
    const bucket = s3.peek(ledgerBucket(home))!;
    const remove = () =>
      settle(
        world.call({
          place: home,
          service: 's3',
          operation: 'DeleteObject',
          input: { Bucket: bucket.name, Key: outcomeKey(point) },
        }),
      );
    await expect(remove()).rejects.toMatchObject({ code: 'AccessDenied' });
    bucket.policy = undefined; // whoever can lift the policy can lay a marker
    await remove();
    await expect(use.commitOutcome(abandoned('b'))).rejects.toBeInstanceOf(Conflict);
    expect((await use.readAttempt(point)).outcome.status).toBe('sealed');
    expect((await use.readSealed(point)).point.owner).toBe('a');
  });

  test('an unconditional write under restore-points/ is refused by the bucket', async () => {
    const put = world.call({
      place: home,
      service: 's3',
      operation: 'PutObject',
      input: { Bucket: ledgerBucket(home), Key: outcomeKey(point), Body: new Uint8Array() },
    });
    await expect(settle(put)).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  test('a lost answer to a commit is our own success', async () => {
    for (const fault of [errorAfter, silenceAfter]) {
      world.state<S3State>('s3', home).delete(ledgerBucket(home));
      await settle(makeStoresAgain());
      await use.writePlan(plan('a'));
      let struck = false;
      world.faults = ({ operation, input }) => {
        if (struck || operation !== 'PutObject' || (input as { Key: string }).Key !== outcomeKey(point)) return undefined;
        struck = true;
        return fault;
      };
      await expect(use.commitOutcome(sealed('a'))).rejects.toThrow();
      world.faults = () => undefined;
      await use.commitOutcome(sealed('a'));
      expect((await use.readAttempt(point)).outcome.status).toBe('sealed');
    }
  });

  test('progress is replaced only under what was read; a zombie is told so', async () => {
    await use.writePlan(plan('a'));
    const progress = (id: string) => ({ owner: 'a', cut: { id, begun: '2026-11-22T04:00:01.000Z' }, items: [] });
    const etag = await use.noteProgress({ point, progress: progress('cut-1'), etag: undefined });
    await use.noteProgress({ point, progress: progress('cut-2'), etag });
    await expect(use.noteProgress({ point, progress: progress('cut-1b'), etag })).rejects.toBeInstanceOf(Conflict);
    expect((await use.readAttempt(point)).progress.cut.id).toBe('cut-2');
  });

  test('a point that is not sealed is never listed or read as sealed', async () => {
    await use.writePlan(plan('a'));
    expect(await use.listSealed({ application: 'shop' })).toEqual([]);
    await expect(use.readSealed(point)).rejects.toBeInstanceOf(Permanent);
    await use.commitOutcome(abandoned('a'));
    expect(await use.listSealed({ application: 'shop' })).toEqual([]);
    await expect(use.readSealed(point)).rejects.toThrow(/was abandoned/);
  });

  test('a changed outcome is refused, or what was changed is not part of the record', async () => {
    await use.writePlan(plan('a'));
    await use.commitOutcome(sealed('a'));
    const bucket = world.state<S3State>('s3', home).peek(ledgerBucket(home))!;
    const version = bucket.versions(outcomeKey(point))[0]!;
    const genuine = Buffer.from(version.body!);
    const truth = (await use.readSealed(point)).point;
    const recordEnds = genuine.lastIndexOf(',"signature":');
    for (let at = 0; at < genuine.length; at += at < recordEnds ? 5 : 1) {
      const forged = Buffer.from(genuine);
      forged[at] = forged[at]! ^ 1;
      Object.assign(version, { body: forged });
      const read = await use.readSealed(point).then(
        ({ point }) => point,
        () => 'refused',
      );
      if (at < recordEnds) expect(read, `byte ${at}`).toBe('refused');
      else expect(['refused', truth], `byte ${at}`).toContainEqual(read);
    }
    Object.assign(version, { body: genuine });
    expect((await use.readSealed(point)).point.slot).toBe(point.slot);
  });
});

async function makeStoresAgain(): Promise<void> {
  const input = { Bucket: ledgerBucket(home), ObjectLockEnabledForBucket: true };
  await world.call({ place: home, service: 's3', operation: 'CreateBucket', input });
}
