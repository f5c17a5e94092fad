import { describe, expect, test } from 'vitest';
import { untilWindow } from '../../local/services/rds/modify.ts';
import { HOME, RdsWorld, second, WEST } from './rds-world.ts';

const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });

describe('instances', () => {
  test('come to be, are backed up, and then have an endpoint and a log that can be asked', async () => {
    const world = new RdsWorld('create');
    const { DBInstance } = await world.call('CreateDBInstance', {
      DBInstanceIdentifier: 'Orders',
      Engine: 'postgres',
      EngineVersion: '16',
      DBInstanceClass: 'db.t4g.micro',
      Tags: [{ Key: 'app', Value: 'shop' }],
    });
    expect(DBInstance).toMatchObject({ DBInstanceIdentifier: 'orders', DBInstanceStatus: 'creating', EngineVersion: '16.6' });
    expect(DBInstance.Endpoint).toBeUndefined();
    await world.available('orders');
    const { DBInstances } = await world.call('DescribeDBInstances', { DBInstanceIdentifier: 'orders' });
    expect(DBInstances[0]).toMatchObject({
      DBInstanceArn: 'arn:aws:rds:us-east-1:111122223333:db:orders',
      DBParameterGroups: [{ DBParameterGroupName: 'default.postgres16' }],
      OptionGroupMemberships: [{ OptionGroupName: 'default:postgres-16' }],
      Endpoint: { Address: expect.stringMatching(/^orders\.c[0-9a-z]+\.us-east-1\.rds\.amazonaws\.com$/), Port: 5432 },
      TagList: [{ Key: 'app', Value: 'shop' }],
    });
    await world.advance(600);
    const { DBInstanceAutomatedBackups } = await world.call('DescribeDBInstanceAutomatedBackups', {});
    const { RestoreWindow, Status } = DBInstanceAutomatedBackups[0];
    expect(Status).toBe('active');
    expect(world.now - RestoreWindow.LatestTime.getTime()).toBeLessThanOrEqual(300_000);
    expect(RestoreWindow.LatestTime.getTime() % 1000).toBe(0);
  });

  test.each([
    ['a name that is none', { DBInstanceIdentifier: 'a--b' }, 'InvalidParameterValue'],
    ['an engine that is none', { Engine: 'sqlite' }, 'InvalidParameterValue'],
    ['a version that is none', { EngineVersion: '9.6' }, 'InvalidParameterCombination'],
    ['a group that is not there', { DBParameterGroupName: 'mine' }, 'DBParameterGroupNotFoundFault'],
    ['a subnet group that is not there', { DBSubnetGroupName: 'mine' }, 'DBSubnetGroupNotFoundFault'],
    ['an option group that is not there', { OptionGroupName: 'mine' }, 'OptionGroupNotFoundFault'],
    ['a key that is not there', { StorageEncrypted: true, KmsKeyId: 'alias/mine' }, 'KMSKeyNotAccessibleFault'],
    ['too long a retention', { BackupRetentionPeriod: 36 }, 'InvalidParameterValue'],
  ])('are refused with %s', async (_, wrong, code) => {
    const world = new RdsWorld('refused');
    const right = { DBInstanceIdentifier: 'a', Engine: 'mysql', DBInstanceClass: 'db.t4g.micro' };
    await expect(world.call('CreateDBInstance', { ...right, ...wrong })).rejects.toEqual(refusal(code));
  });

  test('of one name are refused, and more than forty', async () => {
    const world = new RdsWorld('quota');
    const make = (id: string) =>
      world.call('CreateDBInstance', { DBInstanceIdentifier: id, Engine: 'mysql', DBInstanceClass: 'db.t4g.micro' });
    for (let i = 0; i < 40; i++) await make(`db${i}`);
    await expect(make('DB0')).rejects.toEqual(refusal('DBInstanceAlreadyExistsFault'));
    await expect(make('one-more')).rejects.toEqual(refusal('InstanceQuotaExceededFault'));
    const { DBInstances, Marker } = await world.call('DescribeDBInstances', { MaxRecords: 25 });
    const rest = await world.call('DescribeDBInstances', { MaxRecords: 25, Marker });
    expect([DBInstances.length, rest.DBInstances.length, rest.Marker]).toEqual([25, 15, undefined]);
  });

  test('change at once, later, or when told to; turned off, automated backups are gone', async () => {
    const world = new RdsWorld('modify');
    await world.filled('orders', { PreferredMaintenanceWindow: 'mon:02:00-mon:02:30' });
    const modify = (more: object) => world.call('ModifyDBInstance', { DBInstanceIdentifier: 'orders', ...more });
    await modify({ DBInstanceClass: 'db.m7g.large', DeletionProtection: true });
    const { settings, pending } = world.state().instance('orders');
    expect([settings.protected, settings.class, pending]).toEqual([true, 'db.t4g.micro', { DBInstanceClass: 'db.m7g.large' }]);
    await world.advance(untilWindow('mon:02:00-mon:02:30', world.now) / 1000 + 400);
    expect(world.state().instance('orders').settings.class).toBe('db.m7g.large');
    await modify({ BackupRetentionPeriod: 0, ApplyImmediately: true });
    await expect(modify({})).rejects.toEqual(refusal('InvalidDBInstanceStateFault', /modifying/));
    await world.available('orders');
    expect((await world.call('DescribeDBInstanceAutomatedBackups', {})).DBInstanceAutomatedBackups).toEqual([]);
    const back = { SourceDBInstanceIdentifier: 'orders', TargetDBInstanceIdentifier: 'back', UseLatestRestorableTime: true };
    await expect(world.call('RestoreDBInstanceToPointInTime', back)).rejects.toEqual(
      refusal('PointInTimeRestoreNotEnabledFault'),
    );
    await expect(world.call('DeleteDBInstance', { DBInstanceIdentifier: 'orders', SkipFinalSnapshot: true })).rejects.toEqual(
      refusal('InvalidParameterCombination', /protected/),
    );
  });

  test('stop and start, and answer nothing meanwhile', async () => {
    const world = new RdsWorld('stop');
    const arn = await world.filled('orders');
    await world.call('StopDBInstance', { DBInstanceIdentifier: 'orders' });
    await world.advance(400);
    await expect(world.sql(arn, 'SELECT 1')).rejects.toEqual(refusal('DatabaseUnavailableException', /stopped/));
    await world.call('StartDBInstance', { DBInstanceIdentifier: 'orders' });
    await world.available('orders');
    expect((await world.sql(arn, 'SELECT 1')).records).toEqual([[{ longValue: 1 }]]);
  });
});

