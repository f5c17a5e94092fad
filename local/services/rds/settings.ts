import type * as SDK from '@aws-sdk/client-rds';
import { type Context, refuse } from '../../world/service.ts';
import type { Ec2State } from '../ec2/state.ts';
import { AWS_MANAGED, keyAt } from './encryption.ts';
import { engineFor } from './engines.ts';
import { optionGroupFor, parameterGroupFor, subnetGroupFor } from './groups/group.ts';
import type { Settings } from './instance.ts';
import type { RdsState } from './state.ts';

/** RDS API, CreateDBInstance: BackupRetentionPeriod from 0 to 35, 1 unless given. */
const MOST_DAYS = 35;

export function retention(days: number, least = 0): number {
  if (!Number.isInteger(days) || days < least || days > MOST_DAYS)
    refuse('InvalidParameterValue', `Invalid backup retention period: ${days}. Must be between ${least} and ${MOST_DAYS}.`);
  return days;
}

export function securityGroups(ids: readonly string[], context: Context<RdsState>): readonly string[] {
  const known = context.peer<Ec2State>('ec2').groups;
  const missing = ids.find((id) => !known.has(id));
  if (missing) refuse('InvalidParameterValue', `Invalid security group , groupId= ${missing}, groupName=.`);
  return ids;
}

type Asked = Partial<SDK.CreateDBInstanceCommandInput & Restore>;
type Restore = SDK.RestoreDBInstanceToPointInTimeCommandInput & SDK.RestoreDBInstanceFromDBSnapshotCommandInput;

/** What an instance has by its request or by default, whether it is created or restored. */
const askedEachTime = (input: Asked, wanted: Pick<Settings, 'engine' | 'version'>, context: Context<RdsState>) => ({
  parameterGroup: parameterGroupFor(input.DBParameterGroupName, wanted, context),
  optionGroup: optionGroupFor(input.OptionGroupName, wanted, context),
  subnetGroup: subnetGroupFor(input.DBSubnetGroupName, context),
  securityGroups: securityGroups(input.VpcSecurityGroupIds ?? [], context),
  multiAz: input.MultiAZ ?? false,
  public: input.PubliclyAccessible ?? false,
  minorUpgrades: input.AutoMinorVersionUpgrade ?? true,
  iamLogin: input.EnableIAMDatabaseAuthentication ?? false,
  copyTags: input.CopyTagsToSnapshot ?? false,
  protected: input.DeletionProtection ?? false,
  logs: input.EnableCloudwatchLogsExports ?? [],
  retentionDays: retention(input.BackupRetentionPeriod ?? 1),
  backupWindow: input.PreferredBackupWindow ?? '03:00-03:30',
});

/** What CreateDBInstance asks for. */
export function settingsOf(input: SDK.CreateDBInstanceCommandInput, context: Context<RdsState>): Settings {
  const { engine, name, version } = engineFor(input.Engine, input.EngineVersion);
  if (engine.clustered && !input.DBClusterIdentifier)
    refuse('InvalidParameterCombination', `DBClusterIdentifier is required for engine ${name}`);
  const wanted = { engine: name, version };
  const key = input.StorageEncrypted || input.KmsKeyId ? keyAt(input.KmsKeyId ?? AWS_MANAGED, context, context) : undefined;
  if (input.KmsKeyId && input.StorageEncrypted === false)
    refuse('InvalidParameterCombination', 'KmsKeyId can be given only with StorageEncrypted');
  return {
    ...wanted,
    class: input.DBInstanceClass ?? refuse('MissingParameter', 'The request must contain the parameter DBInstanceClass'),
    storage: input.AllocatedStorage ?? 20,
    storageType: input.StorageType ?? 'gp3',
    iops: input.Iops,
    throughput: input.StorageThroughput,
    maxStorage: input.MaxAllocatedStorage,
    port: input.Port ?? engine.port,
    user: input.MasterUsername ?? 'admin',
    database: input.DBName,
    license: input.LicenseModel ?? (name === 'postgres' ? 'postgresql-license' : 'general-public-license'),
    ...askedEachTime(input, wanted, context),
    key,
    maintenanceWindow: input.PreferredMaintenanceWindow ?? 'sun:04:00-sun:04:30',
  };
}

/**
 * What a restored instance is set to: the source's hardware, engine, user and key; but the default groups, one zone, no protection and no
 * deletion protection unless the request says otherwise (RDS guide, "Restoring to a DB instance", and RestoreDBInstance* API). Where AWS's
 * pages are silent on what is carried over, nothing is.
 */
