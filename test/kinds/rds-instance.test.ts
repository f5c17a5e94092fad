import { beforeAll, describe, expect, test } from 'vitest';
import { operationOf } from '../../functions/aws/call.ts';
import { open } from '../../functions/aws/verb.ts';
import type { Application, Artifact, Instant, Item, Outlasting, Place } from '../../functions/domain.ts';
import rds from '../../functions/kinds/data-service/rds-instance/index.ts';
import rdsProof from '../../functions/kinds/data-service/rds-instance/proof.ts';
import { type CaptureWork, callsOf, type Kind } from '../../functions/kinds/kind.ts';
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
import { databaseExportPrefix, roleArn, stagingBucket } from '../../functions/vault/layout.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import { stage, type TestStage } from '../stage.ts';
import { asking } from './outlasting.ts';

const outlasting = (by: Outlasting, exports = false): Kind =>
  asking(rds, { outlasting: by, ...(exports ? { exports: true as const } : {}) });

/** Every law, over the two other ways in which an instance is captured. */
for (const by of ['materialise', 'snapshot'] as const) {
  describe(`every law holds for points that outlast the log by ${by}`, () => {
    for (const [law, hold] of Object.entries(laws)) {
      test(law, async () => {
        const world = await stage({ seed: `rds-instance/${by}/${law}` });
        await world.settle(hold(outlasting(by, by === 'materialise'), rdsProof, world));
      });
    }
  });
}

const state = (world: TestStage, place: Place): RdsState => world.world.state<RdsState>('rds', place);
const call = (world: TestStage, place: Place, operation: string, input: object, service = 'rds') =>
  world.settle(world.world.call({ place, service, operation, input }));

async function subjectOn(seed: string, kind: Kind = rds): Promise<{ world: TestStage; subject: Subject }> {
  const world = await stage({ seed });
  return { world, subject: await world.settle(seeded(kind, rdsProof, world)) };
}

const discovered = (world: TestStage, application: Application) =>
  world.settle(open(rds.discover, world.transport, world.clock, { here: world.home.place, home: world.home.place })(application));
const whyOf = (items: readonly Item<unknown>[]): string => items.map((item) => ('why' in item ? item.why : item.state)).join(' ');

describe('discovery', () => {
  let world: TestStage;
  const make = (id: string, more: object = {}) =>
    call(world, world.home.place, 'CreateDBInstance', {
      DBInstanceIdentifier: id,
      Engine: 'postgres',
      DBInstanceClass: 'db.t4g.micro',
      Tags: [{ Key: 'app', Value: id }],
      ...more,
    });
  const look = (id: string) => discovered(world, world.application(id));
  beforeAll(async () => {
    world = await stage({ seed: 'rds-discovery' });
    await make('off', { BackupRetentionPeriod: 0 });
    await make('other', { Engine: 'sqlserver-ex' });
    await make('still');
    await make('right', { BackupRetentionPeriod: 9 });
    await world.settle(world.clock.sleep(3_600_000));
    await call(world, world.home.place, 'StopDBInstance', { DBInstanceIdentifier: 'still' });
    await make('young');
  });

  test.each([
    [
      'off',
      /^DB instance off \(arn:aws:rds:.*:db:off\) has automated backups turned off.*; set a backup retention period \(.*ModifyDBInstance\)\.$/,
    ],
    ['other', /runs sqlserver-ex, and only PostgreSQL, MySQL, MariaDB can be protected yet; take it out of the application\.$/],
    ['still', /is stopping, so its log would never reach the cut; start it, or take it out/],
  ])('refuses %s in one sentence', async (id, says) => {
    const { resources, refusals } = await look(id);
    expect(resources).toEqual([]);
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(says);
  });

  test('says of one that is being created that it is not protected', async () => {
    expect((await look('young')).notes).toEqual([expect.stringMatching(/young is creating, so arn:.* is not protected\.$/)]);
  });

  test('says how far the log reaches, at home and in vaults, and how a point can outlast it', async () => {
    const { resources } = await look('right');
    expect(resources[0]).toMatchObject({ logDays: 9, logInVaults: true, outlasts: ['materialise', 'snapshot'], name: 'right' });
  });
});