describe('restoring to a point in time', () => {
  test('gives what was committed before that second and nothing after it', async () => {
    const world = new RdsWorld('pitr');
    const arn = await world.filled('orders');
    const before = second(world.now);
    await world.advance(2);
    await world.sql(arn, "UPDATE orders SET item = 'changed'");
    await world.advance(600);
    const target = { SourceDBInstanceIdentifier: 'orders', RestoreTime: before };
    await world.call('RestoreDBInstanceToPointInTime', { ...target, TargetDBInstanceIdentifier: 'back' });
    await world.available('back');
    expect(world.rows('back')).toEqual(['1|first|1']);
    expect(world.rows('orders')).toEqual(['1|changed|1']);
    expect(world.state().instance('back').settings).toMatchObject({ retentionDays: 1, protected: false, subnetGroup: 'default' });
  });

  test('of what was committed within the second, gives some in order, and never half of a transaction', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const world = new RdsWorld(`grain-${seed}`);
      const arn = await world.filled('orders');
      await world.advance((1000 - (world.now % 1000)) / 1000);
      const at = new Date(world.now);
      const asked = { resourceArn: arn, secretArn: 'arn:secret' };
      const { transactionId } = await world.call('BeginTransaction', asked, HOME, 'rds-data');
      await world.sql(arn, "INSERT INTO orders VALUES (2, 'second', 2)", { transactionId });
      await world.sql(arn, "INSERT INTO orders VALUES (3, 'third', 3)", { transactionId });
      await world.call('CommitTransaction', { ...asked, transactionId }, HOME, 'rds-data');
      expect(second(world.now)).toEqual(at);
      await world.advance(900);
      const target = { SourceDBInstanceIdentifier: 'orders', RestoreTime: at, TargetDBInstanceIdentifier: 'back' };
      await world.call('RestoreDBInstanceToPointInTime', target);
      await world.available('back');
      seen.add(String(world.rows('back').length));
    }
    expect([...seen].sort()).toEqual(['1', '3']);
  });

  test('runs what was run: the same times, the same chance, however many images lie between', async () => {
    const world = new RdsWorld('replay');
    const arn = await world.filled('orders');
    await world.sql(
      arn,
      'CREATE TABLE events (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, day TEXT, dice REAL, name TEXT)',
    );
    const insert = "INSERT INTO events (day, dice, name) VALUES (date('now'), random(), gen_random_uuid())";
    for (let i = 0; i < 600; i++)
      world
        .state()
        .instance('orders')
        .store.commit([{ sql: insert, parameters: {}, at: world.now, seed: `s${i}` }], world.now);
    const events = world.rows('orders', HOME, 'events');
    const at = second(world.now + 1000);
    await world.advance(60);
    await world.sql(arn, 'DELETE FROM events');
    expect(events[0]).toMatch(/^1\|2026-11-22 03:\d\d:\d\d\|2026-11-22\|0\.\d+\|[0-9a-f-]{36}$/);
    expect(new Set(events.map((event) => event.split('|')[4])).size).toBe(600);
    await world.advance(600);
    await world.call('RestoreDBInstanceToPointInTime', {
      SourceDBInstanceIdentifier: 'orders',
      RestoreTime: at,
      TargetDBInstanceIdentifier: 'back',
    });
    await world.available('back');
    expect(world.rows('back', HOME, 'events')).toEqual(events);
  });

  test('is refused before the first backup, after the last upload, and past the retention', async () => {
    const world = new RdsWorld('window');
    const arn = await world.filled('orders', { BackupRetentionPeriod: 1 });
    const restore = (at: number) =>
      world.call('RestoreDBInstanceToPointInTime', {
        SourceDBInstanceIdentifier: 'orders',
        RestoreTime: new Date(at),
        TargetDBInstanceIdentifier: 'back',
      });
    const began = world.now;
    await expect(restore(world.now - 86_400_000)).rejects.toEqual(
      refusal('InvalidRestoreFault', /outside of the restorable window/),
    );
    await expect(restore(world.now - 1000)).rejects.toEqual(refusal('InvalidRestoreFault'));
    await world.advance(86_400 + 600);
    await expect(restore(began)).rejects.toEqual(refusal('InvalidRestoreFault'));
    expect(world.state().queryAt('orders', new Date(began), 'SELECT count(*) FROM orders').rows).toEqual([[1n]]);
    expect(arn).toContain('orders');
  });

  test('outlives a deleted instance where its backups are to stay', async () => {
    const world = new RdsWorld('retained');
    await world.filled('orders');
    const { resourceId } = world.state().instance('orders');
    await world.call('DeleteDBInstance', {
      DBInstanceIdentifier: 'orders',
      SkipFinalSnapshot: true,
      DeleteAutomatedBackups: false,
    });
    await world.advance(600);
    const { DBInstanceAutomatedBackups } = await world.call('DescribeDBInstanceAutomatedBackups', { DbiResourceId: resourceId });
    expect(DBInstanceAutomatedBackups[0]).toMatchObject({ Status: 'retained', DBInstanceIdentifier: 'orders' });
    await world.call('RestoreDBInstanceToPointInTime', {
      SourceDbiResourceId: resourceId,
      UseLatestRestorableTime: true,
      TargetDBInstanceIdentifier: 'back',
    });
    await world.available('back');
    expect(world.rows('back')).toEqual(['1|first|1']);
    await world.advance(8 * 86_400);
    expect(
      (await world.call('DescribeDBInstanceAutomatedBackups', { DbiResourceId: resourceId })).DBInstanceAutomatedBackups,
    ).toEqual([]);
  });
});

