import type { DBInstance } from '@aws-sdk/client-rds';
import type { Resource } from '../../../domain.ts';
import { tagMap } from '../../scope.ts';
import type { Database } from '../rds/databases.ts';
import type { DatabaseFacts } from '../rds/facts.ts';

/** The engines whose restores are known to be right; of others a restore needs more than an API call (licences, domains, TDE). */
export const ENGINES: Readonly<Record<string, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MariaDB' };

/** What is known of an instance from the time of the plan: all that a restore gives back besides its content. */
export type InstanceFacts = DatabaseFacts & {
  readonly engine: string;
  readonly version: string;
  readonly class: string;
  readonly gigabytes: number;
  readonly storageType: string | null;
  readonly iops: number | null;
  readonly throughput: number | null;
  readonly maxGigabytes: number | null;
  readonly address: string | null;
  readonly port: number | null;
  readonly backupWindow: string | null;
  readonly maintenanceWindow: string | null;
  readonly optionGroup: string | null;
  readonly multiAz: boolean;
  readonly public: boolean;
  readonly minorUpgrades: boolean;
  readonly iamLogin: boolean;
  readonly copyTags: boolean;
  readonly protected: boolean;
  readonly logs: readonly string[];
};

export const factsOf = (resource: Resource): InstanceFacts => resource.facts as unknown as InstanceFacts;

export const instanceFacts = (found: DBInstance, tags: ReadonlyMap<string, string>): InstanceFacts => ({
  resourceId: found.DbiResourceId!,
  engine: found.Engine!,
  version: found.EngineVersion!,
  class: found.DBInstanceClass!,
  gigabytes: found.AllocatedStorage ?? 0,
  storageType: found.StorageType ?? null,
  iops: found.Iops ?? null,
  throughput: found.StorageThroughput ?? null,
  maxGigabytes: found.MaxAllocatedStorage ?? null,
  address: found.Endpoint?.Address ?? null,
  port: found.Endpoint?.Port ?? null,
  retentionDays: found.BackupRetentionPeriod ?? 0,
  backupWindow: found.PreferredBackupWindow ?? null,
  maintenanceWindow: found.PreferredMaintenanceWindow ?? null,
  parameterGroup: found.DBParameterGroups?.[0]?.DBParameterGroupName ?? null,
  optionGroup: found.OptionGroupMemberships?.[0]?.OptionGroupName ?? null,
  subnetGroup: found.DBSubnetGroup?.DBSubnetGroupName ?? null,
  securityGroups: (found.VpcSecurityGroups ?? []).map(({ VpcSecurityGroupId }) => VpcSecurityGroupId!),
  multiAz: found.MultiAZ ?? false,
  public: found.PubliclyAccessible ?? false,
  minorUpgrades: found.AutoMinorVersionUpgrade ?? false,
  iamLogin: found.IAMDatabaseAuthenticationEnabled ?? false,
  copyTags: found.CopyTagsToSnapshot ?? false,
  protected: found.DeletionProtection ?? false,
  logs: [...(found.EnabledCloudwatchLogsExports ?? [])].sort(),
  key: found.StorageEncrypted ? (found.KmsKeyId ?? null) : null,
  tags: Object.fromEntries(tags),
});

export const asDatabase = (found: DBInstance): Database => ({
  arn: found.DBInstanceArn!,
  name: found.DBInstanceIdentifier!,
  resourceId: found.DbiResourceId!,
  status: found.DBInstanceStatus ?? '',
  createdAt: (found.InstanceCreateTime ?? new Date(0)).toISOString(),
  tags: tagMap(found.TagList),
});