describe('a point that is kept by the log', () => {
  test('costs nothing but the wait for the log, at home and in the vault', async () => {
    const { world, subject } = await subjectOn('log');
    const before = world.world.journal.entries.length;
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    const since = world.world.journal.entries.slice(before).map(({ operation }) => operation);
    expect([...new Set(since)].sort()).toEqual(['DescribeDBInstanceAutomatedBackups', 'DescribeDBInstances']);
    for (const [artifact, days] of [
      ...artifacts.map((one) => [one, [14, 3]] as const),
      ...copies.map((one) => [one, [7]] as const),
    ]) {
      expect(artifact.endurance).toBe('log-backed');
      const kept = (Date.parse(artifact.restorableUntil!) - Date.parse(cut.instant!)) / 86_400_000;
      expect(days).toContain(kept);
    }
  });

  test('is settled in the vault only when the replica’s window contains T, which is later than home’s', async () => {
    const { world, subject } = await subjectOn('lag');
    const there = state(world, world.vault.place);
    for (const [id, backup] of there.backups) there.backups.set(id, { ...backup, lagMillis: 240_000 });
    const { artifacts, cut } = await world.settle(captured(subject));
    const start = (works = copyWorks(subject, cut, artifacts)) =>
      world.settle(
        open(rds.copy.start, world.transport, world.clock, { here: world.vault.place, home: world.home.place })(works),
      );
    const first = await start();
    expect(first.some(({ state }) => state === 'waiting')).toBe(true);
    expect(whyOf(first)).toMatch(/Its log in eu-west-1 has not reached .* yet\./);
    const at = Date.parse(cut.instant!);
    for (;;) {
      const items = await start();
      const { DBInstanceAutomatedBackups } = await call(world, world.vault.place, 'DescribeDBInstanceAutomatedBackups', {});
      const behind = (DBInstanceAutomatedBackups as { RestoreWindow: { LatestTime: Date } }[]).filter(
        ({ RestoreWindow }) => RestoreWindow.LatestTime.getTime() < at,
      );
      expect(items.filter(({ state }) => state === 'waiting').length).toBeGreaterThanOrEqual(behind.length);
      if (items.every(({ state }) => state === 'done')) break;
      await world.settle(world.clock.sleep(15_000));
    }
  });

  test('is refused with a sentence when the log’s window has passed it, and had from a snapshot all the same', async () => {
    for (const by of [undefined, 'materialise'] as const) {
      const { world, subject } = await subjectOn(`passed-${by}`, by ? outlasting(by) : rds);
      const before = await world.settle(fingerprintsOf(subject, world.home.place));
      const { artifacts, cut } = await world.settle(captured(subject));
      const copies = await world.settle(copied(subject, cut, artifacts));
      await world.settle(world.clock.sleep(40 * 86_400_000));
      world.darken('us-east-1', true);
      const works = restoreWorks(subject, copies, world.vault);
      if (by === undefined) {
        const items = await world.settle(driveItems(rds.restore, works, world, world.vault.place, world.transport));
        expect(items.every(({ state }) => state === 'failed')).toBe(true);
        expect(whyOf(items)).toMatch(
          /The log of \S+ in eu-west-1 reaches from \S+ to \S+ only, and this point is of \S+ without a snapshot; choose a point/,
        );
        continue;
      }
      const back = await world.settle(restored(subject, works, world.vault));
      const after = await world.settle(
        fingerprintsOf({ ...subject, resources: back.map(({ id }) => ({ ...subject.resources[0]!, id })) }, world.vault.place),
      );
      expect(after.sort()).toEqual(before.sort());
    }
  });

  test.each([
    [
      'was turned off',
      { BackupRetentionPeriod: 0, ApplyImmediately: true },
      /automated backups were turned off after the plan was made/,
    ],
  ])('fails when its log %s', async (_, change, says) => {
    const { world, subject } = await subjectOn('turned-off');
    await call(world, world.home.place, 'ModifyDBInstance', { DBInstanceIdentifier: subject.resources[0]!.name, ...change });
    const items = await world.settle(
      driveItems(rds.capture, captureWorks(subject, world), world, world.home.place, world.transport),
    );
    expect(items.map(({ state }) => state).sort()).toEqual(['done', 'failed']);
    expect(whyOf(items)).toMatch(says);
  });

  test('fails in a vault to which nothing is replicated, and says how to begin', async () => {
    const { world, subject } = await subjectOn('not-replicated');
    state(world, world.vault.place).backups.clear();
    const { artifacts, cut } = await world.settle(captured(subject));
    const items = await world.settle(
      driveItems(rds.copy, copyWorks(subject, cut, artifacts), world, world.vault.place, world.transport),
    );
    expect(whyOf(items)).toMatch(
      /not replicated to eu-west-1: start that \(aws rds start-db-instance-automated-backups-replication --region eu-west-1 --source-db-instance-arn arn:\S+ --kms-key-id alias\/stillpoint-data\), or have the policy/,
    );
  });

  test('fails in a vault whose replica began after T', async () => {
    const { world, subject } = await subjectOn('late-replica');
    const { artifacts, cut } = await world.settle(captured(subject));
    const there = state(world, world.vault.place);
    for (const [id, backup] of there.backups) there.backups.set(id, { ...backup, since: Date.parse(cut.instant!) + 5000 });
    const items = await world.settle(
      driveItems(rds.copy, copyWorks(subject, cut, artifacts), world, world.vault.place, world.transport),
    );
    expect(whyOf(items)).toMatch(
      /Its log in eu-west-1 begins at \S+, after \S+; the replication began, or its retention is, too short/,
    );
  });
});