describe('replicated automated backups', () => {
  const replicated = async (seed: string, more: object = {}) => {
    const world = new RdsWorld(seed);
    const arn = await world.filled('orders', more);
    const start = { SourceDBInstanceArn: arn, BackupRetentionPeriod: 3, KmsKeyId: 'alias/aws/rds' };
    const { DBInstanceAutomatedBackup } = await world.call('StartDBInstanceAutomatedBackupsReplication', start, WEST);
    const backup = async () => (await world.call('DescribeDBInstanceAutomatedBackups', {}, WEST)).DBInstanceAutomatedBackups[0];
    return { world, arn, start, backup, replica: DBInstanceAutomatedBackup.DBInstanceAutomatedBackupsArn as string };
  };

  test('begin pending, then lag behind the source, under a key of their own', async () => {
    const { world, arn, start, backup, replica } = await replicated('replica', { StorageEncrypted: true });
    expect(await backup()).toMatchObject({ Status: 'pending', Region: 'us-east-1', Encrypted: true });
    expect((await backup()).KmsKeyId).toMatch(/^arn:aws:kms:eu-west-1:/);
    await expect(world.call('StartDBInstanceAutomatedBackupsReplication', start, WEST)).rejects.toEqual(
      refusal('InvalidDBInstanceAutomatedBackupStateFault'),
    );
    await world.until(async () => (await backup()).Status === 'replicating');
    let lagged = 0;
    for (let i = 0; i < 20; i++) {
      await world.advance(47);
      const here = (await backup()).RestoreWindow.LatestTime.getTime();
      const there = world.state().instance('orders');
      const { DBInstances } = await world.call('DescribeDBInstances', { DBInstanceIdentifier: there.id });
      const home = DBInstances[0].LatestRestorableTime.getTime();
      expect(here).toBeLessThanOrEqual(home);
      if (here < home) lagged++;
      expect(DBInstances[0].DBInstanceAutomatedBackupsReplications).toEqual([{ DBInstanceAutomatedBackupsArn: replica }]);
    }
    expect(lagged).toBeGreaterThan(0);
    expect(arn).toContain(':db:orders');
  });

  test('stop where they were when the source goes dark, and restore all the same', async () => {
    const { world, arn, backup, replica } = await replicated('dark');
    await world.until(async () => (await backup()).Status === 'replicating');
    await world.advance(700);
    const at = second(world.now);
    await world.advance(3);
    await world.sql(arn, "INSERT INTO orders (item, amount) VALUES ('late', 2)");
    await world.until(async () => (await backup()).RestoreWindow.LatestTime >= at);
    world.world.dark.add(HOME.region);
    await world.advance(600);
    const { LatestTime } = (await backup()).RestoreWindow;
    await world.advance(3600);
    expect((await backup()).RestoreWindow.LatestTime).toEqual(LatestTime);
    const target = { SourceDBInstanceAutomatedBackupsArn: replica, TargetDBInstanceIdentifier: 'back' };
    await expect(
      world.call('RestoreDBInstanceToPointInTime', { ...target, RestoreTime: new Date(LatestTime.getTime() + 1000) }, WEST),
    ).rejects.toEqual(refusal('InvalidRestoreFault'));
    await world.call('RestoreDBInstanceToPointInTime', { ...target, RestoreTime: at }, WEST);
    await world.available('back', WEST);
    expect(world.rows('back', WEST)).toEqual(['1|first|1']);
    world.world.dark.delete(HOME.region);
    await world.advance(600);
    expect((await backup()).RestoreWindow.LatestTime > LatestTime).toBe(true);
  });

  test('need automated backups, an engine that has them, and a key for what is encrypted', async () => {
    const world = new RdsWorld('no-replica');
    const start = (SourceDBInstanceArn: string) =>
      world.call('StartDBInstanceAutomatedBackupsReplication', { SourceDBInstanceArn }, WEST);
    const off = await world.instance('off', { BackupRetentionPeriod: 0 });
    await expect(start(off)).rejects.toEqual(refusal('InvalidDBInstanceStateFault', /not enabled/));
    const custom = await world.instance('custom', { Engine: 'custom-oracle-ee' });
    await expect(start(custom)).rejects.toEqual(refusal('InvalidParameterCombination', /not supported for engine/));
    const sealed = await world.instance('sealed', { StorageEncrypted: true });
    await expect(start(sealed)).rejects.toEqual(refusal('InvalidParameterCombination', /KmsKeyId/));
    await expect(world.call('StartDBInstanceAutomatedBackupsReplication', { SourceDBInstanceArn: sealed }, HOME)).rejects.toEqual(
      refusal('InvalidParameterValue'),
    );
  });

  test('stay for their retention after the replication ends', async () => {
    const { world, arn, backup } = await replicated('stopped');
    await world.until(async () => (await backup()).Status === 'replicating');
    await world.call('StopDBInstanceAutomatedBackupsReplication', { SourceDBInstanceArn: arn }, WEST);
    await world.advance(86_400);
    expect((await backup()).RestoreWindow).toBeDefined();
    await world.advance(3 * 86_400);
    expect(await backup()).toBeUndefined();
  });
});

