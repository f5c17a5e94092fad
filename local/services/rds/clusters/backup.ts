import type * as SDK from '@aws-sdk/client-rds';
import { isOver, type Kept, windowOf } from '../backup.ts';
import type { Tags } from '../instance.ts';
import type { RdsState } from '../state.ts';
import { tagList } from '../tags.ts';
import type { Cluster, ClusterSettings } from './cluster.ts';

/** Access to a cluster's history: its own, or what was retained after its end. It never leaves its region (Aurora guide, "Backup and restore"). */
export interface ClusterBackup extends Kept {
  readonly id: string;
  readonly cluster: Pick<Cluster, 'id' | 'resourceId' | 'createdAt' | 'zones' | 'store'>;
  readonly settings: ClusterSettings;
  tags: Tags;
}

export const ownClusterBackup = (cluster: Cluster, { place }: RdsState): ClusterBackup | undefined =>
  cluster.backedUpSince === undefined
    ? undefined
    : {
        id: cluster.backupId,
        kind: 'own',
        cluster,
        source: { place },
        settings: cluster.settings,
        uploadsAt: cluster.uploadsAt,
        retentionDays: cluster.settings.retentionDays,
        since: cluster.backedUpSince,
        lagMillis: 0,
        ended: undefined,
        tags: {},
      };

export function clusterBackupsOf(state: RdsState): ClusterBackup[] {
  const now = state.world.clock.now();
  for (const [id, backup] of state.clusterBackups) if (isOver(backup, now)) state.clusterBackups.delete(id);
  const own = [...state.clusters.values()].flatMap((cluster) => ownClusterBackup(cluster, state) ?? []);
  return [...own, ...state.clusterBackups.values()];
}

export function describeClusterBackup(backup: ClusterBackup, state: RdsState): SDK.DBClusterAutomatedBackup {
  const { cluster, settings } = backup;
  const window = windowOf(backup, state.world);
  return {
    DBClusterAutomatedBackupsArn: state.arn('cluster-auto-backup', backup.id),
    DBClusterIdentifier: cluster.id,
    DBClusterArn: state.arn('cluster', cluster.id),
    DbClusterResourceId: cluster.resourceId,
    ClusterCreateTime: cluster.createdAt,
    Region: state.place.region,
    Status: backup.kind === 'retained' ? 'retained' : window ? 'active' : 'creating',
    ...(window ? { RestoreWindow: { EarliestTime: new Date(window.earliest), LatestTime: new Date(window.latest) } } : {}),
    AvailabilityZones: [...cluster.zones],
    Engine: settings.engine,
    EngineVersion: settings.version,
    EngineMode: 'provisioned',
    MasterUsername: settings.user,
    Port: settings.port,
    AllocatedStorage: 1,
    StorageType: settings.storageType,
    StorageEncrypted: settings.key !== undefined,
    ...(settings.key ? { KmsKeyId: settings.key } : {}),
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    BackupRetentionPeriod: backup.retentionDays,
    PreferredBackupWindow: settings.backupWindow,
    TagList: tagList(backup.tags),
  };
}
