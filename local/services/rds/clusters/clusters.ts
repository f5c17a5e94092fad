import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../../world/service.ts';
import { untilWindow } from '../modify.ts';
import { identifier, paged, passes } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import { ownClusterBackup } from './backup.ts';
import { type Cluster, type ClusterSettings, membersOf } from './cluster.ts';
import { describeCluster } from './describe.ts';
import { makeCluster } from './make.ts';
import { wrongClusterState } from './members.ts';
import { changedClusterAtOnce, changedClusterLater, clusterSettings } from './settings.ts';
import { beginClusterSnapshot, clusterSnapshotName } from './snapshot.ts';

const CREATING = [60, 300] as const;
const DELETING = [60, 300] as const;
const MODIFYING = [10, 60] as const;
const STOPPING = [60, 300] as const;

/** Applies what takes time: `modifying` meanwhile. */
function apply(cluster: Cluster, change: Partial<ClusterSettings>, { after }: Context<RdsState>): void {
  cluster.status = 'modifying';
  after(MODIFYING, () => {
    if (cluster.status !== 'modifying') return;
    cluster.settings = { ...cluster.settings, ...change };
    cluster.status = 'available';
  });
}

/** A cluster goes from one status to another with all its instances (Aurora guide, "Stopping and starting an Amazon Aurora DB cluster"). */
function together(cluster: Cluster, passing: string, to: string, { state, after }: Context<RdsState>): void {
  const all = [cluster, ...membersOf(cluster, state)];
  for (const one of all) one.status = passing;
  after(STOPPING, () => {
    for (const one of all) if (one.status === passing) one.status = to;
  });
}

export const clusters = operations<typeof SDK, RdsState>()({
  CreateDBCluster(input, context) {
    const id = identifier(input.DBClusterIdentifier, 'DBClusterIdentifier', 63);
    const settings = clusterSettings(input, context);
    const cluster = makeCluster({ id, settings, tags: tagsOf(input.Tags), seconds: CREATING }, context);
    return { DBCluster: describeCluster(cluster, context.state) };
  },

  DescribeDBClusters({ DBClusterIdentifier, Filters, ...paging }, { state }) {
    const all = DBClusterIdentifier ? [state.cluster(DBClusterIdentifier)] : [...state.clusters.values()];
    const matching = all.filter(({ id, resourceId, settings }) =>
      passes(Filters, {
        'db-cluster-id': [id, state.arn('cluster', id)],
        'db-cluster-resource-id': [resourceId],
        engine: [settings.engine],
        'clone-group-id': [],
        domain: [],
      }),
    );
    const { page, ...next } = paged(matching, paging);
    return { DBClusters: page.map((cluster) => describeCluster(cluster, state)), ...next };
  },

  ModifyDBCluster(input, context) {
    const { state, world, after } = context;
    const cluster = state.cluster(input.DBClusterIdentifier);
    if (cluster.status !== 'available') wrongClusterState(cluster, 'modification');
    if (input.NewDBClusterIdentifier) refuse('InvalidParameterValue', 'The local AWS does not rename clusters.');
    const later = changedClusterLater(input);
    cluster.settings = { ...cluster.settings, ...changedClusterAtOnce(input, cluster.settings, context) };
    if (Object.keys(later).length > 0) {
      if (input.ApplyImmediately) apply(cluster, later, context);
      else
        after(untilWindow(cluster.settings.maintenanceWindow, world.clock.now()) / 1000, () => {
          if (cluster.status === 'available') apply(cluster, later, context);
        });
    }
    return { DBCluster: describeCluster(cluster, state) };
  },

  /** Only a cluster without instances can be deleted; its automated backups go with it unless they are to stay (RDS API, DeleteDBCluster). */
  DeleteDBCluster(input, context) {
    const { state, after, world } = context;
    const cluster = state.cluster(input.DBClusterIdentifier);
    if (cluster.settings.protected)
      refuse('InvalidParameterCombination', 'Cannot delete protected Cluster, please disable deletion protection and try again.');
    if (membersOf(cluster, state).length > 0)
      refuse('InvalidDBClusterStateFault', 'Cluster cannot be deleted, it still contains DB instances in non-deleting state.');
    if (cluster.status === 'deleting') wrongClusterState(cluster, 'deletion');
    if (!input.SkipFinalSnapshot) {
      if (!input.FinalDBSnapshotIdentifier)
        refuse('InvalidParameterCombination', 'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.');
      const name = clusterSnapshotName(input.FinalDBSnapshotIdentifier, 'FinalDBSnapshotIdentifier', state);
      beginClusterSnapshot(cluster, name, {}, context);
    }
    const backup = ownClusterBackup(cluster, state);
    if (backup && input.DeleteAutomatedBackups === false)
      state.clusterBackups.set(backup.id, { ...backup, kind: 'retained', ended: world.clock.now() });
    cluster.status = 'deleting';
    after(DELETING, () => state.clusters.delete(cluster.id));
    return { DBCluster: describeCluster(cluster, state) };
  },

  StopDBCluster({ DBClusterIdentifier }, context) {
    const cluster = context.state.cluster(DBClusterIdentifier);
    if (cluster.status !== 'available') wrongClusterState(cluster, 'stop');
    together(cluster, 'stopping', 'stopped', context);
    return { DBCluster: describeCluster(cluster, context.state) };
  },

  StartDBCluster({ DBClusterIdentifier }, context) {
    const cluster = context.state.cluster(DBClusterIdentifier);
    if (cluster.status !== 'stopped') wrongClusterState(cluster, 'start');
    together(cluster, 'starting', 'available', context);
    return { DBCluster: describeCluster(cluster, context.state) };
  },

  /** Of Serverless v2 and provisioned clusters (RDS API, EnableHttpEndpoint). */
  EnableHttpEndpoint({ ResourceArn }, { state }) {
    const cluster = state.peekCluster(ResourceArn);
    if (!cluster) return refuse('ResourceNotFoundFault', `${ResourceArn} not found.`, { status: 404 });
    if (cluster.status !== 'available') refuse('InvalidResourceStateFault', `${ResourceArn} is ${cluster.status}.`);
    cluster.settings = { ...cluster.settings, httpEndpoint: true };
    return { ResourceArn: state.arn('cluster', cluster.id), HttpEndpointEnabled: true };
  },
});