describe('snapshots', () => {
  const snap = async (world: RdsWorld, id = 'snap') => {
    await world.call('CreateDBSnapshot', {
      DBInstanceIdentifier: 'orders',
      DBSnapshotIdentifier: id,
      Tags: [{ Key: 'a', Value: 'b' }],
    });
    await world.until(() => world.state().snapshot(id).status === 'available');
  };

  test('hold what was there when they were taken, however late they are done', async () => {
    const world = new RdsWorld('snapshot');
    const arn = await world.filled('orders');
    const asked = world.now;
    await world.call('CreateDBSnapshot', { DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'Snap' });
    await expect(
      world.call('CreateDBSnapshot', { DBInstanceIdentifier: 'orders', DBSnapshotIdentifier: 'other' }),
    ).rejects.toEqual(refusal('InvalidDBInstanceStateFault', /backing-up/));
    await world.advance(2);
    await world.sql(arn, "INSERT INTO orders (item, amount) VALUES ('late', 2)");
    const creating = await world.call('DescribeDBSnapshots', { DBSnapshotIdentifier: 'snap' });
    expect(creating.DBSnapshots[0]).toMatchObject({ Status: 'creating', PercentProgress: 0 });
    await expect(world.call('DeleteDBSnapshot', { DBSnapshotIdentifier: 'snap' })).rejects.toEqual(
      refusal('InvalidDBSnapshotStateFault'),
    );
    await world.until(() => world.state().snapshot('snap').status === 'available');
    const { DBSnapshots } = await world.call('DescribeDBSnapshots', { DBInstanceIdentifier: 'orders' });
    const taken = DBSnapshots[0].SnapshotCreateTime.getTime();
    expect(taken).toBeGreaterThanOrEqual(asked);
    expect(taken - asked).toBeLessThanOrEqual(1700);
    await world.call('RestoreDBInstanceFromDBSnapshot', { DBInstanceIdentifier: 'back', DBSnapshotIdentifier: 'snap' });
    await world.available('back');
    expect(world.rows('back')).toEqual(['1|first|1']);
  });

  test('are copied into another region under a key of there, tags only if asked', async () => {
    const world = new RdsWorld('copy');
    await world.filled('orders', { StorageEncrypted: true, OptionGroupName: 'default:postgres-17' });
    await snap(world);
    const source = { SourceDBSnapshotIdentifier: world.state().arn('snapshot', 'snap'), TargetDBSnapshotIdentifier: 'copy' };
    await expect(world.call('CopyDBSnapshot', source, WEST)).rejects.toEqual(
      refusal('InvalidParameterCombination', /KmsKeyId must be specified/),
    );
    await expect(world.call('CopyDBSnapshot', { ...source, KmsKeyId: 'alias/nobody' }, WEST)).rejects.toEqual(
      refusal('KMSKeyNotAccessibleFault'),
    );
    await world.call('CopyDBSnapshot', { ...source, KmsKeyId: 'alias/aws/rds' }, WEST);
    await expect(world.call('CopyDBSnapshot', { ...source, KmsKeyId: 'alias/aws/rds' }, WEST)).rejects.toEqual(
      refusal('DBSnapshotAlreadyExistsFault'),
    );
    await world.until(() => world.state(WEST).snapshot('copy').status === 'available');
    const [copy] = (await world.call('DescribeDBSnapshots', {}, WEST)).DBSnapshots;
    expect(copy).toMatchObject({
      SourceRegion: 'us-east-1',
      SourceDBSnapshotIdentifier: source.SourceDBSnapshotIdentifier,
      TagList: [],
    });
    expect(copy.KmsKeyId).toMatch(/^arn:aws:kms:eu-west-1/);
    expect(copy.OriginalSnapshotCreateTime < copy.SnapshotCreateTime).toBe(true);
    world.world.dark.add(HOME.region);
    await world.call('RestoreDBInstanceFromDBSnapshot', { DBInstanceIdentifier: 'back', DBSnapshotIdentifier: 'copy' }, WEST);
    await world.available('back', WEST);
    expect(world.rows('back', WEST)).toEqual(['1|first|1']);
  });

  test('fail to be copied when their region goes dark meanwhile, and are not copied out of a dark one', async () => {
    const world = new RdsWorld('copy-dark');
    await world.filled('orders');
    await snap(world);
    const source = { SourceDBSnapshotIdentifier: world.state().arn('snapshot', 'snap'), TargetDBSnapshotIdentifier: 'copy' };
    await world.call('CopyDBSnapshot', source, WEST);
    world.world.dark.add(HOME.region);
    await world.advance(1300);
    expect(world.state(WEST).snapshot('copy').status).toBe('failed');
    await expect(world.call('CopyDBSnapshot', { ...source, TargetDBSnapshotIdentifier: 'again' }, WEST)).rejects.toEqual(
      refusal('ServiceUnavailable'),
    );
  });

  test('under the account’s default key are neither shared nor copied into another account', async () => {
    const world = new RdsWorld('default-key');
    await world.filled('orders', { StorageEncrypted: true });
    await snap(world);
    const share = { DBSnapshotIdentifier: 'snap', AttributeName: 'restore', ValuesToAdd: ['444455556666'] };
    await expect(world.call('ModifyDBSnapshotAttribute', share)).rejects.toEqual(
      refusal('InvalidDBSnapshotStateFault', /default key/),
    );
    const other = { account: '444455556666', region: WEST.region };
    const source = {
      SourceDBSnapshotIdentifier: world.state().arn('snapshot', 'snap'),
      TargetDBSnapshotIdentifier: 'copy',
      KmsKeyId: 'alias/aws/rds',
    };
    await expect(world.call('CopyDBSnapshot', source, other)).rejects.toEqual(refusal('DBSnapshotNotFoundFault'));
    await world.filled('plain');
    await world.call('CreateDBSnapshot', { DBInstanceIdentifier: 'plain', DBSnapshotIdentifier: 'open' });
    await world.until(() => world.state().snapshot('open').status === 'available');
    await world.call('ModifyDBSnapshotAttribute', { ...share, DBSnapshotIdentifier: 'open' });
    await world.call('CopyDBSnapshot', { ...source, SourceDBSnapshotIdentifier: world.state().arn('snapshot', 'open') }, other);
    await world.until(() => world.state(other).snapshot('copy').status === 'available');
  });

  test('are no more than a hundred', async () => {
    const world = new RdsWorld('hundred');
    await world.filled('orders');
    await snap(world);
    const one = world.state().snapshot('snap');
    for (let i = 1; i < 100; i++) world.state().snapshots.set(`s${i}`, { ...one, id: `s${i}` });
    await expect(snap(world, 'more')).rejects.toEqual(refusal('SnapshotQuotaExceededFault'));
  });
});