export function restoredSettings(
  was: Settings,
  input: Partial<Restore>,
  key: string | undefined,
  context: Context<RdsState>,
): Settings {
  const wanted = { engine: was.engine, version: was.version };
  return {
    ...was,
    class: input.DBInstanceClass ?? was.class,
    storage: Math.max(input.AllocatedStorage ?? 0, was.storage),
    storageType: input.StorageType ?? was.storageType,
    iops: input.Iops ?? was.iops,
    throughput: input.StorageThroughput ?? was.throughput,
    maxStorage: input.MaxAllocatedStorage,
    port: input.Port ?? was.port,
    ...askedEachTime(input, wanted, context),
    key,
    maintenanceWindow: 'sun:04:00-sun:04:30',
  };
}

/** Settings that change at once, whatever ApplyImmediately says (RDS guide, "Available settings" of "Modifying a DB instance"). */
export const changedAtOnce = (
  input: SDK.ModifyDBInstanceCommandInput,
  was: Settings,
  context: Context<RdsState>,
): Partial<Settings> => ({
  ...(input.DeletionProtection === undefined ? {} : { protected: input.DeletionProtection }),
  ...(input.CopyTagsToSnapshot === undefined ? {} : { copyTags: input.CopyTagsToSnapshot }),
  ...(input.PreferredBackupWindow === undefined ? {} : { backupWindow: input.PreferredBackupWindow }),
  ...(input.PreferredMaintenanceWindow === undefined ? {} : { maintenanceWindow: input.PreferredMaintenanceWindow }),
  ...(input.MaxAllocatedStorage === undefined ? {} : { maxStorage: input.MaxAllocatedStorage }),
  ...(input.PubliclyAccessible === undefined ? {} : { public: input.PubliclyAccessible }),
  ...(input.AutoMinorVersionUpgrade === undefined ? {} : { minorUpgrades: input.AutoMinorVersionUpgrade }),
  ...(input.VpcSecurityGroupIds === undefined ? {} : { securityGroups: securityGroups(input.VpcSecurityGroupIds, context) }),
  ...(input.DBParameterGroupName === undefined
    ? {}
    : { parameterGroup: parameterGroupFor(input.DBParameterGroupName, was, context) }),
  ...(input.OptionGroupName === undefined ? {} : { optionGroup: optionGroupFor(input.OptionGroupName, was, context) }),
  ...(input.CloudwatchLogsExportConfiguration === undefined
    ? {}
    : {
        logs: [
          ...was.logs.filter((log) => !input.CloudwatchLogsExportConfiguration?.DisableLogTypes?.includes(log)),
          ...(input.CloudwatchLogsExportConfiguration.EnableLogTypes ?? []).filter((log) => !was.logs.includes(log)),
        ],
      }),
});

/** Settings that wait for the maintenance window unless ApplyImmediately says so. */
export const changedLater = (input: SDK.ModifyDBInstanceCommandInput, was: Settings): Partial<Settings> => ({
  ...(input.DBInstanceClass === undefined ? {} : { class: input.DBInstanceClass }),
  ...(input.AllocatedStorage === undefined ? {} : { storage: grown(was.storage, input.AllocatedStorage) }),
  ...(input.StorageType === undefined ? {} : { storageType: input.StorageType }),
  ...(input.Iops === undefined ? {} : { iops: input.Iops }),
  ...(input.StorageThroughput === undefined ? {} : { throughput: input.StorageThroughput }),
  ...(input.MultiAZ === undefined ? {} : { multiAz: input.MultiAZ }),
  ...(input.EnableIAMDatabaseAuthentication === undefined ? {} : { iamLogin: input.EnableIAMDatabaseAuthentication }),
  ...(input.BackupRetentionPeriod === undefined ? {} : { retentionDays: retention(input.BackupRetentionPeriod) }),
  ...(input.EngineVersion === undefined ? {} : { version: engineFor(was.engine, input.EngineVersion).version }),
});

const grown = (was: number, wanted: number): number =>
  wanted >= was
    ? wanted
    : refuse(
        'InvalidParameterCombination',
        `Invalid storage size for modification: ${wanted}. Storage cannot be reduced from ${was}.`,
      );

/** As DescribeDBInstances names what is pending (RDS API, PendingModifiedValues). */
export const pendingValues = (change: Partial<Settings>): SDK.PendingModifiedValues => ({
  ...(change.class === undefined ? {} : { DBInstanceClass: change.class }),
  ...(change.storage === undefined ? {} : { AllocatedStorage: change.storage }),
  ...(change.storageType === undefined ? {} : { StorageType: change.storageType }),
  ...(change.iops === undefined ? {} : { Iops: change.iops }),
  ...(change.throughput === undefined ? {} : { StorageThroughput: change.throughput }),
  ...(change.multiAz === undefined ? {} : { MultiAZ: change.multiAz }),
  ...(change.iamLogin === undefined ? {} : { IAMDatabaseAuthenticationEnabled: change.iamLogin }),
  ...(change.retentionDays === undefined ? {} : { BackupRetentionPeriod: change.retentionDays }),
  ...(change.version === undefined ? {} : { EngineVersion: change.version }),
});
