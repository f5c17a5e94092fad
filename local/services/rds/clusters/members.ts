import type * as SDK from '@aws-sdk/client-rds';
import { type Context, refuse } from '../../../world/service.ts';
import type { Instance } from '../instance.ts';
import { CREATING } from '../instances.ts';
import { makeInstance } from '../make.ts';
import { settingsOf } from '../settings.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import { type Cluster, membersOf } from './cluster.ts';

/** A cluster has a writer and up to 15 readers (Aurora guide, "Amazon Aurora DB clusters"). */
const MOST_MEMBERS = 16;
/** Which reader is promoted first: 1 unless given, from 0 to 15 (RDS API, CreateDBInstance, PromotionTier). */
const DEFAULT_TIER = 1;
/** What a cluster decides for all its instances (RDS API, CreateDBInstance: "Not applicable to Amazon Aurora DB instances"). */
const OF_THE_CLUSTER = [
  'AllocatedStorage',
  'BackupRetentionPeriod',
  'DBName',
  'DeletionProtection',
  'KmsKeyId',
  'MasterUsername',
  'MultiAZ',
  'StorageEncrypted',
  'VpcSecurityGroupIds',
] as const;

/** Puts a new instance into a cluster, whose content, user, port, key and groups are its own too. */
export function makeMember(id: string, input: SDK.CreateDBInstanceCommandInput, context: Context<RdsState>): Instance {
  const { state } = context;
  const cluster = state.cluster(input.DBClusterIdentifier);
  if (!['available', 'backing-up', 'modifying'].includes(cluster.status)) wrongClusterState(cluster, 'a new instance');
  if (input.Engine !== cluster.settings.engine)
    refuse(
      'InvalidParameterCombination',
      `The engine ${input.Engine} is not the cluster's, which is ${cluster.settings.engine}.`,
    );
  const foreign = OF_THE_CLUSTER.find((member) => input[member] !== undefined);
  if (foreign) refuse('InvalidParameterCombination', `${foreign} is set for the cluster, and not for an instance of it.`);
  if (membersOf(cluster, state).length >= MOST_MEMBERS)
    refuse('InvalidDBClusterStateFault', `The cluster ${cluster.id} has ${MOST_MEMBERS} instances already.`);
  const { version, port, user, database, subnetGroup, securityGroups, iamLogin, key, storageType } = cluster.settings;
  const { EngineVersion: _, DBSubnetGroupName: __, ...own } = input;
  const settings = {
    ...settingsOf({ ...own, EngineVersion: version }, context),
    ...{ port, user, database, subnetGroup, securityGroups, iamLogin, key, storageType },
    storage: 1,
    retentionDays: 0,
  };
  const member = {
    of: { id: cluster.id, promotionTier: input.PromotionTier ?? DEFAULT_TIER },
    store: cluster.store,
  };
  return makeInstance(
    { id, settings, tags: tagsOf(input.Tags), seconds: CREATING, zone: input.AvailabilityZone, member },
    context,
  );
}

export const wrongClusterState = ({ id, status }: Cluster, doing: string): never =>
  refuse('InvalidDBClusterStateFault', `DBCluster ${id} is not available for ${doing}: it is ${status}.`);

/** Refuses for an instance what is done to its cluster as a whole (RDS API, CreateDBSnapshot, StopDBInstance). */
export function withoutMember({ id, cluster }: Instance, done: string): void {
  if (cluster)
    refuse('InvalidParameterValue', `DB instance ${id} is a member of the cluster ${cluster.id}, which is ${done} as a whole.`);
}
