import type * as SDK from '@aws-sdk/client-rds';
import { type Context, refuse } from '../../../world/service.ts';
import { AWS_MANAGED, keyAt } from '../encryption.ts';
import { engineFor } from '../engines.ts';
import { parameterGroupFor, subnetGroupFor } from '../groups/group.ts';
import { retention, securityGroups } from '../settings.ts';
import type { RdsState } from '../state.ts';
import type { ClusterSettings } from './cluster.ts';

/** A cluster's automated backups cannot be turned off (RDS API, CreateDBCluster, BackupRetentionPeriod: from 1 to 35, 1 unless given). */
const LEAST_DAYS = 1;
const DEFAULT_STORAGE = 'aurora';
const MAINTENANCE = 'sun:04:00-sun:04:30';

const clusterGroupFor = (name: string | undefined, wanted: { engine: string; version: string }, context: Context<RdsState>) =>
  parameterGroupFor(name, wanted, context, context.state.clusterParameterGroups, 'DBClusterParameterGroupNotFoundFault');

/** What CreateDBCluster asks for. */
export function clusterSettings(input: SDK.CreateDBClusterCommandInput, context: Context<RdsState>): ClusterSettings {
  const { engine, name, version } = engineFor(input.Engine, input.EngineVersion);
  if (!engine.clustered) refuse('InvalidParameterValue', `Multi-AZ DB clusters (${name}) are not modelled by the local AWS.`);
  if (input.EngineMode && input.EngineMode !== 'provisioned')
    refuse('InvalidParameterValue', `The engine mode ${input.EngineMode} is not modelled by the local AWS.`);
  if (input.KmsKeyId && input.StorageEncrypted === false)
    refuse('InvalidParameterCombination', 'KmsKeyId can be given only with StorageEncrypted');
  const wanted = { engine: name, version };
  return {
    ...wanted,
    port: input.Port ?? engine.port,
    user: input.MasterUsername ?? 'admin',
    database: input.DatabaseName,
    storageType: input.StorageType ?? DEFAULT_STORAGE,
    parameterGroup: clusterGroupFor(input.DBClusterParameterGroupName, wanted, context),
    subnetGroup: subnetGroupFor(input.DBSubnetGroupName, context),
    securityGroups: securityGroups(input.VpcSecurityGroupIds ?? [], context),
    iamLogin: input.EnableIAMDatabaseAuthentication ?? false,
    copyTags: input.CopyTagsToSnapshot ?? false,
    protected: input.DeletionProtection ?? false,
    logs: input.EnableCloudwatchLogsExports ?? [],
    httpEndpoint: input.EnableHttpEndpoint ?? false,
    scaling: input.ServerlessV2ScalingConfiguration,
    backtrackSeconds: backtrack(name, input.BacktrackWindow),
    key: input.StorageEncrypted || input.KmsKeyId ? keyAt(input.KmsKeyId ?? AWS_MANAGED, context, context) : undefined,
    retentionDays: retention(input.BackupRetentionPeriod ?? LEAST_DAYS, LEAST_DAYS),
    backupWindow: input.PreferredBackupWindow ?? '03:00-03:30',
    maintenanceWindow: input.PreferredMaintenanceWindow ?? MAINTENANCE,
  };
}

/** Only Aurora MySQL can be turned back in place, by up to 72 hours (Aurora guide, "Backtracking an Aurora DB cluster"). */
function backtrack(engine: string, seconds = 0): number {
  if (seconds > 0 && engine !== 'aurora-mysql')
    refuse('InvalidParameterCombination', `Backtrack is not available for ${engine}.`);
  return seconds;
}

type Restore = SDK.RestoreDBClusterToPointInTimeCommandInput & SDK.RestoreDBClusterFromSnapshotCommandInput;

/**
 * What a restored cluster is set to: the source's engine, user, database, key and retention; but the default parameter group and storage, no
 * deletion protection, no Data API and no capacity for Serverless v2 unless the request says otherwise (RDS API, RestoreDBCluster*). Where
 * AWS's pages are silent on what is carried over, nothing is.
 */
export function restoredClusterSettings(
  was: ClusterSettings,
  input: Partial<Restore>,
  context: Context<RdsState>,
): ClusterSettings {
  const wanted = { engine: was.engine, version: was.version };
  return {
    ...was,
    port: input.Port ?? engineFor(was.engine, was.version).engine.port,
    storageType: input.StorageType ?? DEFAULT_STORAGE,
    parameterGroup: clusterGroupFor(input.DBClusterParameterGroupName, wanted, context),
    subnetGroup: subnetGroupFor(input.DBSubnetGroupName, context),
    securityGroups: securityGroups(input.VpcSecurityGroupIds ?? [], context),
    iamLogin: input.EnableIAMDatabaseAuthentication ?? false,
    copyTags: input.CopyTagsToSnapshot ?? false,
    protected: input.DeletionProtection ?? false,
    logs: input.EnableCloudwatchLogsExports ?? [],
    httpEndpoint: false,
    scaling: input.ServerlessV2ScalingConfiguration,
    backtrackSeconds: backtrack(was.engine, input.BacktrackWindow),
    key: input.KmsKeyId ? keyAt(input.KmsKeyId, context, context) : was.key,
    retentionDays: retention(input.BackupRetentionPeriod ?? was.retentionDays, LEAST_DAYS),
    backupWindow: input.PreferredBackupWindow ?? was.backupWindow,
    maintenanceWindow: MAINTENANCE,
  };
}

/** Settings that change at once, whatever ApplyImmediately says (Aurora guide, "Modifying an Amazon Aurora DB cluster", settings). */
export const changedClusterAtOnce = (
  input: SDK.ModifyDBClusterCommandInput,
  was: ClusterSettings,
  context: Context<RdsState>,
): Partial<ClusterSettings> => ({
  ...(input.DeletionProtection === undefined ? {} : { protected: input.DeletionProtection }),
  ...(input.CopyTagsToSnapshot === undefined ? {} : { copyTags: input.CopyTagsToSnapshot }),
  ...(input.PreferredBackupWindow === undefined ? {} : { backupWindow: input.PreferredBackupWindow }),
  ...(input.PreferredMaintenanceWindow === undefined ? {} : { maintenanceWindow: input.PreferredMaintenanceWindow }),
  ...(input.BackupRetentionPeriod === undefined ? {} : { retentionDays: retention(input.BackupRetentionPeriod, LEAST_DAYS) }),
  ...(input.BacktrackWindow === undefined ? {} : { backtrackSeconds: backtrack(was.engine, input.BacktrackWindow) }),
  ...(input.StorageType === undefined ? {} : { storageType: input.StorageType }),
  ...(input.ServerlessV2ScalingConfiguration === undefined ? {} : { scaling: input.ServerlessV2ScalingConfiguration }),
  ...(input.VpcSecurityGroupIds === undefined ? {} : { securityGroups: securityGroups(input.VpcSecurityGroupIds, context) }),
  ...(input.DBClusterParameterGroupName === undefined
    ? {}
    : { parameterGroup: clusterGroupFor(input.DBClusterParameterGroupName, was, context) }),
});

/** Settings that wait for the maintenance window unless ApplyImmediately says so. */
export const changedClusterLater = (input: SDK.ModifyDBClusterCommandInput): Partial<ClusterSettings> => ({
  ...(input.EnableIAMDatabaseAuthentication === undefined ? {} : { iamLogin: input.EnableIAMDatabaseAuthentication }),
  ...(input.Port === undefined ? {} : { port: input.Port }),
});