const fingerprintsOf = async ({ resources, stage }: Subject, place: Place): Promise<string[]> => {
  const of = open(rdsProof.fingerprint, stage.transport, stage.clock, { here: place, home: stage.home.place });
  const prints: string[] = [];
  for (const { id } of resources) prints.push(await of(id));
  return prints;
};

const captureWorks = (subject: Subject, world: TestStage, more: Partial<CaptureWork> = {}): CaptureWork[] => {
  const now = Math.floor(world.clock.now() / 1000) * 1000;
  const at = new Date(now).toISOString() as Instant;
  const point = { application: subject.application.name, slot: '20261122T040000Z-x', attempt: 1 };
  return subject.resources.map((resource) => ({
    point,
    resource,
    cut: { id: 'cut-x', begun: at, instant: at },
    vault: world.home,
    ...more,
  }));
};

describe('a point that outlasts the log', () => {
  test('leaves of the temporary instance nothing but its snapshot', async () => {
    const { world, subject } = await subjectOn('temporary', outlasting('materialise'));
    const names = () => [...state(world, world.home.place).instances.keys()].sort();
    const before = names();
    const { artifacts } = await world.settle(captured(subject));
    await world.settle(world.clock.sleep(600_000));
    expect(names()).toEqual(before);
    expect(artifacts.map(({ endurance, interval, id }) => [endurance, interval.from < interval.to, id.split(':')[5]])).toEqual([
      ['durable', true, 'snapshot'],
      ['durable', true, 'snapshot'],
    ]);
    expect((await world.settle(straysAt(subject, world.home.place))).map(({ id }) => id).sort()).toEqual(
      artifacts.map(({ id }) => id).sort(),
    );
  });

  test('left half-way, its temporary instance is found and deleted, and the original is not', async () => {
    const { world, subject } = await subjectOn('half-way', outlasting('materialise'));
    await world.settle(world.clock.sleep(900_000));
    const works = captureWorks(subject, world, { outlasting: 'materialise' });
    await world.settle(world.clock.sleep(900_000));
    const places = { here: world.home.place, home: world.home.place };
    const items = await world.settle(open(rds.capture.start, world.transport, world.clock, places)(works));
    expect(items.every(({ state }) => state === 'started')).toBe(true);
    const left = await world.settle(straysAt(subject, world.home.place));
    expect(left.map(({ cut, id }) => [cut, id.split(':')[5]])).toEqual([
      ['cut-x', 'db'],
      ['cut-x', 'db'],
    ]);
    const expire = open(rds.expire, world.transport, world.clock, places);
    const answers = await world.settle(expire([...left, ...subject.resources].map(({ id }) => ({ id }))));
    expect(answers.map(({ gone }) => gone)).toEqual([true, true, false, false]);
    expect(answers[3]!.why).toMatch(/no temporary instance of ours, so it is left alone/);
    await world.settle(world.clock.sleep(600_000));
    expect(await world.settle(straysAt(subject, world.home.place))).toEqual([]);
  });

  test('waits for room, and fails with a sentence while the instance is being modified', async () => {
    const { world, subject } = await subjectOn('busy');
    await call(world, world.home.place, 'ModifyDBInstance', {
      DBInstanceIdentifier: subject.resources[0]!.name,
      DBInstanceClass: 'db.m7g.large',
      ApplyImmediately: true,
    });
    const start = open(rds.capture.start, world.transport, world.clock, { here: world.home.place, home: world.home.place });
    const [modified] = await world.settle(start(captureWorks(subject, world, { outlasting: 'snapshot' })));
    expect(modified).toMatchObject({
      state: 'failed',
      why: expect.stringMatching(/^It is modifying, and a snapshot can be taken only of what is available/),
    });
    for (let i = 0; state(world, world.home.place).instances.size < 40; i++)
      await call(world, world.home.place, 'CreateDBInstance', {
        DBInstanceIdentifier: `more${i}`,
        Engine: 'mysql',
        DBInstanceClass: 'db.t4g.micro',
      });
    const works = captureWorks(subject, world, { outlasting: 'materialise' });
    await world.settle(world.clock.sleep(900_000));
    expect(whyOf(await world.settle(start(works)))).toMatch(
      /There is no room for the temporary instance: DB Instance quota exceeded/,
    );
  });

  test('says of a plain snapshot when it was taken, not when it was asked for', async () => {
    const { world, subject } = await subjectOn('interval', outlasting('snapshot'));
    const { artifacts } = await world.settle(captured(subject));
    for (const { id, interval } of artifacts) {
      const { takenAt } = state(world, world.home.place).snapshot(id);
      expect(Date.parse(interval.from)).toBeLessThanOrEqual(takenAt);
      expect(Date.parse(interval.to)).toBeGreaterThanOrEqual(takenAt);
      expect(Date.parse(interval.to) - Date.parse(interval.from)).toBeLessThan(4000);
    }
  });
});

