import {
  CopyDBClusterSnapshotCommand,
  CreateDBClusterSnapshotCommand,
  type DBClusterSnapshot,
  DeleteDBClusterCommand,
  DeleteDBClusterSnapshotCommand,
  DescribeDBClusterAutomatedBackupsCommand,
  DescribeDBClusterSnapshotsCommand,
  DescribeDBClustersCommand,
  ModifyDBClusterSnapshotAttributeCommand,
  RDSClient,
  RestoreDBClusterToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, verb } from '../../../aws/verb.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { failed } from '../../kind.ts';
import { tagMap } from '../../scope.ts';
import { type Databases, everyPage, GONE, logOf, SHARING, SNAPSHOT_GONE, type Snapshot } from '../rds/databases.ts';
import { asDatabase, factsOf } from './cluster.ts';

const { read, again } = calls('rds', RDSClient);

export const looksAtClusters = { clusters: read(DescribeDBClustersCommand) };
/** A cluster's log never leaves its region. */
const looksAtLogs = { clusterBackups: read(DescribeDBClusterAutomatedBackupsCommand, { only: 'at home' }) };
const looksAtSnapshots = { clusterSnapshots: read(DescribeDBClusterSnapshotsCommand) };

export const findCluster = (aws: Door<typeof looksAtClusters>, DBClusterIdentifier: string) =>
  aws.clusters({ DBClusterIdentifier }).then(
    ({ DBClusters }) => DBClusters?.[0],
    when(GONE, () => undefined),
  );

const asSnapshot = (found: DBClusterSnapshot): Snapshot => ({
  arn: found.DBClusterSnapshotArn!,
  status: found.Status ?? '',
  percent: found.PercentProgress ?? 0,
  ...(found.SnapshotCreateTime ? { takenAt: found.SnapshotCreateTime.toISOString() } : {}),
  createdAt: (found.SnapshotCreateTime ?? found.ClusterCreateTime)!.toISOString(),
  key: found.StorageEncrypted ? (found.KmsKeyId ?? null) : null,
  tags: tagMap(found.TagList),
});

/** Aurora clusters, as RDS's calls have them. All that make something are repeatable by the name that is chosen. */
export const clusters: Databases = {
  kind: 'rds-cluster',
  noun: 'DB cluster',
  short: 'cluster',
  type: 'cluster',
  snapshotType: 'cluster-snapshot',
  prefix: 'stillpoint-cluster-',
  /** Only an instance's automated backups can be (RDS guide, "Replicating automated backups to another AWS Region"). */
  replicated: false,

  find: verb(looksAtClusters, async (aws, name: string) => {
    const found = await findCluster(aws, name);
    return found && asDatabase(found);
  }),
  list: verb(looksAtClusters, (aws) =>
    everyPage(async (marker) => {
      const { DBClusters, Marker } = await aws.clusters(marker);
      return { found: DBClusters?.map(asDatabase), Marker };
    }),
  ),
  findLog: verb(looksAtLogs, async (aws, DbClusterResourceId: string) => {
    const found = await everyPage(async (marker) => {
      const { DBClusterAutomatedBackups, Marker } = await aws.clusterBackups({ DbClusterResourceId, ...marker });
      return { found: DBClusterAutomatedBackups, Marker };
    });
    return logOf(
      found,
      ({ DBClusterAutomatedBackupsArn, DbClusterResourceId }) => DBClusterAutomatedBackupsArn ?? DbClusterResourceId!,
      ({ StorageEncrypted }) => StorageEncrypted ?? false,
    );
  }),
  keepLog: verb({}, async (_, { resource, vault }) =>
    failed(
      resource.id,
      `An Aurora cluster's log does not leave its region, and this point was taken for home alone, so ${vault.place.region} cannot have it; points that are taken with this vault in the policy are materialised.`,
    ),
  ),

  findSnapshot: verb(looksAtSnapshots, (aws, DBClusterSnapshotIdentifier: string) =>
    aws.clusterSnapshots({ DBClusterSnapshotIdentifier }).then(
      ({ DBClusterSnapshots }) => DBClusterSnapshots?.map(asSnapshot)[0],
      when(SNAPSHOT_GONE, () => undefined),
    ),
  ),
  listSnapshots: verb(looksAtSnapshots, (aws) =>
    everyPage(async (marker) => {
      const { DBClusterSnapshots, Marker } = await aws.clusterSnapshots({ SnapshotType: 'manual', ...marker });
      return { found: DBClusterSnapshots?.map(asSnapshot), Marker };
    }),
  ),
  createSnapshot: verb(
    { createSnapshot: again(CreateDBClusterSnapshotCommand, { also: ['rds:AddTagsToResource'] }) },
    async (aws, { of, name, tags }) =>
      (await aws.createSnapshot({ DBClusterIdentifier: of, DBClusterSnapshotIdentifier: name, Tags: tags })).asked,
  ),
  /** Called where the copy shall be, it pulls. A key is refused for what is not encrypted (RDS API, CopyDBClusterSnapshot, KmsKeyId). */
  copySnapshot: verb(
    {
      copySnapshot: again(CopyDBClusterSnapshotCommand, {
        also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'],
      }),
    },
    async (aws, { source, name, encrypted, tags }) => {
      const named = { SourceDBClusterSnapshotIdentifier: source, TargetDBClusterSnapshotIdentifier: name };
      await aws.copySnapshot({ ...named, ...(encrypted ? { KmsKeyId: DATA_KEY } : {}), CopyTags: false, Tags: tags });
    },
  ),
  /** RDS guide, "Sharing a DB cluster snapshot". */
  shareSnapshot: verb(
    { shareSnapshot: again(ModifyDBClusterSnapshotAttributeCommand, SHARING) },
    async (aws, { name: DBClusterSnapshotIdentifier, account }) => {
      await aws.shareSnapshot({ DBClusterSnapshotIdentifier, AttributeName: 'restore', ValuesToAdd: [account] });
    },
  ),
  deleteSnapshot: verb(
    { deleteSnapshot: again(DeleteDBClusterSnapshotCommand) },
    async (aws, DBClusterSnapshotIdentifier: string) => {
      await aws.deleteSnapshot({ DBClusterSnapshotIdentifier });
    },
  ),

  /** Without instances: a volume is all that a snapshot takes, and nobody can reach it (RDS API, RestoreDBClusterToPointInTime). */
  restoreTemporary: verb(
    {
      restoreToTime: again(RestoreDBClusterToPointInTimeCommand, {
        also: ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'],
      }),
    },
    async (aws, { resource, at, name, tags }) => {
      const { resourceId, subnetGroup, parameterGroup } = factsOf(resource);
      await aws.restoreToTime({
        SourceDbClusterResourceId: resourceId,
        RestoreToTime: new Date(at),
        DBClusterIdentifier: name,
        DeletionProtection: false,
        BackupRetentionPeriod: 1,
        ...(subnetGroup ? { DBSubnetGroupName: subnetGroup } : {}),
        ...(parameterGroup ? { DBClusterParameterGroupName: parameterGroup } : {}),
        Tags: tags,
      });
    },
  ),
  remove: verb({ deleteCluster: again(DeleteDBClusterCommand) }, async (aws, DBClusterIdentifier: string) => {
    await aws.deleteCluster({ DBClusterIdentifier, SkipFinalSnapshot: true, DeleteAutomatedBackups: true });
  }),
};
