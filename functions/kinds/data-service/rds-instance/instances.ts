import {
  CopyDBSnapshotCommand,
  CreateDBSnapshotCommand,
  type DBSnapshot,
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBSnapshotAttributeCommand,
  RDSClient,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { tagMap } from '../../scope.ts';
import { type Databases, everyPage, GONE, SHARING, SNAPSHOT_GONE, type Snapshot } from '../rds/databases.ts';
import { asDatabase, factsOf } from './instance.ts';
import { findLog } from './log.ts';
import { keepLog } from './replica.ts';

const { read, again } = calls('rds', RDSClient);

export const looksAtInstances = { instances: read(DescribeDBInstancesCommand) };
const looksAtSnapshots = { snapshots: read(DescribeDBSnapshotsCommand) };

export const findInstance = (aws: Door<typeof looksAtInstances>, DBInstanceIdentifier: string) =>
  aws.instances({ DBInstanceIdentifier }).then(
    ({ DBInstances }) => DBInstances?.[0],
    when(GONE, () => undefined),
  );

const asSnapshot = (found: DBSnapshot): Snapshot => ({
  arn: found.DBSnapshotArn!,
  status: found.Status ?? '',
  percent: found.PercentProgress ?? 0,
  ...(found.SnapshotCreateTime ? { takenAt: found.SnapshotCreateTime.toISOString() } : {}),
  createdAt: (found.SnapshotCreateTime ?? found.InstanceCreateTime)!.toISOString(),
  key: found.Encrypted ? (found.KmsKeyId ?? null) : null,
  tags: tagMap(found.TagList),
});

/** DB instances, as RDS's calls have them. All that make something are repeatable by the name that is chosen. */
export const instances: Databases = {
  kind: 'rds-instance',
  noun: 'DB instance',
  short: 'instance',
  type: 'db',
  snapshotType: 'snapshot',
  prefix: 'stillpoint-',
  replicated: true,

  find: verb(looksAtInstances, async (aws, name: string) => {
    const found = await findInstance(aws, name);
    return found && asDatabase(found);
  }),
  list: verb(looksAtInstances, (aws) =>
    everyPage(async (marker) => {
      const { DBInstances, Marker } = await aws.instances(marker);
      return { found: DBInstances?.map(asDatabase), Marker };
    }),
  ),
  findLog,
  keepLog,

  findSnapshot: verb(looksAtSnapshots, (aws, DBSnapshotIdentifier: string) =>
    aws.snapshots({ DBSnapshotIdentifier }).then(
      ({ DBSnapshots }) => DBSnapshots?.map(asSnapshot)[0],
      when(SNAPSHOT_GONE, () => undefined),
    ),
  ),
  listSnapshots: verb(looksAtSnapshots, (aws) =>
    everyPage(async (marker) => {
      const { DBSnapshots, Marker } = await aws.snapshots({ SnapshotType: 'manual', ...marker });
      return { found: DBSnapshots?.map(asSnapshot), Marker };
    }),
  ),
  createSnapshot: verb(
    { createSnapshot: again(CreateDBSnapshotCommand, { also: ['rds:AddTagsToResource'] }) },
    async (aws, { of, name, tags }) =>
      (await aws.createSnapshot({ DBInstanceIdentifier: of, DBSnapshotIdentifier: name, Tags: tags })).asked,
  ),
  /** Called where the copy shall be, it pulls. Home's key is used on RDS's behalf (RDS guide, "Copying a DB snapshot"); what was not encrypted is, from then on. */
  copySnapshot: verb(
    {
      copySnapshot: again(CopyDBSnapshotCommand, { also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'] }),
    },
    async (aws, { source, name, tags }) => {
      const named = { SourceDBSnapshotIdentifier: source, TargetDBSnapshotIdentifier: name };
      await aws.copySnapshot({ ...named, KmsKeyId: DATA_KEY, CopyTags: false, Tags: tags });
    },
  ),
  /** RDS guide, "Sharing a DB snapshot". */
  shareSnapshot: verb(
    { shareSnapshot: again(ModifyDBSnapshotAttributeCommand, SHARING) },
    async (aws, { name: DBSnapshotIdentifier, account }) => {
      await aws.shareSnapshot({ DBSnapshotIdentifier, AttributeName: 'restore', ValuesToAdd: [account] });
    },
  ),
  deleteSnapshot: verb({ deleteSnapshot: again(DeleteDBSnapshotCommand) }, async (aws, DBSnapshotIdentifier: string) => {
    await aws.deleteSnapshot({ DBSnapshotIdentifier });
  }),

  restoreTemporary: verb(
    {
      restoreToTime: again(RestoreDBInstanceToPointInTimeCommand, {
        also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'],
      }),
    },
    async (aws, { resource, at, name, tags }) => {
      const { resourceId, subnetGroup, parameterGroup, optionGroup } = factsOf(resource);
      await aws.restoreToTime({
        SourceDbiResourceId: resourceId,
        RestoreTime: new Date(at),
        TargetDBInstanceIdentifier: name,
        MultiAZ: false,
        PubliclyAccessible: false,
        DeletionProtection: false,
        BackupRetentionPeriod: 0,
        ...(subnetGroup ? { DBSubnetGroupName: subnetGroup } : {}),
        ...(parameterGroup ? { DBParameterGroupName: parameterGroup } : {}),
        ...(optionGroup ? { OptionGroupName: optionGroup } : {}),
        Tags: tags,
      });
    },
  ),
  remove: verb({ deleteInstance: again(DeleteDBInstanceCommand) }, async (aws, DBInstanceIdentifier: string) => {
    await aws.deleteInstance({ DBInstanceIdentifier, SkipFinalSnapshot: true, DeleteAutomatedBackups: true });
  }),
};
