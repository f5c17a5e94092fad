import type * as SDK from '@aws-sdk/client-rds';
import { backupsOf, ownBackup, windowOf } from './backup.ts';
import { describeSubnetGroup } from './groups/subnet-groups.ts';
import type { Instance } from './instance.ts';
import type { RdsState } from './state.ts';
import { tagList } from './tags.ts';

/** Statuses in which an instance has no endpoint yet. */
const NO_ENDPOINT = ['creating', 'failed'];

export function describeInstance(instance: Instance, state: RdsState): SDK.DBInstance {
  const { settings, id, status, pending } = instance;
  const backup = ownBackup(instance, state);
  const window = backup && windowOf(backup, state.world);
  const cluster = instance.cluster && state.clusters.get(instance.cluster.id);
  return {
    DBInstanceIdentifier: id,
    DBInstanceArn: state.arn('db', id),
    ...(instance.cluster ? { DBClusterIdentifier: instance.cluster.id, PromotionTier: instance.cluster.promotionTier } : {}),
    DbiResourceId: instance.resourceId,
    DBInstanceStatus: status,
    DBInstanceClass: settings.class,
    Engine: settings.engine,
    EngineVersion: settings.version,
    MasterUsername: settings.user,
    ...(settings.database === undefined ? {} : { DBName: settings.database }),
    ...(NO_ENDPOINT.includes(status) ? {} : { Endpoint: { Address: state.address(id), Port: settings.port } }),
    AllocatedStorage: settings.storage,
    StorageType: settings.storageType,
    ...(settings.iops === undefined ? {} : { Iops: settings.iops }),
    ...(settings.throughput === undefined ? {} : { StorageThroughput: settings.throughput }),
    ...(settings.maxStorage === undefined ? {} : { MaxAllocatedStorage: settings.maxStorage }),
    ...(status === 'creating' ? {} : { InstanceCreateTime: instance.createdAt }),
    BackupRetentionPeriod: cluster?.settings.retentionDays ?? settings.retentionDays,
    PreferredBackupWindow: settings.backupWindow,
    PreferredMaintenanceWindow: settings.maintenanceWindow,
    ...(window ? { LatestRestorableTime: new Date(window.latest) } : {}),
    VpcSecurityGroups: settings.securityGroups.map((VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: 'active' })),
    DBParameterGroups: [{ DBParameterGroupName: settings.parameterGroup, ParameterApplyStatus: 'in-sync' }],
    OptionGroupMemberships: [{ OptionGroupName: settings.optionGroup, Status: 'in-sync' }],
    DBSubnetGroup: describeSubnetGroup(settings.subnetGroup, state),
    AvailabilityZone: instance.zone,
    PendingModifiedValues: pending,
    MultiAZ: settings.multiAz,
    PubliclyAccessible: settings.public,
    AutoMinorVersionUpgrade: settings.minorUpgrades,
    LicenseModel: settings.license,
    StorageEncrypted: settings.key !== undefined,
    ...(settings.key ? { KmsKeyId: settings.key } : {}),
    CopyTagsToSnapshot: settings.copyTags,
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    EnabledCloudwatchLogsExports: [...settings.logs],
    DeletionProtection: settings.protected,
    BackupTarget: 'region',
    DBInstanceAutomatedBackupsReplications: replicationsOf(instance, state),
    TagList: tagList(instance.tags),
  };
}

/** Where its automated backups are replicated to; a region that is dark is known all the same. */
function replicationsOf({ resourceId }: Instance, { world }: RdsState): SDK.DBInstanceAutomatedBackupsReplication[] {
  return world
    .places('rds')
    .map((place) => world.state<RdsState>('rds', place))
    .flatMap((elsewhere) =>
      backupsOf(elsewhere)
        .filter((backup) => backup.kind === 'replicated' && backup.resourceId === resourceId && backup.ended === undefined)
        .map(({ id }) => ({ DBInstanceAutomatedBackupsArn: elsewhere.arn('auto-backup', id) })),
    );
}
