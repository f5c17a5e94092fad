import { type Context, refuse } from '../../../world/service.ts';
import type { Ec2State } from '../../ec2/state.ts';
import type { Tags } from '../instance.ts';
import { Store } from '../sql/store.ts';
import type { RdsState } from '../state.ts';
import type { Cluster, ClusterSettings } from './cluster.ts';

/** DB clusters of an account in a region (Aurora guide, "Quotas and constraints"). */
export const MOST_CLUSTERS = 40;
/** An Aurora volume lies in three Availability Zones (Aurora guide, "Amazon Aurora storage"). */
const ZONES = 3;

interface Making {
  readonly id: string;
  readonly settings: ClusterSettings;
  readonly tags: Tags;
  /** Seconds until it is there. */
  readonly seconds: readonly [number, number];
  /** What it holds in the beginning, asked for when it is there. */
  readonly content?: () => Uint8Array;
}

/** A new cluster, `creating` first, without instances; what is written to it is backed up from then on. */
export function makeCluster({ id, settings, tags, seconds, content }: Making, context: Context<RdsState>): Cluster {
  const { state, world, after } = context;
  if (state.clusters.has(id)) refuse('DBClusterAlreadyExistsFault', 'DB Cluster already exists');
  if (state.clusters.size >= MOST_CLUSTERS)
    refuse(
      'DBClusterQuotaExceededFault',
      `DB cluster quota exceeded. Current number of DB clusters: ${MOST_CLUSTERS}, quota: ${MOST_CLUSTERS}`,
    );
  const dice = world.random.stream(`rds/${state.arn('cluster', id)}/${world.clock.now()}`);
  const cluster: Cluster = {
    id,
    resourceId: `cluster-${dice.hex(26).toUpperCase()}`,
    createdAt: new Date(world.clock.now()),
    zones: context.peer<Ec2State>('ec2').zones.slice(0, ZONES),
    store: new Store(world.clock.now()),
    uploadsAt: dice.integer(0, 299),
    backupId: `ab-${dice.hex(32)}`,
    settings,
    status: 'creating',
    backedUpSince: undefined,
    tags,
  };
  state.clusters.set(id, cluster);
  after(seconds, () => {
    if (cluster.status !== 'creating') return;
    if (content) cluster.store.fill(content(), world.clock.now());
    cluster.backedUpSince = world.clock.now();
    cluster.status = 'available';
  });
  return cluster;
}
