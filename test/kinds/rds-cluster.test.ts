import { beforeAll, describe, expect, test } from 'vitest';
import { operationOf } from '../../functions/aws/call.ts';
import { open } from '../../functions/aws/verb.ts';
import type { Application, Item, Place } from '../../functions/domain.ts';
import clusters from '../../functions/kinds/data-service/rds-cluster/index.ts';
import proof from '../../functions/kinds/data-service/rds-cluster/proof.ts';
import instances from '../../functions/kinds/data-service/rds-instance/index.ts';
import { callsOf, type Kind } from '../../functions/kinds/kind.ts';
import { disturbed, silence } from '../../functions/kinds/laws/disturb.ts';
import { driveItems, driven } from '../../functions/kinds/laws/drive.ts';
import { persistently } from '../../functions/kinds/laws/errors.ts';
import { onlySurvive } from '../../functions/kinds/laws/expire.ts';
import {
  captured,
  copied,
  copyWorks,
  newCut,
  restored,
  restoreWorks,
  type Subject,
  seeded,
  straysAt,
} from '../../functions/kinds/laws/motions.ts';
import { laws } from '../../functions/kinds/laws.ts';
import { stagingBucket } from '../../functions/vault/layout.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { stage, type TestStage } from '../stage.ts';
import { asking } from './outlasting.ts';

const snapshot = asking(clusters, { outlasting: 'snapshot' });
const materialise = asking(clusters, { outlasting: 'materialise', exports: true });
const homeOnly = asking(clusters, { homeOnly: true });

/** Every law, over the other ways in which a cluster is captured. */
for (const [by, kind] of Object.entries({ snapshot, 'materialise, with files': materialise })) {
  describe(`every law holds for points by ${by}`, () => {
    for (const [law, hold] of Object.entries(laws)) {
      test(law, async () => {
        const world = await stage({ seed: `rds-cluster/${by}/${law}` });
        await world.settle(hold(kind, proof, world));
      });
    }
  });
}

const state = (world: TestStage, place: Place = world.home.place): RdsState => world.world.state<RdsState>('rds', place);
const call = (world: TestStage, operation: string, input: object, place: Place = world.home.place, service = 'rds') =>
  world.settle(world.world.call({ place, service, operation, input }));
const places = (world: TestStage) => ({ here: world.home.place, home: world.home.place });
const discovered = (world: TestStage, application: Application, kind: Kind = clusters) =>
  world.settle(open(kind.discover, world.transport, world.clock, places(world))(application));
const whyOf = (items: readonly Item<unknown>[]): string => items.map((item) => ('why' in item ? item.why : item.state)).join(' ');

async function subjectOn(seed: string, kind: Kind = clusters): Promise<{ world: TestStage; subject: Subject }> {
  const world = await stage({ seed: `rds-cluster/${seed}` });
  return { world, subject: await world.settle(seeded(kind, proof, world)) };
}

const fingerprintsOf = async (world: TestStage, ids: readonly string[], place: Place): Promise<string[]> => {
  const of = open(proof.fingerprint, world.transport, world.clock, { here: place, home: world.home.place });
  const prints: string[] = [];
  for (const id of ids) prints.push(await world.settle(of(id)));
  return prints;
};
const idsOf = (things: readonly { readonly id: string }[]) => things.map(({ id }) => id);

