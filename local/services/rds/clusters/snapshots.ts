import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../../world/service.ts';
import { isManaged, keyAt } from '../encryption.ts';
import { paged, passes } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import { wrongClusterState } from './members.ts';
import { beginClusterSnapshot, type ClusterSnapshot, clusterSnapshotName, describeClusterSnapshot } from './snapshot.ts';

const COPYING = [120, 1200] as const;
/** Copies from other regions in progress at a time (Aurora guide, "Copying a DB cluster snapshot", "Limitations"). */
const MOST_COPIES = 5;
const MOST_SHARES = 20;

type Source = { readonly source: ClusterSnapshot; readonly owner: RdsState };

/** The snapshot that a name or ARN says, of this region or, by its ARN, of another; one of another account must be shared. */
function sourceOf(name: string | undefined, { account, region, world }: Context<RdsState>): Source {
  const [, , , sourceRegion = region, sourceAccount = account] = name?.startsWith('arn:') ? name.split(':') : [];
  if (sourceRegion !== region && world.dark.has(sourceRegion))
    refuse('ServiceUnavailable', `The source region ${sourceRegion} is not available.`, { status: 503 });
  const owner = world.state<RdsState>('rds', { account: sourceAccount, region: sourceRegion });
  const source = owner.clusterSnapshot(name);
  if (sourceAccount !== account && !source.sharedWith.includes(account))
    refuse('DBClusterSnapshotNotFoundFault', `DBClusterSnapshot ${name} not found.`, { status: 404 });
  return { source, owner };
}

/**
 * The key of a copy. In another region, one of there must be named for what is encrypted; and what is not encrypted cannot be by copying it
 * (RDS API, CopyDBClusterSnapshot, KmsKeyId).
 */
function keyOfCopy({ source, owner }: Source, wanted: string | undefined, context: Context<RdsState>): string | undefined {
  const { account, region, world } = context;
  if (!source.key) {
    if (wanted)
      refuse('InvalidParameterCombination', `KmsKeyId cannot be given: the cluster snapshot ${source.id} is not encrypted.`);
    return undefined;
  }
  if (isManaged(source.key, owner.place, world) && owner.place.account !== account)
    refuse(
      'InvalidDBClusterSnapshotStateFault',
      `Snapshot ${source.id} is encrypted with the default key of its account, so it cannot be copied into another.`,
    );
  keyAt(source.key, owner.place, context);
  if (wanted) return keyAt(wanted, context, context);
  if (owner.place.region !== region)
    refuse('InvalidParameterCombination', 'KmsKeyId must be specified when copying an encrypted snapshot from another region.');
  return source.key;
}

