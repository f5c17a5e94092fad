import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CreateDBSnapshotCommand,
  CreateOptionGroupCommand,
  type DBInstance,
  DeleteDBInstanceCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  StartDBInstanceAutomatedBackupsReplicationCommand,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { composed, type Door, open, type Scene, verb } from '../../../aws/verb.ts';
import type { Place } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { ownTags, tagMap } from '../../scope.ts';
import { contents, run } from '../rds/contents.ts';
import { nameIn, rdsArn } from '../rds/names.ts';
import { instanceFacts } from './instance.ts';
import { findInstance, instances, looksAtInstances } from './instances.ts';
import { findLog } from './log.ts';

const { again } = calls('rds', RDSClient);

const GROUP = 'laws-postgres16';
const OPTIONS = 'laws-mysql80';

const seeding = {
  ...looksAtInstances,
  ...contents,
  create: again(CreateDBInstanceCommand),
};
type Seeding = Door<typeof seeding>;

/** An encrypted PostgreSQL with much that is set, and a MySQL with nothing but an option group; both replicated to the vault, where their logs can be asked. */
async function seed(aws: Seeding, { name, tags, vault }: Seed, scene: Scene): Promise<Seeded> {
  const common = {
    DBInstanceClass: 'db.t4g.micro',
    AllocatedStorage: 20,
    DBName: 'shop',
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
  const [ledger, plain] = [`${name}-ledger`, `${name}-plain`];
  await aws.create({
    ...common,
    DBInstanceIdentifier: ledger,
    Engine: 'postgres',
    EngineVersion: '16.4',
    DBParameterGroupName: GROUP,
    StorageEncrypted: true,
    KmsKeyId: DATA_KEY,
    BackupRetentionPeriod: 14,
    PreferredBackupWindow: '01:00-01:30',
    PreferredMaintenanceWindow: 'tue:02:00-tue:02:30',
    MultiAZ: true,
    DeletionProtection: true,
    CopyTagsToSnapshot: true,
    EnableIAMDatabaseAuthentication: true,
    EnableCloudwatchLogsExports: ['postgresql'],
    MaxAllocatedStorage: 100,
    Port: 6432,
  });
  await aws.create({
    ...common,
    DBInstanceIdentifier: plain,
    Engine: 'mysql',
    EngineVersion: '8.0',
    OptionGroupName: OPTIONS,
    BackupRetentionPeriod: 3,
  });
  for (const id of [ledger, plain]) await fill(aws, id, scene);
  for (const id of [ledger, plain]) await replicate(rdsArn(scene.here, 'db', id), vault, scene);
  return { ids: [ledger, plain].map((id) => rdsArn(scene.here, 'db', id)) };
}

async function fill(aws: Seeding, id: string, { clock, here }: Scene): Promise<void> {
  await waitFor(
    clock,
    `DB instance ${id}`,
    async () => (await findInstance(aws, id))?.DBInstanceStatus === 'available' || undefined,
  );
  const arn = rdsArn(here, 'db', id);
  await run(
    aws,
    arn,
    'CREATE TABLE entries (id INTEGER PRIMARY KEY, owner TEXT NOT NULL, amount NUMERIC, at TEXT DEFAULT CURRENT_TIMESTAMP, note BLOB)',
  );
  await run(aws, arn, 'CREATE INDEX entries_by_owner ON entries (owner)');
  for (let i = 0; i < 5; i++)
    await run(aws, arn, `INSERT INTO entries (owner, amount, note) VALUES ('owner-${i % 2}', random(), x'00ff0${i}')`);
}

/** In the vault's region, as whoever sets up a vault does it once. */
async function replicate(SourceDBInstanceArn: string, place: Place, { clock, transport, home }: Scene): Promise<void> {
  const start = again(StartDBInstanceAutomatedBackupsReplicationCommand);
  const there = verb({ start, ...findLog.calls }, async (aws, resource: string, scene) => {
    await aws
      .start({ SourceDBInstanceArn, KmsKeyId: DATA_KEY, BackupRetentionPeriod: 7 })
      .catch(when('InvalidDBInstanceAutomatedBackupStateFault', () => undefined));
    await waitFor(
      clock,
      `The replication of ${SourceDBInstanceArn}`,
      async () => (await findLog.run(aws, resource, scene))?.window,
    );
  });
  const look = verb(looksAtInstances, (aws, id: string) => findInstance(aws, id));
  const instance = await open(look, transport, clock, { here: home, home })(nameIn(SourceDBInstanceArn));
  await open(there, transport, clock, { here: place, home })(instance!.DbiResourceId!);
}

/** Every row, every definition, and all of the settings but what a name or a place decides; a copy may be encrypted where the original is not. */
async function fingerprint(aws: Door<typeof contents & typeof looksAtInstances>, arn: string): Promise<string> {
  const found = (await findInstance(aws, nameIn(arn))) as DBInstance;
  const tags = ownTags(tagMap(found.TagList)).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  const { resourceId: _, address: __, key: ___, tags: ____, ...settings } = instanceFacts(found, new Map());
  const schema = await run(aws, arn, 'SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name');
  const rows = await run(aws, arn, 'SELECT * FROM entries ORDER BY id');
  return JSON.stringify([settings, tags, schema, rows]);
}

const destroying = { ...looksAtInstances, modify: again(ModifyDBInstanceCommand), remove: again(DeleteDBInstanceCommand) };

async function destroy(aws: Door<typeof destroying>, arn: string, { clock }: Scene): Promise<void> {
  const DBInstanceIdentifier = nameIn(arn);
  await aws.modify({ DBInstanceIdentifier, DeletionProtection: false, ApplyImmediately: true });
  await aws.remove({ DBInstanceIdentifier, SkipFinalSnapshot: true });
  await waitFor(clock, `The end of ${DBInstanceIdentifier}`, async () =>
    (await findInstance(aws, DBInstanceIdentifier)) ? undefined : true,
  );
}

const createTheirs = verb({ createTheirs: again(CreateDBSnapshotCommand) }, async (aws, DBInstanceIdentifier: string) => {
  const DBSnapshotIdentifier = `theirs-${DBInstanceIdentifier}`;
  await aws.createTheirs({ DBInstanceIdentifier, DBSnapshotIdentifier });
  return DBSnapshotIdentifier;
});

const preparing = {
  createGroup: again(CreateDBParameterGroupCommand),
  createOptions: again(CreateOptionGroupCommand),
};

export default proof({
  prepare: verb(preparing, async (aws) => {
    await aws
      .createGroup({ DBParameterGroupName: GROUP, DBParameterGroupFamily: 'postgres16', Description: 'for laws' })
      .catch(when('DBParameterGroupAlreadyExistsFault', () => undefined));
    const options = { EngineName: 'mysql', MajorEngineVersion: '8.0', OptionGroupDescription: 'for laws' };
    await aws
      .createOptions({ OptionGroupName: OPTIONS, ...options })
      .catch(when('OptionGroupAlreadyExistsFault', () => undefined));
  }),
  seed: verb(seeding, seed),
  mutate: verb(contents, async (aws, arn) => {
    await run(aws, arn, "UPDATE entries SET owner = 'changed' WHERE id = 1");
  }),
  fingerprint: verb({ ...contents, ...looksAtInstances }, fingerprint),
  destroy: verb(destroying, destroy),
  foreign: composed({ createTheirs, findSnapshot: instances.findSnapshot }, async (aws, arn: string, { clock, here }) => {
    const name = await aws.createTheirs(nameIn(arn));
    await waitFor(clock, `Snapshot ${name}`, async () => (await aws.findSnapshot(name))?.status === 'available' || undefined);
    return rdsArn(here, 'snapshot', name);
  }),
});
