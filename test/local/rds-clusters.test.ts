import { beforeAll, describe, expect, test } from 'vitest';
import { HOME, RdsWorld, second, WEST } from './rds-world.ts';

/** Aurora clusters of the local RDS. */
const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });

const ENGINE = 'aurora-postgresql';
const member = (world: RdsWorld, id: string, of: string, more: object = {}, place = HOME) =>
  world.call(
    'CreateDBInstance',
    { DBInstanceIdentifier: id, DBClusterIdentifier: of, Engine: ENGINE, DBInstanceClass: 'db.r7g.large', ...more },
    place,
  );
const up = (world: RdsWorld, id: string, place = HOME) =>
  world.until(() => world.state(place).cluster(id).status === 'available');

/** A cluster with a writer, a table and one row, written a while ago. */
async function filled(world: RdsWorld, id: string, more: object = {}): Promise<string> {
  const input = {
    DBClusterIdentifier: id,
    Engine: ENGINE,
    DatabaseName: 'shop',
    EnableHttpEndpoint: true,
    BackupRetentionPeriod: 7,
  };
  const { DBCluster } = await world.call('CreateDBCluster', { ...input, ...more });
  await up(world, id);
  await member(world, `${id}-1`, id);
  await world.available(`${id}-1`);
  await world.sql(DBCluster.DBClusterArn, 'CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)');
  await world.sql(DBCluster.DBClusterArn, "INSERT INTO orders (item) VALUES ('first')");
  await world.advance(600);
  return DBCluster.DBClusterArn;
}
const rows = (world: RdsWorld, id: string, place = HOME) =>
  world
    .state(place)
    .cluster(id)
    .store.query('SELECT * FROM orders ORDER BY 1')
    .rows.map((row) => row.join('|'));
const described = async (world: RdsWorld, id: string, place = HOME) =>
  (await world.call('DescribeDBClusters', { DBClusterIdentifier: id }, place)).DBClusters[0];