describe('an answer that is lost', () => {
  const asks = callsOf(rds).flatMap(({ verb: name, calls }) =>
    Object.values(calls)
      .filter(({ service, repeat, only }) => service === 'rds' && repeat === 'again' && only !== 'across accounts')
      .map((call) => [name, operationOf(call), call] as const),
  );

  test.each(asks.filter(([name]) => name !== 'expire'))('to %s asking for %s leaves one survivor', async (name, _, asked) => {
    const fromLog = name.startsWith('restore') && operationOf(asked) !== 'RestoreDBInstanceFromDBSnapshot';
    const by = name === 'snapshot' ? 'snapshot' : 'materialise';
    const { world, subject } = await subjectOn(`lost-${name}-${operationOf(asked)}`, fromLog ? rds : outlasting(by, true));
    let lost = 0;
    const losing = disturbed(world.transport, (sent) => (sent === asked && lost++ === 0 ? 'lose' : undefined), silence);
    const ofPassage = name === 'snapshot' ? 'capture' : name;
    const onTheWay = (passage: string) => (ofPassage.startsWith(passage) ? losing : world.transport);
    const cut = newCut(world);
    const one = await world.settle(persistently(world, () => captured(subject, { cut, transport: onTheWay('capture') })));
    const copies = await world.settle(persistently(world, () => copied(subject, one.cut, one.artifacts, onTheWay('copy'))));
    const works = restoreWorks(subject, copies, world.vault);
    await world.settle(persistently(world, () => driven(rds.restore, works, world, world.vault.place, onTheWay('restore'))));
    expect(lost).toBeGreaterThan(0);
    await world.settle(onlySurvive(subject, world.home.place, one.artifacts));
    await world.settle(onlySurvive(subject, world.vault.place, copies));
    const restoredHere = [...state(world, world.vault.place).instances.values()];
    expect(restoredHere).toHaveLength(subject.resources.length);
  });
});

