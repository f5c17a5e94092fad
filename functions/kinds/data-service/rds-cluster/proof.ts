import {
  CreateDBClusterCommand,
  CreateDBClusterParameterGroupCommand,
  CreateDBClusterSnapshotCommand,
  CreateDBInstanceCommand,
  type DBCluster,
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  ModifyDBClusterCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { composed, type Door, type Scene, verb } from '../../../aws/verb.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { ownTags, tagMap } from '../../scope.ts';
import { contents, run } from '../rds/contents.ts';
import { nameIn, rdsArn } from '../rds/names.ts';
import { clusterFacts } from './cluster.ts';
import { clusters, findCluster, looksAtClusters } from './clusters.ts';
import { looksAtMembers } from './discover.ts';
import { findMember } from './members.ts';

const { again } = calls('rds', RDSClient);

const GROUP = 'laws-aurora-postgresql16';
const looking = { ...looksAtClusters, ...looksAtMembers };

const seeding = {
  ...looking,
  ...contents,
  create: again(CreateDBClusterCommand),
  createInstance: again(CreateDBInstanceCommand),
};
type Seeding = Door<typeof seeding>;

/** An encrypted Aurora PostgreSQL with a writer and a reader and much that is set, and a plain Aurora MySQL with one instance. */
async function seed(aws: Seeding, { name, tags }: Seed, scene: Scene): Promise<Seeded> {
  const common = {
    DatabaseName: 'shop',
    MasterUsername: 'owner',
    EnableHttpEndpoint: true,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  const [ledger, plain] = [`${name}-ledger`, `${name}-plain`];
  await aws.create({
    ...common,
    DBClusterIdentifier: ledger,
    Engine: 'aurora-postgresql',
    EngineVersion: '16.4',
    DBClusterParameterGroupName: GROUP,
    StorageEncrypted: true,
    KmsKeyId: DATA_KEY,
    StorageType: 'aurora-iopt1',
    BackupRetentionPeriod: 14,
    PreferredBackupWindow: '01:00-01:30',
    PreferredMaintenanceWindow: 'tue:02:00-tue:02:30',
    DeletionProtection: true,
    CopyTagsToSnapshot: true,
    EnableIAMDatabaseAuthentication: true,
    EnableCloudwatchLogsExports: ['postgresql'],
    ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 8 },
    Port: 6432,
  });
  await aws.create({ ...common, DBClusterIdentifier: plain, Engine: 'aurora-mysql', BacktrackWindow: 3600 });
  for (const [id, Engine, count] of [
    [ledger, 'aurora-postgresql', 2],
    [plain, 'aurora-mysql', 1],
  ] as const)
    await fill(aws, id, Engine, count, scene);
  return { ids: [ledger, plain].map((id) => rdsArn(scene.here, 'cluster', id)) };
}

async function fill(aws: Seeding, id: string, Engine: string, count: number, { clock, here }: Scene): Promise<void> {
  await waitFor(clock, `DB cluster ${id}`, async () => (await findCluster(aws, id))?.Status === 'available' || undefined);
  for (let i = 0; i < count; i++) {
    const DBInstanceIdentifier = `${id}-${i}`;
    await aws.createInstance({
      DBInstanceIdentifier,
      DBClusterIdentifier: id,
      Engine,
      DBInstanceClass: i === 0 ? 'db.r7g.large' : 'db.serverless',
      PromotionTier: i + 2,
      PreferredMaintenanceWindow: 'wed:03:00-wed:03:30',
      Tags: [{ Key: 'role', Value: `member-${i}` }],
    });
    await waitFor(
      clock,
      `DB instance ${DBInstanceIdentifier}`,
      async () => (await findMember(aws, DBInstanceIdentifier))?.DBInstanceStatus === 'available' || undefined,
    );
  }
  const arn = rdsArn(here, 'cluster', id);
  await run(aws, arn, 'CREATE TABLE entries (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, amount NUMERIC, note BLOB)');
  await run(aws, arn, 'CREATE INDEX entries_by_owner ON entries (owner)');
  for (let i = 0; i < 5; i++)
    await run(aws, arn, `INSERT INTO entries (owner, amount, note) VALUES ('owner-${i % 2}', random(), x'00ff0${i}')`);
}

/** Every row, every definition, and all of the settings but what a name or a place decides, of the cluster and of each instance. */
async function fingerprint(aws: Door<typeof contents & typeof looking>, arn: string): Promise<string> {
  const found = (await findCluster(aws, nameIn(arn))) as DBCluster;
  const ids = (found.DBClusterMembers ?? []).map(({ DBInstanceIdentifier }) => DBInstanceIdentifier!);
  const instances = await Promise.all(ids.map((id) => findMember(aws, id)));
  const present = instances.flatMap((one) => one ?? []);
  const tagsOf = (tags: ReadonlyMap<string, string>) => ownTags(tags).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  const facts = clusterFacts(found, present, new Map());
  const { resourceId: _, writer: __, reader: ___, key, tags: ____, members, ...settings } = facts;
  const kept = members.map(({ name: _, arn: __, address: ___, tags, ...rest }) => [rest, tagsOf(new Map(Object.entries(tags)))]);
  const schema = await run(aws, arn, 'SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name');
  const rows = await run(aws, arn, 'SELECT * FROM entries ORDER BY id');
  return JSON.stringify([settings, key !== null, kept, tagsOf(tagMap(found.TagList)), schema, rows]);
}

const destroying = {
  ...looking,
  modify: again(ModifyDBClusterCommand),
  remove: again(DeleteDBClusterCommand),
  removeInstance: again(DeleteDBInstanceCommand),
};

async function destroy(aws: Door<typeof destroying>, arn: string, { clock }: Scene): Promise<void> {
  const DBClusterIdentifier = nameIn(arn);
  await aws.modify({ DBClusterIdentifier, DeletionProtection: false, ApplyImmediately: true });
  for (const { DBInstanceIdentifier } of (await findCluster(aws, DBClusterIdentifier))?.DBClusterMembers ?? [])
    await aws.removeInstance({ DBInstanceIdentifier });
  await aws.remove({ DBClusterIdentifier, SkipFinalSnapshot: true });
  await waitFor(clock, `The end of ${DBClusterIdentifier}`, async () =>
    (await findCluster(aws, DBClusterIdentifier)) ? undefined : true,
  );
}

const createTheirs = verb({ createTheirs: again(CreateDBClusterSnapshotCommand) }, async (aws, DBClusterIdentifier: string) => {
  const DBClusterSnapshotIdentifier = `theirs-${DBClusterIdentifier}`;
  await aws.createTheirs({ DBClusterIdentifier, DBClusterSnapshotIdentifier });
  return DBClusterSnapshotIdentifier;
});

export default proof({
  prepare: verb({ createGroup: again(CreateDBClusterParameterGroupCommand) }, async (aws) => {
    await aws
      .createGroup({
        DBClusterParameterGroupName: GROUP,
        DBParameterGroupFamily: 'aurora-postgresql16',
        Description: 'for laws',
      })
      .catch(when('DBParameterGroupAlreadyExistsFault', () => undefined));
  }),
  seed: verb(seeding, seed),
  mutate: verb(contents, async (aws, arn) => {
    await run(aws, arn, "UPDATE entries SET owner = 'changed' WHERE id = 1");
  }),
  fingerprint: verb({ ...contents, ...looking }, fingerprint),
  destroy: verb(destroying, destroy),
  foreign: composed({ createTheirs, findSnapshot: clusters.findSnapshot }, async (aws, arn: string, { clock, here }) => {
    const name = await aws.createTheirs(nameIn(arn));
    await waitFor(clock, `Snapshot ${name}`, async () => (await aws.findSnapshot(name))?.status === 'available' || undefined);
    return rdsArn(here, 'cluster-snapshot', name);
  }),
});