describe('a cluster', () => {
  let world: RdsWorld;
  let arn: string;
  beforeAll(async () => {
    world = new RdsWorld('clusters');
    arn = await filled(world, 'ledger');
  });

  test('is reached through its writer, where the Data API is enabled, and not through an instance’s ARN', async () => {
    expect((await world.sql(arn, 'SELECT item FROM orders')).records).toEqual([[{ stringValue: 'first' }]]);
    await expect(world.sql(world.state().arn('db', 'ledger-1'), 'SELECT 1')).rejects.toEqual(refusal('BadRequestException'));
    await world.call('CreateDBCluster', { DBClusterIdentifier: 'mute', Engine: ENGINE });
    await up(world, 'mute');
    const mute = world.state().arn('cluster', 'mute');
    await expect(world.sql(mute, 'SELECT 1')).rejects.toEqual(refusal('BadRequestException', /HttpEndpoint is not enabled/));
    await world.call('EnableHttpEndpoint', { ResourceArn: mute });
    await expect(world.sql(mute, 'SELECT 1')).rejects.toEqual(refusal('DatabaseUnavailableException'));
  });

  test('has two endpoints and tells of its members, whose settings are its own', async () => {
    await member(world, 'ledger-2', 'ledger', { PromotionTier: 3 });
    await world.available('ledger-2');
    const { Endpoint, ReaderEndpoint, DBClusterMembers } = await described(world, 'ledger');
    expect(Endpoint).toMatch(/^ledger\.cluster-c\w+\.us-east-1\.rds\.amazonaws\.com$/);
    expect(ReaderEndpoint).toMatch(/^ledger\.cluster-ro-c\w+\.us-east-1\.rds/);
    expect(DBClusterMembers).toMatchObject([
      { DBInstanceIdentifier: 'ledger-1', IsClusterWriter: true, PromotionTier: 1 },
      { DBInstanceIdentifier: 'ledger-2', IsClusterWriter: false, PromotionTier: 3 },
    ]);
    const Filters = [{ Name: 'db-cluster-id', Values: ['ledger'] }];
    const { DBInstances } = await world.call('DescribeDBInstances', { Filters });
    expect(DBInstances).toMatchObject([
      { DBClusterIdentifier: 'ledger', Engine: ENGINE, BackupRetentionPeriod: 7, DBName: 'shop' },
      { DBInstanceIdentifier: 'ledger-2' },
    ]);
  });

  test.each([
    [
      'an instance of its own engine outside a cluster',
      'CreateDBInstance',
      { DBInstanceIdentifier: 'x', Engine: ENGINE, DBInstanceClass: 'c' },
      'InvalidParameterCombination',
      /DBClusterIdentifier is required/,
    ],
    [
      'an instance of another engine',
      'CreateDBInstance',
      { DBInstanceIdentifier: 'x', Engine: 'mysql', DBInstanceClass: 'c', DBClusterIdentifier: 'ledger' },
      'InvalidParameterCombination',
      /not the cluster's/,
    ],
    [
      'an instance with a user of its own',
      'CreateDBInstance',
      { DBInstanceIdentifier: 'x', Engine: ENGINE, DBInstanceClass: 'c', DBClusterIdentifier: 'ledger', MasterUsername: 'me' },
      'InvalidParameterCombination',
      /set for the cluster/,
    ],
    [
      'a snapshot of one instance',
      'CreateDBSnapshot',
      { DBInstanceIdentifier: 'ledger-1', DBSnapshotIdentifier: 'x' },
      'InvalidParameterValue',
      /member of the cluster ledger/,
    ],
    [
      'no automated backups',
      'CreateDBCluster',
      { DBClusterIdentifier: 'x', Engine: ENGINE, BackupRetentionPeriod: 0 },
      'InvalidParameterValue',
      /Must be between 1 and 35/,
    ],
    [
      'backtrack of PostgreSQL',
      'CreateDBCluster',
      { DBClusterIdentifier: 'x', Engine: ENGINE, BacktrackWindow: 60 },
      'InvalidParameterCombination',
      /Backtrack is not available/,
    ],
    [
      'a Multi-AZ DB cluster',
      'CreateDBCluster',
      { DBClusterIdentifier: 'x', Engine: 'mysql' },
      'InvalidParameterValue',
      /not modelled/,
    ],
    [
      'its deletion while it has instances',
      'DeleteDBCluster',
      { DBClusterIdentifier: 'ledger', SkipFinalSnapshot: true },
      'InvalidDBClusterStateFault',
      /still contains DB instances/,
    ],
    [
      'replication of the backups of an instance',
      'StartDBInstanceAutomatedBackupsReplication',
      { SourceDBInstanceArn: 'arn:aws:rds:us-east-1:111122223333:db:ledger-1', place: WEST },
      'InvalidParameterCombination',
      /not supported for engine aurora-postgresql/,
    ],
    [
      'a cluster of its name',
      'CreateDBCluster',
      { DBClusterIdentifier: 'Ledger', Engine: ENGINE },
      'DBClusterAlreadyExistsFault',
      /exists/,
    ],
  ])('refuses %s', async (_, operation, { place = HOME, ...input }: any, code, message) => {
    await expect(world.call(operation, input, place)).rejects.toEqual(refusal(code, message));
  });
});

describe('its log', () => {
  test('gives any second of its window, in its own region alone, and makes no instances', async () => {
    const world = new RdsWorld('cluster-log');
    const arn = await filled(world, 'ledger');
    const at = second(world.now);
    await world.advance(60);
    await world.sql(arn, "INSERT INTO orders (item) VALUES ('later')");
    await world.until(async () => (await described(world, 'ledger')).LatestRestorableTime >= at);
    const from = { SourceDBClusterIdentifier: 'ledger' };
    await world.call('RestoreDBClusterToPointInTime', { DBClusterIdentifier: 'back', ...from, RestoreToTime: at });
    await up(world, 'back');
    expect(rows(world, 'back')).toEqual(['1|first']);
    expect(await described(world, 'back')).toMatchObject({
      DBClusterMembers: [],
      DeletionProtection: false,
      HttpEndpointEnabled: false,
      BackupRetentionPeriod: 7,
    });
    const restore = (input: object) => world.call('RestoreDBClusterToPointInTime', { DBClusterIdentifier: 'never', ...input });
    const early = { RestoreToTime: new Date(at.getTime() - 86_400_000) };
    await expect(restore({ ...from, ...early })).rejects.toEqual(
      refusal('InvalidRestoreFault', /outside of the restorable window/),
    );
    await expect(restore({ ...from, RestoreType: 'copy-on-write', RestoreToTime: at })).rejects.toEqual(
      refusal('InvalidParameterValue'),
    );
    const { DBClusterAutomatedBackups } = await world.call('DescribeDBClusterAutomatedBackups', {}, WEST);
    expect(DBClusterAutomatedBackups).toEqual([]);
  });

  test('stays for as long as it is kept after the cluster’s end, where that is asked for', async () => {
    const world = new RdsWorld('cluster-retained');
    await filled(world, 'ledger');
    const { DbClusterResourceId } = await described(world, 'ledger');
    const at = second(world.now - 400_000);
    await world.call('DeleteDBInstance', { DBInstanceIdentifier: 'ledger-1' });
    await world.call('DeleteDBCluster', {
      DBClusterIdentifier: 'ledger',
      SkipFinalSnapshot: true,
      DeleteAutomatedBackups: false,
    });
    await world.until(() => world.state().clusters.size === 0);
    const told = async () =>
      (await world.call('DescribeDBClusterAutomatedBackups', { DbClusterResourceId })).DBClusterAutomatedBackups;
    expect(await told()).toMatchObject([{ Status: 'retained', DBClusterIdentifier: 'ledger' }]);
    await world.call('RestoreDBClusterToPointInTime', {
      DBClusterIdentifier: 'back',
      SourceDbClusterResourceId: DbClusterResourceId,
      RestoreToTime: at,
    });
    await up(world, 'back');
    expect(rows(world, 'back')).toEqual(['1|first']);
    await world.advance(8 * 86_400);
    expect(await told()).toEqual([]);
  });
});

