import type * as SDK from '@aws-sdk/client-rds';
import { type Context, refuse } from '../../../world/service.ts';
import type { Tags } from '../instance.ts';
import { identifier } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagList } from '../tags.ts';
import type { Cluster, ClusterSettings } from './cluster.ts';

/** Manual cluster snapshots of an account in a region (Aurora guide, "Quotas and constraints"). */
export const MOST_CLUSTER_SNAPSHOTS = 100;
const CREATING = [60, 400] as const;
/** How long after the call was accepted the instant may lie of which a snapshot is; AWS's pages promise none (Aurora guide, "Creating a DB cluster snapshot"). */
const TAKEN_WITHIN_MILLIS = 1500;
const LONGEST = 63;

export interface ClusterSnapshot {
  readonly id: string;
  readonly cluster: Pick<Cluster, 'id' | 'resourceId' | 'createdAt' | 'zones'>;
  readonly settings: ClusterSettings;
  readonly key: string | undefined;
  readonly takenAt: number;
  readonly originallyAt: number;
  readonly copyOf?: { readonly arn: string; readonly region: string };
  status: 'creating' | 'copying' | 'available' | 'failed';
  image: Uint8Array | undefined;
  sharedWith: readonly string[];
  tags: Tags;
}

export function clusterSnapshotName(name: string | undefined, what: string, state: RdsState): string {
  const id = identifier(name, what, LONGEST);
  if (state.clusterSnapshots.has(id))
    refuse(
      'DBClusterSnapshotAlreadyExistsFault',
      `Cannot create the cluster snapshot because one with the identifier ${id} already exists.`,
    );
  if (state.clusterSnapshots.size >= MOST_CLUSTER_SNAPSHOTS)
    refuse('SnapshotQuotaExceededFault', `Cannot create more than ${MOST_CLUSTER_SNAPSHOTS} manual cluster snapshots`);
  return id;
}

/** Takes a snapshot of the cluster's volume, with instances or without. */
export function beginClusterSnapshot(
  cluster: Cluster,
  id: string,
  tags: Tags,
  { state, world, after }: Context<RdsState>,
): ClusterSnapshot {
  const now = world.clock.now();
  const dice = world.random.stream(`rds/snapshot/${state.arn('cluster-snapshot', id)}/${now}`);
  const takenAt = Math.ceil(now) + dice.integer(0, TAKEN_WITHIN_MILLIS);
  const { settings, store } = cluster;
  const { history } = store;
  const snapshot: ClusterSnapshot = {
    id,
    cluster: { id: cluster.id, resourceId: cluster.resourceId, createdAt: cluster.createdAt, zones: cluster.zones },
    settings,
    key: settings.key,
    takenAt,
    originallyAt: takenAt,
    status: 'creating',
    image: undefined,
    sharedWith: [],
    tags: { ...(settings.copyTags ? cluster.tags : {}), ...tags },
  };
  state.clusterSnapshots.set(id, snapshot);
  if (cluster.status === 'available') cluster.status = 'backing-up';
  after(CREATING, () => {
    snapshot.image = history.at(takenAt);
    snapshot.status = 'available';
    if (cluster.status === 'backing-up') cluster.status = 'available';
  });
  return snapshot;
}

export function describeClusterSnapshot(snapshot: ClusterSnapshot, state: RdsState): SDK.DBClusterSnapshot {
  const { settings, cluster, copyOf, status } = snapshot;
  return {
    DBClusterSnapshotIdentifier: snapshot.id,
    DBClusterSnapshotArn: state.arn('cluster-snapshot', snapshot.id),
    DBClusterIdentifier: cluster.id,
    DbClusterResourceId: cluster.resourceId,
    ClusterCreateTime: cluster.createdAt,
    SnapshotType: 'manual',
    Status: status,
    PercentProgress: status === 'available' ? 100 : 0,
    SnapshotCreateTime: new Date(snapshot.takenAt),
    AvailabilityZones: [...cluster.zones],
    Engine: settings.engine,
    EngineVersion: settings.version,
    EngineMode: 'provisioned',
    MasterUsername: settings.user,
    Port: settings.port,
    AllocatedStorage: 1,
    StorageType: settings.storageType,
    StorageEncrypted: snapshot.key !== undefined,
    ...(snapshot.key ? { KmsKeyId: snapshot.key } : {}),
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    ...(copyOf ? { SourceDBClusterSnapshotArn: copyOf.arn } : {}),
    TagList: tagList(snapshot.tags),
  };
}
