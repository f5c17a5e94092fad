import type { DBInstance } from '@aws-sdk/client-rds';
import { arnAt } from '../../../aws/arn.ts';
import type { Artifact, Instant, Place, Resource } from '../../../domain.ts';
import { sha256 } from '../../../vault/layout.ts';

export const KIND = 'rds-instance';

/** The engines whose restores are known to be right; of others a restore needs more than an API call (licences, domains, TDE). */
export const ENGINES: Readonly<Record<string, string>> = { postgres: 'PostgreSQL', mysql: 'MySQL', mariadb: 'MariaDB' };

/** What is known of an instance from the time of the plan: all that a restore gives back besides its content. */
export type InstanceFacts = {
  /** AWS's own id: another instance of the same name has another. */
  readonly resourceId: string;
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
  readonly retentionDays: number;
  readonly backupWindow: string | null;
  readonly maintenanceWindow: string | null;
  readonly parameterGroup: string | null;
  readonly optionGroup: string | null;
  readonly subnetGroup: string | null;
  readonly securityGroups: readonly string[];
  readonly multiAz: boolean;
  readonly public: boolean;
  readonly minorUpgrades: boolean;
  readonly iamLogin: boolean;
  readonly copyTags: boolean;
  readonly protected: boolean;
  readonly logs: readonly string[];
  /** The ARN of its key; null where it is not encrypted. */
  readonly key: string | null;
  readonly tags: Readonly<Record<string, string>>;
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

/** What an artifact is restored from. `log`: what automated backups give for `at`. `snapshot`: a snapshot; `at` where it is exactly of that second. */
export type ArtifactFacts =
  | { readonly by: 'log'; readonly at: Instant; readonly backup: string }
  | { readonly by: 'snapshot'; readonly at: Instant | null; readonly snapshot: string; readonly files: Files | null };

/** The files of an export: Parquet, of the snapshot's instant. */
export type Files = {
  readonly bucket: string;
  readonly prefix: string;
  readonly snapshotTime: Instant;
  readonly objects: number;
  readonly bytes: number;
};

export const artifactFacts = (artifact: Artifact): ArtifactFacts => artifact.facts as unknown as ArtifactFacts;

export const instanceArn = (place: Place, name: string): string => arnAt(place, 'rds', `db:${name}`);
export const snapshotArn = (place: Place, name: string): string => arnAt(place, 'rds', `snapshot:${name}`);
export const isInstanceArn = (arn: string): boolean => /^arn:[^:]+:rds:[^:]*:[^:]*:db:[^:]+$/.test(arn);
export const isSnapshotArn = (arn: string): boolean => /^arn:[^:]+:rds:[^:]*:[^:]*:snapshot:[^:]+$/.test(arn);
export const nameIn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** Names are what makes RDS's creating calls repeatable, so they follow from what the thing is for (aws.md §3.1). */
export const nameFor = (...parts: readonly string[]): string => `stillpoint-${sha256(parts.join('\n')).slice(0, 24)}`;

/** An identifier has up to 63 characters, no hyphen last and none twice (RDS API, DBInstanceIdentifier). */
export const restoredName = (name: string, restore: string): string =>
  `${name.slice(0, 62 - restore.length)}-${restore}`.replaceAll(/-{2,}/g, '-').replace(/-$/, '');

const DAY_MILLIS = 86_400_000;
export const daysAfter = (at: string, days: number): string => new Date(Date.parse(at) + days * DAY_MILLIS).toISOString();