describe('its export', () => {
  const files = (world: TestStage, bucket: string) =>
    [...world.world.state<S3State>('s3', world.home.place).asOf(bucket, new Date(world.clock.now())).keys()].sort();

  test('is listed in the point with its own instant, and pulled into the vault', async () => {
    const { world, subject } = await subjectOn('export', outlasting('materialise', true));
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    for (const [made, artifact] of [
      ...artifacts.map((one) => ['home', one] as const),
      ...copies.map((one) => ['vault', one] as const),
    ]) {
      const { files: found } = artifact.facts as {
        files: { bucket: string; prefix: string; snapshotTime: string; objects: number };
      };
      expect(found.bucket).toBe(
        made === 'home' ? 'stillpoint-staging-111122223333-us-east-1' : 'stillpoint-data-111122223333-eu-west-1',
      );
      const there = files(world, found.bucket).filter((key) => key.startsWith(`${found.prefix}/`));
      expect(there).toHaveLength(found.objects);
      expect(there.some((key) => /entries\/1\/part-00000-.*\.gz\.parquet$/.test(key))).toBe(true);
      expect(found.snapshotTime > cut.instant!).toBe(true);
      expect(found.prefix).toBe(
        databaseExportPrefix(artifact.id.split(':').at(-1)!, subject.application.name, '20261122T040000Z-law/1'),
      );
    }
  });

  test('goes with its snapshot', async () => {
    const { world, subject } = await subjectOn('export-expires', outlasting('materialise', true));
    const { artifacts } = await world.settle(captured(subject));
    const bucket = stagingBucket(world.home.place);
    expect(files(world, bucket).length).toBeGreaterThan(0);
    const expire = open(rds.expire, world.transport, world.clock, { here: world.home.place, home: world.home.place });
    await world.settle(expire(artifacts.map((artifact: Artifact) => ({ id: artifact.id, artifact }))));
    expect(files(world, bucket)).toEqual([]);
  });

  test('that its role may not write ends the capture with a sentence that says where to look', async () => {
    const { world, subject } = await subjectOn('export-denied', outlasting('materialise', true));
    const Bucket = stagingBucket(world.home.place);
    const Statement = [
      {
        Effect: 'Deny',
        Principal: { AWS: roleArn('export', world.home.place) },
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${Bucket}/*`,
      },
    ];
    await call(
      world,
      world.home.place,
      'PutBucketPolicy',
      { Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) },
      's3',
    );
    await expect(world.settle(captured(subject))).rejects.toThrow(
      /Its export ended as FAILED: AccessDenied.*look at arn:aws:iam::111122223333:role\/stillpoint-export-us-east-1 and at what stillpoint-staging/,
    );
  });
});

describe('restoring', () => {
  test('names what the target lacks before anything is made', async () => {
    const { world, subject } = await subjectOn('lacks');
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    const there = state(world, world.vault.place);
    there.parameterGroups.clear();
    const [first] = restoreWorks(subject, copies, world.vault, 'drill');
    const facts = { ...first!.resource.facts, optionGroup: 'mine', subnetGroup: 'inside' };
    const preview = open(rds.preview, world.transport, world.clock, { here: world.vault.place, home: world.home.place });
    await call(world, world.vault.place, 'CreateDBInstance', {
      DBInstanceIdentifier: `${first!.resource.name}-drill`,
      Engine: 'mysql',
      DBInstanceClass: 'db.t4g.micro',
    });
    for (let i = 0; there.instances.size < 40; i++)
      await call(world, world.vault.place, 'CreateDBInstance', {
        DBInstanceIdentifier: `more${i}`,
        Engine: 'mysql',
        DBInstanceClass: 'db.t4g.micro',
      });
    await call(world, world.vault.place, 'DisableKey', { KeyId: [...there.backups.values()].find(({ key }) => key)!.key }, 'kms');
    const [previewed] = await world.settle(preview([{ ...first!, resource: { ...first!.resource, facts } }]));
    const { lacks } = previewed!;
    expect(lacks.join('\n')).toMatch(/The key arn:aws:kms:eu-west-1.*cannot be used.*Disabled/);
    expect(lacks.join('\n')).toMatch(
      /The parameter group laws-postgres16 of \S+ does not exist in eu-west-1; make one of that name there\./,
    );
    expect(lacks.join('\n')).toMatch(/The option group mine of/);
    expect(lacks.join('\n')).toMatch(/The DB subnet group inside of .* or name the subnets of another under target\.subnets\./);
    expect(lacks.join('\n')).toMatch(/A DB instance \S+-drill exists already in eu-west-1; give the restore another name\./);
    expect(lacks.join('\n')).toMatch(/eu-west-1 has 40 of the 40 DB instances/);
  });

  test('goes into the target’s subnets and security groups, and rewires name, endpoint and ARN', async () => {
    const { world, subject } = await subjectOn('placing');
    const { artifacts, cut } = await world.settle(captured(subject));
    const copies = await world.settle(copied(subject, cut, artifacts));
    const ec2 = (operation: string, input: object) => call(world, world.vault.place, operation, input, 'ec2');
    const { Vpc } = await ec2('CreateVpc', { CidrBlock: '10.0.0.0/16' });
    const subnets: string[] = [];
    for (const zone of ['eu-west-1a', 'eu-west-1b'])
      subnets.push(
        (await ec2('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: `10.0.${subnets.length}.0/24`, AvailabilityZone: zone })).Subnet
          .SubnetId,
      );
    const { GroupId } = await ec2('CreateSecurityGroup', { GroupName: 'db', Description: 'x', VpcId: Vpc.VpcId });
    await call(world, world.vault.place, 'CreateDBSubnetGroup', {
      DBSubnetGroupName: 'standby',
      DBSubnetGroupDescription: 'x',
      SubnetIds: subnets,
    });
    const vault = { ...world.vault, target: { ...world.vault.target, subnets, securityGroups: [GroupId] } };
    const back = await world.settle(restored(subject, restoreWorks(subject, copies, vault, 'drill'), vault));
    for (const { id, resource, renames } of back) {
      const { settings } = state(world, world.vault.place).instance(id);
      expect([settings.subnetGroup, settings.securityGroups]).toEqual(['standby', [GroupId]]);
      if (settings.engine === 'postgres') expect(settings.key).toMatch(/^arn:aws:kms:eu-west-1:/);
      const name = resource.split(':').at(-1)!;
      expect(renames).toEqual([
        { was: name, is: `${name}-drill`, what: 'DB instance' },
        { was: resource, is: id, what: 'DB instance ARN' },
        {
          was: state(world, world.home.place).address(name),
          is: state(world, world.vault.place).address(`${name}-drill`),
          what: 'database endpoint',
        },
      ]);
    }
  });

  test('under the name of another’s instance is refused', async () => {
    const { world, subject } = await subjectOn('taken');
    const { artifacts } = await world.settle(captured(subject));
    const name = `${subject.resources[0]!.name}-drill`;
    await call(world, world.home.place, 'CreateDBInstance', {
      DBInstanceIdentifier: name,
      Engine: 'mysql',
      DBInstanceClass: 'db.t4g.micro',
    });
    const works = restoreWorks(subject, artifacts, world.home, 'drill');
    const items = await world.settle(driveItems(rds.restore, works, world, world.home.place, world.transport));
    expect(whyOf(items)).toMatch(/-drill exists already and is not of this restore; give the restore another name\./);
  });
});