export const clusterSnapshots = operations<typeof SDK, RdsState>()({
  CreateDBClusterSnapshot({ DBClusterIdentifier, DBClusterSnapshotIdentifier, Tags }, context) {
    const cluster = context.state.cluster(DBClusterIdentifier);
    const id = clusterSnapshotName(DBClusterSnapshotIdentifier, 'DBClusterSnapshotIdentifier', context.state);
    if (cluster.status !== 'available') wrongClusterState(cluster, 'a snapshot');
    const snapshot = beginClusterSnapshot(cluster, id, tagsOf(Tags), context);
    return { DBClusterSnapshot: describeClusterSnapshot(snapshot, context.state) };
  },

  /** Called in the destination region, which pulls (RDS API, CopyDBClusterSnapshot). */
  CopyDBClusterSnapshot(input, context) {
    const { state, world, after, region } = context;
    const found = sourceOf(input.SourceDBClusterSnapshotIdentifier, context);
    const { source, owner } = found;
    const id = clusterSnapshotName(input.TargetDBClusterSnapshotIdentifier, 'TargetDBClusterSnapshotIdentifier', state);
    if (source.status !== 'available')
      refuse('InvalidDBClusterSnapshotStateFault', `The cluster snapshot ${source.id} is ${source.status}, not available.`);
    const abroad = owner.place.region !== region;
    const copying = [...state.clusterSnapshots.values()].filter(
      ({ status, copyOf }) => status === 'copying' && copyOf?.region !== region,
    );
    if (abroad && copying.length >= MOST_COPIES)
      refuse('SnapshotQuotaExceededFault', `Cannot create more than ${MOST_COPIES} cross-region snapshot copies in progress`);
    const copy: ClusterSnapshot = {
      ...source,
      id,
      key: keyOfCopy(found, input.KmsKeyId, context),
      takenAt: world.clock.now(),
      copyOf: { arn: owner.arn('cluster-snapshot', source.id), region: owner.place.region },
      status: 'copying',
      image: undefined,
      sharedWith: [],
      tags: { ...(input.CopyTags ? source.tags : {}), ...tagsOf(input.Tags) },
    };
    state.clusterSnapshots.set(id, copy);
    const { image } = source;
    after(COPYING, () => {
      const lost = abroad && world.dark.has(owner.place.region); // the bytes come from there while the copy is under way
      Object.assign(copy, lost ? { status: 'failed' } : { status: 'available', image });
    });
    return { DBClusterSnapshot: describeClusterSnapshot(copy, state) };
  },

  DescribeDBClusterSnapshots(input, { state }) {
    const { DBClusterSnapshotIdentifier, DBClusterIdentifier, SnapshotType, DbClusterResourceId, Filters } = input;
    const all = DBClusterSnapshotIdentifier
      ? [state.clusterSnapshot(DBClusterSnapshotIdentifier)]
      : [...state.clusterSnapshots.values()];
    const matching = all.filter(
      ({ cluster, id, settings }) =>
        (!DBClusterIdentifier || cluster.id === DBClusterIdentifier.toLowerCase()) &&
        (!DbClusterResourceId || cluster.resourceId === DbClusterResourceId) &&
        (!SnapshotType || SnapshotType === 'manual') &&
        passes(Filters, {
          'db-cluster-id': [cluster.id],
          'db-cluster-snapshot-id': [id],
          'snapshot-type': ['manual'],
          engine: [settings.engine],
        }),
    );
    const { page, ...next } = paged(matching, input);
    return { DBClusterSnapshots: page.map((snapshot) => describeClusterSnapshot(snapshot, state)), ...next };
  },

  DeleteDBClusterSnapshot({ DBClusterSnapshotIdentifier }, { state }) {
    const snapshot = state.clusterSnapshot(DBClusterSnapshotIdentifier);
    if (snapshot.status === 'creating' || snapshot.status === 'copying')
      refuse('InvalidDBClusterSnapshotStateFault', `Snapshot ${snapshot.id} cannot be deleted while it is ${snapshot.status}.`);
    state.clusterSnapshots.delete(snapshot.id);
    return { DBClusterSnapshot: { ...describeClusterSnapshot(snapshot, state), Status: 'deleted' } };
  },

  ModifyDBClusterSnapshotAttribute(input, { state, world }) {
    const { DBClusterSnapshotIdentifier, AttributeName, ValuesToAdd = [], ValuesToRemove = [] } = input;
    const snapshot = state.clusterSnapshot(DBClusterSnapshotIdentifier);
    if (AttributeName !== 'restore') refuse('InvalidParameterValue', `Invalid attribute name: ${AttributeName}`);
    if (ValuesToAdd.length > 0 && isManaged(snapshot.key, state.place, world))
      refuse(
        'InvalidDBClusterSnapshotStateFault',
        `Snapshot ${snapshot.id} is encrypted with the default key of its account, so it cannot be shared.`,
      );
    const shared = [...new Set([...snapshot.sharedWith, ...ValuesToAdd])].filter((account) => !ValuesToRemove.includes(account));
    if (shared.length > MOST_SHARES)
      refuse('SharedSnapshotQuotaExceededFault', `A snapshot can be shared with ${MOST_SHARES} accounts.`);
    snapshot.sharedWith = shared;
    return {
      DBClusterSnapshotAttributesResult: {
        DBClusterSnapshotIdentifier: snapshot.id,
        DBClusterSnapshotAttributes: [{ AttributeName: 'restore', AttributeValues: [...shared] }],
      },
    };
  },
});