describe('groups', () => {
  test('match the engine, are kept while used, and subnets cover two zones', async () => {
    const world = new RdsWorld('groups');
    await world.call('CreateDBParameterGroup', {
      DBParameterGroupName: 'mine',
      DBParameterGroupFamily: 'postgres17',
      Description: 'x',
    });
    await world.call('ModifyDBParameterGroup', {
      DBParameterGroupName: 'mine',
      Parameters: [{ ParameterName: 'work_mem', ParameterValue: '64' }],
    });
    expect((await world.call('DescribeDBParameters', { DBParameterGroupName: 'mine' })).Parameters).toEqual([
      { ParameterName: 'work_mem', ParameterValue: '64', Source: 'user' },
    ]);
    await expect(world.instance('my', { Engine: 'mysql', DBParameterGroupName: 'mine' })).rejects.toEqual(
      refusal('InvalidParameterCombination'),
    );
    await world.instance('orders', { DBParameterGroupName: 'mine' });
    await expect(world.call('DeleteDBParameterGroup', { DBParameterGroupName: 'mine' })).rejects.toEqual(
      refusal('InvalidDBParameterGroupStateFault'),
    );
    const { Vpc } = await world.call('CreateVpc', { CidrBlock: '10.0.0.0/16' }, HOME, 'ec2');
    const subnet = async (zone: string, n: number) =>
      (await world.call('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: `10.0.${n}.0/24`, AvailabilityZone: zone }, HOME, 'ec2'))
        .Subnet.SubnetId;
    const [a, b] = [await subnet('us-east-1a', 1), await subnet('us-east-1b', 2)];
    const group = { DBSubnetGroupName: 'Two', DBSubnetGroupDescription: 'x' };
    await expect(world.call('CreateDBSubnetGroup', { ...group, SubnetIds: [a] })).rejects.toEqual(
      refusal('DBSubnetGroupDoesNotCoverEnoughAZs'),
    );
    await world.call('CreateDBSubnetGroup', { ...group, SubnetIds: [a, b] });
    await world.instance('inside', { DBSubnetGroupName: 'two' });
    const { DBInstances } = await world.call('DescribeDBInstances', { DBInstanceIdentifier: 'inside' });
    expect(DBInstances[0].DBSubnetGroup.Subnets.map((one: { SubnetIdentifier: string }) => one.SubnetIdentifier)).toEqual([a, b]);
    await expect(world.call('DeleteDBSubnetGroup', { DBSubnetGroupName: 'two' })).rejects.toEqual(
      refusal('InvalidDBSubnetGroupStateFault'),
    );
  });

  test('tags are found, added and removed, also through the tagging API', async () => {
    const world = new RdsWorld('tags');
    const ResourceName = await world.instance('orders', { Tags: [{ Key: 'app', Value: 'shop' }] });
    await world.call('AddTagsToResource', { ResourceName, Tags: [{ Key: 'tier', Value: 'data' }] });
    const found = await world.call(
      'GetResources',
      { TagFilters: [{ Key: 'tier' }], ResourceTypeFilters: ['rds:db'] },
      HOME,
      'tagging',
    );
    expect(found.ResourceTagMappingList.map((one: { ResourceARN: string }) => one.ResourceARN)).toEqual([ResourceName]);
    await world.call('RemoveTagsFromResource', { ResourceName, TagKeys: ['app'] });
    expect((await world.call('ListTagsForResource', { ResourceName })).TagList).toEqual([{ Key: 'tier', Value: 'data' }]);
  });
});
