import type { DBCluster, DBInstance } from '@aws-sdk/client-rds';
import type { Resource } from '../../../domain.ts';
import { tagMap } from '../../scope.ts';
import type { Database } from '../rds/databases.ts';
import type { DatabaseFacts } from '../rds/facts.ts';

/** The engines whose clusters are protected. */
export const ENGINES: Readonly<Record<string, string>> = {
  'aurora-postgresql': 'Aurora PostgreSQL',
  'aurora-mysql': 'Aurora MySQL',
};

/** An instance of a cluster: what of it is not the cluster's. */
export type Member = {
  readonly name: string;
  readonly arn: string;
  readonly class: string;
  readonly address: string | null;
  readonly promotionTier: number | null;
  readonly parameterGroup: string | null;
  readonly public: boolean;
  readonly minorUpgrades: boolean;
  readonly copyTags: boolean;
  readonly maintenanceWindow: string | null;
  readonly tags: Readonly<Record<string, string>>;
};

/** What is known of a cluster from the time of the plan: all that a restore gives back besides its content. */
export type ClusterFacts = DatabaseFacts & {
  readonly engine: string;
  readonly version: string;
  readonly storageType: string | null;
  readonly writer: string | null;
  readonly reader: string | null;
  readonly port: number | null;
  readonly backupWindow: string | null;
  readonly maintenanceWindow: string | null;
  readonly iamLogin: boolean;
  readonly copyTags: boolean;
  readonly protected: boolean;
  readonly logs: readonly string[];
  /** Whether the Data API answers for it. */
  readonly httpEndpoint: boolean;
  readonly backtrackSeconds: number;
  /** The capacity between which Serverless v2 instances move. */
  readonly scaling: {
    readonly MinCapacity?: number;
    readonly MaxCapacity?: number;
    readonly SecondsUntilAutoPause?: number;
  } | null;
  /** The writer first. */
  readonly members: readonly Member[];
};

export const factsOf = (resource: Resource): ClusterFacts => resource.facts as unknown as ClusterFacts;

export const clusterFacts = (
  found: DBCluster,
  members: readonly DBInstance[],
  tags: ReadonlyMap<string, string>,
): ClusterFacts => ({
  resourceId: found.DbClusterResourceId!,
  engine: found.Engine!,
  version: found.EngineVersion!,
  storageType: found.StorageType ?? null,
  writer: found.Endpoint ?? null,
  reader: found.ReaderEndpoint ?? null,
  port: found.Port ?? null,
  retentionDays: found.BackupRetentionPeriod ?? 0,
  backupWindow: found.PreferredBackupWindow ?? null,
  maintenanceWindow: found.PreferredMaintenanceWindow ?? null,
  parameterGroup: found.DBClusterParameterGroup ?? null,
  subnetGroup: found.DBSubnetGroup ?? null,
  securityGroups: (found.VpcSecurityGroups ?? []).map(({ VpcSecurityGroupId }) => VpcSecurityGroupId!),
  iamLogin: found.IAMDatabaseAuthenticationEnabled ?? false,
  copyTags: found.CopyTagsToSnapshot ?? false,
  protected: found.DeletionProtection ?? false,
  logs: [...(found.EnabledCloudwatchLogsExports ?? [])].sort(),
  httpEndpoint: found.HttpEndpointEnabled ?? false,
  backtrackSeconds: found.BacktrackWindow ?? 0,
  scaling: scalingOf(found),
  key: found.StorageEncrypted ? (found.KmsKeyId ?? null) : null,
  members: (found.DBClusterMembers ?? [])
    .toSorted((a, b) => Number(b.IsClusterWriter ?? false) - Number(a.IsClusterWriter ?? false))
    .flatMap(({ DBInstanceIdentifier: id, PromotionTier }) => {
      const member = members.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === id);
      return member ? [memberOf(member, PromotionTier ?? null)] : [];
    }),
  tags: Object.fromEntries(tags),
});

function scalingOf({ ServerlessV2ScalingConfiguration: found }: DBCluster): ClusterFacts['scaling'] {
  if (!found) return null;
  const { MinCapacity, MaxCapacity, SecondsUntilAutoPause } = found;
  return {
    ...(MinCapacity === undefined ? {} : { MinCapacity }),
    ...(MaxCapacity === undefined ? {} : { MaxCapacity }),
    ...(SecondsUntilAutoPause === undefined ? {} : { SecondsUntilAutoPause }),
  };
}

const memberOf = (found: DBInstance, promotionTier: number | null): Member => ({
  name: found.DBInstanceIdentifier!,
  arn: found.DBInstanceArn!,
  class: found.DBInstanceClass!,
  address: found.Endpoint?.Address ?? null,
  promotionTier,
  parameterGroup: found.DBParameterGroups?.[0]?.DBParameterGroupName ?? null,
  public: found.PubliclyAccessible ?? false,
  minorUpgrades: found.AutoMinorVersionUpgrade ?? false,
  copyTags: found.CopyTagsToSnapshot ?? false,
  maintenanceWindow: found.PreferredMaintenanceWindow ?? null,
  tags: Object.fromEntries(tagMap(found.TagList)),
});

export const asDatabase = (found: DBCluster): Database => ({
  arn: found.DBClusterArn!,
  name: found.DBClusterIdentifier!,
  resourceId: found.DbClusterResourceId!,
  status: found.Status ?? '',
  createdAt: (found.ClusterCreateTime ?? new Date(0)).toISOString(),
  tags: tagMap(found.TagList),
});
