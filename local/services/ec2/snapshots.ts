import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { refuseDisabled } from './encryption.ts';
import { paged, passes } from './filters.ts';
import { isLocked } from './locks.ts';
import type { Snapshot, Tags, Volume } from './records.ts';
import type { Ec2State } from './state.ts';
import { tagList, tagsFor } from './tags.ts';
import { pendingSnapshots } from './volume-types.ts';

/** Seconds from acceptance to completion: AWS promises nothing, the seed decides. */
const COMPLETING = [60, 900] as const;
/** EC2 error codes page, SnapshotCreationPerVolumeRateExceeded. */
const SECONDS_BETWEEN = 15;
/** EC2 API, InstanceSpecification. */
const MOST_EXCLUDED = 40;

type Now = Pick<Context<Ec2State>, 'now' | 'account'>;

/** A snapshot as an account sees it: only its owner sees its tags (EC2 guide, "Tag restrictions"). */
const describeSnapshot = (snapshot: Snapshot, { now, account }: Now): SDK.Snapshot => ({
  SnapshotId: snapshot.id,
  VolumeId: snapshot.volume,
  VolumeSize: snapshot.size,
  StartTime: snapshot.startedAt,
  State: snapshot.state,
  Progress: progressOf(snapshot, now()),
  OwnerId: snapshot.owner,
  Description: snapshot.description,
  Encrypted: snapshot.encrypted,
  StorageTier: 'standard',
  Tags: snapshot.owner === account ? tagList(snapshot.tags) : [],
  ...(snapshot.key === undefined ? {} : { KmsKeyId: snapshot.key }),
  ...(snapshot.message === undefined ? {} : { StateMessage: snapshot.message }),
  ...(snapshot.completedAt === undefined ? {} : { CompletionTime: snapshot.completedAt }),
});

function progressOf({ state, startedAt, dueAt }: Snapshot, now: Date): string {
  if (state === 'completed') return '100%';
  if (state === 'error' || !dueAt) return '0%';
  const part = (now.getTime() - startedAt.getTime()) / (dueAt.getTime() - startedAt.getTime());
  return `${Math.min(99, Math.floor(100 * part))}%`;
}

type Made = Pick<Snapshot, 'volume' | 'size' | 'description' | 'encrypted' | 'key' | 'pages' | 'lineage' | 'tags'>;

/** Keeps a new snapshot. It is found by its id at once, by filters when EC2 has caught up (EC2 API, "Eventual consistency"). */
export function keep(made: Made & Partial<Snapshot>, context: Context<Ec2State>): Snapshot {
  const { state, now, account, id, world } = context;
  const snapshot: Snapshot = {
    id: id('snap'),
    startedAt: now(),
    owner: account,
    visibleAt: now().getTime() + world.random.between(...state.visibilityLagSeconds) * 1000,
    dueAt: undefined,
    state: 'pending',
    sharedWith: [],
    ...made,
  };
  state.snapshots.set(snapshot.id, snapshot);
  return snapshot;
}

/** Completes a snapshot within these seconds, or lets it fail where there is trouble by then. What fails is locked no more. */
export function finishWithin(
  seconds: readonly [number, number],
  snapshot: Snapshot,
  { world, after, now }: Pick<Context<Ec2State>, 'world' | 'after' | 'now'>,
  trouble: () => string | undefined = () => undefined,
): void {
  const delay = world.random.between(...seconds);
  snapshot.dueAt = new Date(now().getTime() + delay * 1000);
  after(delay, () => {
    if (snapshot.state !== 'pending') return;
    const message = trouble();
    if (message === undefined) Object.assign(snapshot, { state: 'completed', completedAt: now() });
    else fail(snapshot, message);
  });
}

export function fail(snapshot: Snapshot, message: string): void {
  Object.assign(snapshot, { state: 'error', message });
  delete snapshot.lock;
}

function refuseTaking(volume: Volume, context: Context<Ec2State>): void {
  const { state, now } = context;
  if (volume.state !== 'available' && volume.state !== 'in-use')
    refuse('IncorrectState', `Volume '${volume.id}' is in the '${volume.state}' state.`);
  refuseDisabled(volume.key, context);
  const pending = [...state.snapshots.values()].filter((one) => one.volume === volume.id && one.state === 'pending').length;
  const most = pendingSnapshots(volume.type);
  if (pending >= most)
    refuse('ConcurrentSnapshotLimitExceeded', `Maximum allowed in-progress snapshots for a single volume exceeded (${most}).`);
  if (volume.snapshotAt !== undefined && now().getTime() - volume.snapshotAt < SECONDS_BETWEEN * 1000) {
    refuse(
      'SnapshotCreationPerVolumeRateExceeded',
      'The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.',
    );
  }
}

