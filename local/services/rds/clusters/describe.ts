import type * as SDK from '@aws-sdk/client-rds';
import { windowOf } from '../backup.ts';
import type { RdsState } from '../state.ts';
import { tagList } from '../tags.ts';
import { ownClusterBackup } from './backup.ts';
import { type Cluster, membersOf } from './cluster.ts';

export function describeCluster(cluster: Cluster, state: RdsState): SDK.DBCluster {
  const { settings, id } = cluster;
  const backup = ownClusterBackup(cluster, state);
  const window = backup && windowOf(backup, state.world);
  return {
    DBClusterIdentifier: id,
    DBClusterArn: state.arn('cluster', id),
    DbClusterResourceId: cluster.resourceId,
    ClusterCreateTime: cluster.createdAt,
    Status: cluster.status,
    Engine: settings.engine,
    EngineVersion: settings.version,
    EngineMode: 'provisioned',
    AllocatedStorage: 1,
    StorageType: settings.storageType,
    MasterUsername: settings.user,
    ...(settings.database === undefined ? {} : { DatabaseName: settings.database }),
    Endpoint: state.address(id, 'cluster-'),
    ReaderEndpoint: state.address(id, 'cluster-ro-'),
    Port: settings.port,
    AvailabilityZones: [...cluster.zones],
    MultiAZ: membersOf(cluster, state).length > 1,
    DBClusterMembers: membersOf(cluster, state).map((member, i) => ({
      DBInstanceIdentifier: member.id,
      IsClusterWriter: i === 0,
      DBClusterParameterGroupStatus: 'in-sync',
      PromotionTier: member.cluster?.promotionTier,
    })),
    BackupRetentionPeriod: settings.retentionDays,
    PreferredBackupWindow: settings.backupWindow,
    PreferredMaintenanceWindow: settings.maintenanceWindow,
    ...(window ? { EarliestRestorableTime: new Date(window.earliest), LatestRestorableTime: new Date(window.latest) } : {}),
    DBClusterParameterGroup: settings.parameterGroup,
    DBSubnetGroup: settings.subnetGroup,
    VpcSecurityGroups: settings.securityGroups.map((VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: 'active' })),
    StorageEncrypted: settings.key !== undefined,
    ...(settings.key ? { KmsKeyId: settings.key } : {}),
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    EnabledCloudwatchLogsExports: [...settings.logs],
    CopyTagsToSnapshot: settings.copyTags,
    DeletionProtection: settings.protected,
    HttpEndpointEnabled: settings.httpEndpoint,
    ...(settings.backtrackSeconds > 0 ? { BacktrackWindow: settings.backtrackSeconds } : {}),
    ...(settings.scaling ? { ServerlessV2ScalingConfiguration: settings.scaling } : {}),
    TagList: tagList(cluster.tags),
  };
}