describe('discovery', () => {
  let world: TestStage;
  const tags = (app: string) => ({ Tags: [{ Key: 'app', Value: app }] });
  const make = async (id: string, more: object = {}) => {
    await call(world, 'CreateDBCluster', { DBClusterIdentifier: id, Engine: 'aurora-postgresql', ...tags(id), ...more });
    await world.settle(world.clock.sleep(600_000));
  };
  const member = (id: string, of: string, more: object = {}) =>
    call(world, 'CreateDBInstance', {
      DBInstanceIdentifier: id,
      DBClusterIdentifier: of,
      Engine: 'aurora-postgresql',
      DBInstanceClass: 'db.r7g.large',
      ...more,
    });
  beforeAll(async () => {
    world = await stage({ seed: 'rds-cluster-discovery' });
    for (const id of ['right', 'still', 'taz', 'graph', 'old', 'follows']) await make(id, { BackupRetentionPeriod: 9 });
    await member('one', 'right', tags('right'));
    await member('two', 'right');
    await member('lonely', 'still', tags('lonely'));
    await world.settle(world.clock.sleep(3_600_000));
    await call(world, 'StopDBCluster', { DBClusterIdentifier: 'still' });
    await call(world, 'CreateDBCluster', { DBClusterIdentifier: 'young', Engine: 'aurora-mysql', ...tags('young') });
    const engine = (id: string, name: string) => {
      const cluster = state(world).cluster(id);
      cluster.settings = { ...cluster.settings, engine: name };
    };
    engine('taz', 'postgres');
    engine('graph', 'neptune');
  });

  test('gives a cluster with its instances, the writer first, and says that its log stays at home', async () => {
    const { resources, refusals } = await discovered(world, world.application('right'));
    expect(refusals).toEqual([]);
    expect(resources).toHaveLength(1);
    expect(resources[0]).toMatchObject({ kind: 'rds-cluster', name: 'right', logDays: 9, outlasts: ['materialise', 'snapshot'] });
    expect(resources[0]).not.toHaveProperty('logInVaults');
    expect(resources[0]!.facts).toMatchObject({ members: [{ name: 'one' }, { name: 'two' }], retentionDays: 9 });
  });

  test('of instances says nothing of a cluster’s own, where the cluster is in the scope', async () => {
    const found = await discovered(world, world.application('right'), instances);
    expect(found).toEqual({ resources: [], notes: [], refusals: [] });
  });

  test.each([
    ['lonely', {}],
    ['one', { resources: { tags: {}, arns: ['arn:aws:rds:us-east-1:111122223333:db:one'] } }],
  ])('of instances refuses %s, a member, and names its cluster', async (id, scope) => {
    const { resources, refusals } = await discovered(world, world.application(id, scope), instances);
    expect(resources).toEqual([]);
    expect(refusals).toEqual([
      expect.stringMatching(
        /^DB instance \w+ \(arn:.*\) is a member of the cluster (still|right), which is protected as a whole; name that instead/,
      ),
    ]);
  });

  test.each([
    [
      'still',
      /^DB cluster still \(arn:aws:rds:.*:cluster:still\) is stopp(ing|ed), so its log would never reach the cut; start it/,
    ],
    ['taz', /taz \(.*\) is a Multi-AZ DB cluster of postgres, and only Aurora's clusters can be protected yet; take it out/],
    ['graph', /graph \(.*\) runs neptune, and only Aurora PostgreSQL, Aurora MySQL can be protected yet; take it out/],
  ])('refuses %s in one sentence', async (id, says) => {
    const { resources, refusals } = await discovered(world, world.application(id));
    expect(resources).toEqual([]);
    expect(refusals).toEqual([expect.stringMatching(says)]);
  });

  test('says of one that is being created that it is not protected', async () => {
    expect((await discovered(world, world.application('young'))).notes).toEqual([
      expect.stringMatching(/young is creating, so arn:.* is not protected\.$/),
    ]);
  });
});

describe('a point', () => {
  test('of a cluster that no vault keeps is a promise of its log, and had from it at home', async () => {
    const { world, subject } = await subjectOn('home-only', homeOnly);
    const before = await fingerprintsOf(world, idsOf(subject.resources), world.home.place);
    const { artifacts, cut } = await world.settle(captured(subject));
    expect(artifacts.map(({ endurance, facts }) => [endurance, facts['at']])).toEqual([
      ['log-backed', cut.instant],
      ['log-backed', cut.instant],
    ]);
    expect([...state(world).clusters.keys()].sort()).toEqual(subject.resources.map(({ name }) => name).sort());
    const back = await world.settle(restored(subject, restoreWorks(subject, artifacts, world.home), world.home));
    expect(await fingerprintsOf(world, idsOf(back), world.home.place)).toEqual(before);
    const items = await world.settle(
      driveItems(clusters.copy, copyWorks(subject, cut, artifacts), world, world.vault.place, world.transport),
    );
    expect(items.every(({ state }) => state === 'failed')).toBe(true);
    expect(whyOf(items)).toMatch(/An Aurora cluster's log does not leave its region, .* so eu-west-1 cannot have it/);
  });

  test('that a vault keeps is a snapshot of exactly T, and leaves of its temporary cluster nothing else', async () => {
    const { world, subject } = await subjectOn('temporary');
    const names = () => [...state(world).clusters.keys()].sort();
    const before = names();
    const { artifacts, cut } = await world.settle(captured(subject));
    await world.settle(world.clock.sleep(600_000));
    expect(names()).toEqual(before);
    for (const { endurance, facts, interval, id } of artifacts) {
      expect([endurance, facts['at'], id.split(':')[5]]).toEqual(['durable', cut.instant, 'cluster-snapshot']);
      expect(Date.parse(interval.to) - Date.parse(interval.from)).toBe(2000);
    }
  });

  test('is had in the vault with home dark when every log has ended, with an instance for each that there was', async () => {
    const { world, subject } = await subjectOn('long-after');
    const before = await fingerprintsOf(world, idsOf(subject.resources), world.home.place);
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    await world.settle(world.clock.sleep(40 * 86_400_000));
    world.darken('us-east-1', true);
    const back = await world.settle(restored(subject, restoreWorks(subject, copies, world.vault, 'later'), world.vault));
    expect(await fingerprintsOf(world, idsOf(back), world.vault.place)).toEqual(before);
    const members = [...state(world, world.vault.place).instances.keys()].sort();
    expect(members).toEqual(
      subject.resources
        .flatMap(({ facts }) => (facts['members'] as { name: string }[]).map(({ name }) => `${name}-later`))
        .sort(),
    );
    const there = state(world, world.vault.place);
    const [ledger] = subject.resources;
    expect(back[0]!.renames).toEqual(
      expect.arrayContaining([
        { was: ledger!.name, is: `${ledger!.name}-later`, what: 'DB cluster' },
        {
          was: state(world).address(ledger!.name, 'cluster-'),
          is: there.address(`${ledger!.name}-later`, 'cluster-'),
          what: 'database endpoint',
        },
        {
          was: state(world).address(ledger!.name, 'cluster-ro-'),
          is: there.address(`${ledger!.name}-later`, 'cluster-ro-'),
          what: 'database reader endpoint',
        },
        { was: `${ledger!.name}-1`, is: `${ledger!.name}-1-later`, what: 'DB instance' },
      ]),
    );
  });

  test('keeps a cluster encrypted under the vault’s key, and one that is not as it is', async () => {
    const { world, subject } = await subjectOn('keys');
    const { artifacts, cut } = await world.settle(captured(subject));
    await world.settle(copied(subject, cut, artifacts));
    const keys = [...state(world, world.vault.place).clusterSnapshots.values()].map(({ key }) => key?.split(':')[3]);
    expect(keys.sort()).toEqual(['eu-west-1', undefined]);
  });

  test('fails with a sentence while the cluster is being modified', async () => {
    const { world, subject } = await subjectOn('modified', snapshot);
    const [one] = subject.resources;
    await call(world, 'ModifyDBCluster', { DBClusterIdentifier: one!.name, Port: 7000, ApplyImmediately: true });
    const items = await world.settle(
      open(
        snapshot.capture.start,
        world.transport,
        world.clock,
        places(world),
      )([
        {
          point: { application: 'x', slot: '20261122T040000Z-x', attempt: 1 },
          resource: one!,
          cut: newCut(world),
          vault: world.home,
        },
      ]),
    );
    expect(whyOf(items)).toMatch(
      /^It is modifying, and a snapshot can be taken only of what is available; the next attempt asks again\.$/,
    );
  });

  test('whose cluster was deleted since, and made anew under its name, fails', async () => {
    const { world, subject } = await subjectOn('namesake');
    const [one] = subject.resources;
    await world.settle(open(proof.destroy, world.transport, world.clock, places(world))(one!.id));
    await call(world, 'CreateDBCluster', { DBClusterIdentifier: one!.name, Engine: 'aurora-mysql' });
    await expect(world.settle(captured(subject))).rejects.toThrow(
      /another cluster bears its name now\. The next attempt plans anew/,
    );
  });
});

describe('a restore', () => {
  test('that finds one of its instances’ names taken fails, and its preview said so', async () => {
    const { world, subject } = await subjectOn('taken');
    const { artifacts } = await world.settle(captured(subject));
    const [one] = subject.resources;
    await call(world, 'CreateDBInstance', {
      DBInstanceIdentifier: `${one!.name}-1-r`,
      Engine: 'mysql',
      DBInstanceClass: 'db.t4g.micro',
    });
    const works = restoreWorks(subject, artifacts, world.home, 'r').filter(({ resource }) => resource.id === one!.id);
    const [told] = await world.settle(open(clusters.preview, world.transport, world.clock, places(world))(works));
    const says = /^A DB instance \S+-1-r exists already/;
    expect(told!.lacks).toEqual([expect.stringMatching(says)]);
    const items = await world.settle(driveItems(clusters.restore, works, world, world.home.place, world.transport));
    expect(items).toEqual([expect.objectContaining({ state: 'failed', why: expect.stringMatching(says) })]);
  });

  test('names what its target lacks before anything is made', async () => {
    const { world, subject } = await subjectOn('lacks');
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    state(world, world.vault.place).clusterParameterGroups.clear();
    for (let i = 0; i < 40; i++)
      await call(world, 'CreateDBCluster', { DBClusterIdentifier: `more${i}`, Engine: 'aurora-mysql' }, world.vault.place);
    const here = { here: world.vault.place, home: world.home.place };
    const works = restoreWorks(subject, copies, world.vault);
    const told = await world.settle(open(clusters.preview, world.transport, world.clock, here)(works));
    const lacks = told.flatMap(({ lacks }) => lacks).join(' ');
    expect(lacks).toMatch(/The cluster parameter group laws-aurora-postgresql16 of \S+ does not exist in eu-west-1; make one/);
    expect(lacks).toMatch(/eu-west-1 has 40 of the 40 DB clusters that the account may have there, and 2 more are needed/);
  });
});

describe('files of exports', () => {
  test('are those of the kind whose snapshots they are of: neither takes the other’s for a leftover', async () => {
    const { world, subject } = await subjectOn('files', materialise);
    const { artifacts } = await world.settle(captured(subject));
    const bucket = stagingBucket(world.home.place);
    const keys = [...world.world.state<S3State>('s3', world.home.place).asOf(bucket, new Date(world.clock.now())).keys()];
    expect(keys.some((key) => /entries\/1\/part-00000-.*\.gz\.parquet$/.test(key))).toBe(true);
    for (const { id } of artifacts) state(world).clusterSnapshots.delete(id.split(':').at(-1)!); // only the files are left
    const left = await world.settle(straysAt(subject, world.home.place));
    expect(idsOf(left).sort()).toEqual(idsOf(artifacts).sort());
    expect(await world.settle(straysAt({ ...subject, kind: instances }, world.home.place))).toEqual([]);
  });
});

describe('an answer that is lost', () => {
  const asks = callsOf(clusters).flatMap(({ verb: name, calls }) =>
    Object.values(calls)
      .filter(({ service, repeat, only }) => service === 'rds' && repeat === 'again' && only !== 'across accounts')
      .map((asked) => [name, operationOf(asked), asked] as const),
  );

  test.each(asks.filter(([name]) => name !== 'expire'))(
    'to %s asking for %s leaves one survivor',
    async (name, operation, asked) => {
      const fromLog = name.startsWith('restore') && operation === 'RestoreDBClusterToPointInTime';
      const wanted = name === 'snapshot' ? snapshot : materialise;
      const { world, subject } = await subjectOn(`lost-${name}-${operation}`, fromLog ? homeOnly : wanted);
      let lost = 0;
      const losing = disturbed(world.transport, (sent) => (sent === asked && lost++ === 0 ? 'lose' : undefined), silence);
      const ofPassage = name === 'snapshot' ? 'capture' : name;
      const onTheWay = (passage: string) => (ofPassage.startsWith(passage) ? losing : world.transport);
      const vault = fromLog ? world.home : world.vault;
      const cut = newCut(world);
      const one = await world.settle(persistently(world, () => captured(subject, { cut, transport: onTheWay('capture') })));
      const copies = fromLog
        ? one.artifacts
        : await world.settle(persistently(world, () => copied(subject, one.cut, one.artifacts, onTheWay('copy'))));
      const works = restoreWorks(subject, copies, vault);
      const before = state(world, vault.place).clusters.size;
      await world.settle(persistently(world, () => driven(clusters.restore, works, world, vault.place, onTheWay('restore'))));
      // A plain snapshot is asked for in `start` only where the policy wants one; here it is asked for in `settle`.
      expect(lost > 0 || (name === 'capture.start' && operation === 'CreateDBClusterSnapshot')).toBe(true);
      if (!fromLog) {
        await world.settle(onlySurvive(subject, world.home.place, one.artifacts));
        await world.settle(onlySurvive(subject, world.vault.place, copies));
      }
      expect(state(world, vault.place).clusters.size - before).toBe(subject.resources.length);
    },
  );
});