/** Content is fixed at acceptance: what the volume had acknowledged, and whatever the host's cache happened to have written back. */
function take(volume: Volume, tags: Tags, description: string, context: Context<Ec2State>): Snapshot {
  const { size, encrypted, key } = volume;
  const pages = volume.disk.snapshot(() => context.world.random.chance(0.5));
  volume.snapshotAt = context.now().getTime();
  const snapshot = keep({ volume: volume.id, size, description, encrypted, key, pages, lineage: volume.id, tags }, context);
  finishWithin(COMPLETING, snapshot, context);
  return snapshot;
}

function volumesOf(specification: SDK.InstanceSpecification | undefined, { state }: Context<Ec2State>): Volume[] {
  const { InstanceId, ExcludeBootVolume = false, ExcludeDataVolumeIds = [] } = specification ?? {};
  const instance = state.instance(InstanceId);
  if (ExcludeDataVolumeIds.length > MOST_EXCLUDED)
    refuse('InvalidParameterValue', `You can exclude at most ${MOST_EXCLUDED} data volumes.`);
  const attached = state.attachedTo(instance.id).flatMap((volume) => {
    const { device, state } = volume.attachments.find((one) => one.instance === instance.id)!;
    return state === 'detaching' ? [] : [{ volume, boot: device === instance.rootDevice }];
  });
  for (const excluded of ExcludeDataVolumeIds) {
    if (!attached.some(({ volume, boot }) => volume.id === excluded && !boot))
      refuse('InvalidParameterValue', `'${excluded}' is not a data volume that is attached to the instance '${instance.id}'.`);
  }
  const chosen = attached.filter(({ volume, boot }) => !(boot && ExcludeBootVolume) && !ExcludeDataVolumeIds.includes(volume.id));
  if (chosen.length === 0) refuse('InvalidParameterCombination', `There is no volume of '${instance.id}' left to snapshot.`);
  return chosen.map(({ volume }) => volume);
}

export const snapshots = operations<typeof SDK, Ec2State>()({
  CreateSnapshot({ VolumeId, TagSpecifications, Description = '' }, context) {
    const volume = context.state.volume(VolumeId);
    const tags = tagsFor('snapshot', TagSpecifications);
    refuseTaking(volume, context);
    return describeSnapshot(take(volume, tags, Description, context), context);
  },

  /** All volumes of one instance at one instant, or none (EBS guide, "Multi-volume snapshots"): identical start times. */
  CreateSnapshots({ InstanceSpecification, CopyTagsFromSource, TagSpecifications, Description = '' }, context) {
    const volumes = volumesOf(InstanceSpecification, context);
    const tags = tagsFor('snapshot', TagSpecifications);
    for (const volume of volumes) refuseTaking(volume, context);
    const made = volumes.map((volume) => {
      const copied = CopyTagsFromSource === 'volume' ? volume.tags : {};
      return take(volume, { ...copied, ...tags }, Description, context);
    });
    return {
      Snapshots: made.map((snapshot) => {
        const { KmsKeyId: _, StorageTier: __, ...info } = describeSnapshot(snapshot, context);
        return info;
      }),
    };
  },

  DescribeSnapshots({ SnapshotIds, Filters, OwnerIds, RestorableByUserIds, ...paging }, context) {
    const { state, now, account } = context;
    const byId = SnapshotIds !== undefined && SnapshotIds.length > 0;
    const all = byId
      ? SnapshotIds.map((id) => state.visible(id))
      : [...state.snapshots.values(), ...state.sharedWithUs()].filter(({ visibleAt }) => visibleAt <= now().getTime());
    const whose = (ids: readonly string[] | undefined) => ids?.map((id) => (id === 'self' ? account : id));
    const owners = whose(OwnerIds);
    const restorers = whose(RestorableByUserIds);
    const matching = all.filter(
      (snapshot) =>
        (!owners?.length || owners.includes(snapshot.owner)) &&
        (!restorers?.length || restorers.some((user) => snapshot.owner === user || snapshot.sharedWith.includes(user))) &&
        passes(
          Filters,
          {
            'snapshot-id': snapshot.id,
            'volume-id': snapshot.volume,
            'volume-size': String(snapshot.size),
            status: snapshot.state,
            progress: progressOf(snapshot, now()),
            'start-time': snapshot.startedAt.toISOString(),
            'owner-id': snapshot.owner,
            description: snapshot.description,
            encrypted: String(snapshot.encrypted),
            'storage-tier': 'standard',
          },
          snapshot.owner === account ? snapshot.tags : {},
        ),
    );
    const { page, ...next } = paged(matching, paging, byId);
    return { Snapshots: page.map((snapshot) => describeSnapshot(snapshot, context)), ...next };
  },

  /** No page names a code for a lock; OperationNotPermitted is the one for what a protection forbids (EC2 error codes). */
  DeleteSnapshot({ SnapshotId }, { state, now }) {
    const snapshot = state.snapshot(SnapshotId);
    if (isLocked(snapshot, now()))
      refuse(
        'OperationNotPermitted',
        `The snapshot '${snapshot.id}' is locked until ${snapshot.lock!.expiresAt.toISOString()} and cannot be deleted.`,
      );
    state.snapshots.delete(snapshot.id);
    return {};
  },
});