describe('its snapshot', () => {
  test('is copied into another region, under a key of there if it is encrypted, and under none if it is not', async () => {
    const world = new RdsWorld('cluster-copies');
    await filled(world, 'plain');
    await filled(world, 'secret', { StorageEncrypted: true });
    const { KeyMetadata } = await world.call('CreateKey', {}, WEST, 'kms');
    const copy = (of: string, more: object = {}) =>
      world.call(
        'CopyDBClusterSnapshot',
        {
          SourceDBClusterSnapshotIdentifier: world.state().arn('cluster-snapshot', of),
          TargetDBClusterSnapshotIdentifier: of,
          ...more,
        },
        WEST,
      );
    for (const id of ['plain', 'secret']) {
      await world.call('CreateDBClusterSnapshot', { DBClusterIdentifier: id, DBClusterSnapshotIdentifier: id });
      await expect(copy(id)).rejects.toEqual(refusal('InvalidDBClusterSnapshotStateFault'));
      await world.until(() => world.state().clusterSnapshot(id).status === 'available');
    }
    await expect(copy('secret')).rejects.toEqual(refusal('InvalidParameterCombination', /KmsKeyId must be specified/));
    await expect(copy('plain', { KmsKeyId: KeyMetadata.Arn })).rejects.toEqual(
      refusal('InvalidParameterCombination', /is not encrypted/),
    );
    await copy('plain');
    await copy('secret', { KmsKeyId: KeyMetadata.Arn });
    await world.until(() => [...world.state(WEST).clusterSnapshots.values()].every(({ status }) => status === 'available'));
    world.world.dark.add(HOME.region);
    const { DBCluster } = await world.call(
      'RestoreDBClusterFromSnapshot',
      { DBClusterIdentifier: 'back', SnapshotIdentifier: 'secret', Engine: ENGINE },
      WEST,
    );
    expect(DBCluster).toMatchObject({ KmsKeyId: KeyMetadata.Arn, StorageEncrypted: true, Status: 'creating' });
    await up(world, 'back', WEST);
    expect(rows(world, 'back', WEST)).toEqual(['1|first']);
  });

  test('under the default key cannot be shared, nor copied into another account; five are copied at a time', async () => {
    const world = new RdsWorld('cluster-shares');
    await filled(world, 'secret', { StorageEncrypted: true });
    await world.call('CreateDBClusterSnapshot', { DBClusterIdentifier: 'secret', DBClusterSnapshotIdentifier: 's0' });
    await world.until(() => world.state().clusterSnapshot('s0').status === 'available');
    const share = { DBClusterSnapshotIdentifier: 's0', AttributeName: 'restore', ValuesToAdd: ['222222222222'] };
    await expect(world.call('ModifyDBClusterSnapshotAttribute', share)).rejects.toEqual(
      refusal('InvalidDBClusterSnapshotStateFault', /default key/),
    );
    const { KeyMetadata } = await world.call('CreateKey', {}, WEST, 'kms');
    const copy = (name: string) =>
      world.call(
        'CopyDBClusterSnapshot',
        {
          SourceDBClusterSnapshotIdentifier: world.state().arn('cluster-snapshot', 's0'),
          TargetDBClusterSnapshotIdentifier: name,
          KmsKeyId: KeyMetadata.Arn,
        },
        WEST,
      );
    for (let i = 0; i < 5; i++) await copy(`c${i}`);
    await expect(copy('c5')).rejects.toEqual(refusal('SnapshotQuotaExceededFault', /in progress/));
  });
});
