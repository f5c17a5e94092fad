import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import { dryRun, paged, passes, tagList, tagsFor } from './filters.ts';
import { type Ec2State, type Snapshot, type Tags, type Volume } from './state.ts';
import { keyFor } from './volumes.ts';

/** Seconds from acceptance to completion: AWS promises nothing, the seed decides. */
const COMPLETING = [60, 900] as const;
/** EBS quotas page: pending snapshots per volume. */
const PENDING_PER_VOLUME = { st1: 1, sc1: 1 } as Partial<Record<SDK.VolumeType, number>>;
/** EC2 error codes page, SnapshotCreationPerVolumeRateExceeded. */
const SECONDS_BETWEEN = 15;
/** EBS quotas page: concurrent snapshot copies per destination region. */
const CONCURRENT_COPIES = 20;

export const describeSnapshot = (snapshot: Snapshot): SDK.Snapshot => ({
  SnapshotId: snapshot.id,
  VolumeId: snapshot.volume,
  VolumeSize: snapshot.size,
  StartTime: snapshot.startedAt,
  State: snapshot.state,
  Progress: snapshot.state === 'completed' ? '100%' : snapshot.state === 'error' ? '' : '0%',
  OwnerId: snapshot.owner,
  Description: snapshot.description,
  Encrypted: snapshot.encrypted,
  StorageTier: 'standard',
  Tags: tagList(snapshot.tags),
  ...(snapshot.key === undefined ? {} : { KmsKeyId: snapshot.key }),
  ...(snapshot.message === undefined ? {} : { StateMessage: snapshot.message }),
  ...(snapshot.completedAt === undefined ? {} : { CompletionTime: snapshot.completedAt }),
});

/** Content is fixed at acceptance: what the volume had acknowledged, and whatever the host's cache happened to have written back. */
function take(volume: Volume, tags: Tags, description: string, context: Context<Ec2State>): Snapshot {
  const { state, now, after, account, world } = context;
  const mine = [...state.snapshots.values()].filter((snapshot) => snapshot.volume === volume.id);
  const pending = mine.filter((snapshot) => snapshot.state === 'pending').length;
  const limit = PENDING_PER_VOLUME[volume.type] ?? 5;
  if (pending >= limit) refuse('ConcurrentSnapshotLimitExceeded', `Maximum allowed in-progress snapshots for a single volume exceeded (${limit}).`);
  if (mine.some(({ startedAt }) => now().getTime() - startedAt.getTime() < SECONDS_BETWEEN * 1000)) {
    refuse('SnapshotCreationPerVolumeRateExceeded', 'The maximum per volume CreateSnapshot request rate has been exceeded. Use an increasing or variable sleep interval between requests.');
  }
  const [from, to] = state.visibilityLagSeconds;
  const snapshot: Snapshot = {
    id: context.id('snap'),
    volume: volume.id,
    size: volume.size,
    startedAt: now(),
    description,
    owner: account,
    encrypted: volume.encrypted,
    key: volume.key,
    pages: volume.disk.snapshot(() => world.random.chance(0.5)),
    lineage: volume.id,
    visibleAt: now().getTime() + world.random.between(from, to) * 1000,
    state: 'pending',
    tags,
    sharedWith: [],
  };
  state.snapshots.set(snapshot.id, snapshot);
  after(COMPLETING, () => complete(snapshot, context));
  return snapshot;
}

function complete(snapshot: Snapshot, { now }: Pick<Context<Ec2State>, 'now'>): void {
  if (snapshot.state === 'pending') Object.assign(snapshot, { state: 'completed', completedAt: now() });
}

export const snapshots = operations<typeof SDK, Ec2State>()({
  CreateSnapshot(input, context) {
    dryRun(input);
    const volume = context.state.volume(input.VolumeId);
    if (volume.state === 'creating') refuse('IncorrectState', `Volume '${volume.id}' is in the 'creating' state.`);
    if (volume.key) context.peer<KmsState>('kms').usable(volume.key);
    return describeSnapshot(take(volume, tagsFor('snapshot', input.TagSpecifications), input.Description ?? '', context));
  },

  /** All volumes of one instance at one instant (EBS guide, "Multi-volume snapshots"): identical start times. */
  CreateSnapshots(input, context) {
    dryRun(input);
    const { state } = context;
    const { InstanceId, ExcludeBootVolume = false, ExcludeDataVolumeIds = [] } = input.InstanceSpecification ?? {};
    if (ExcludeDataVolumeIds.length > 40) refuse('InvalidParameterValue', 'You can exclude at most 40 data volumes.');
    const instance = state.instance(InstanceId);
    const attached = [...state.volumes.values()].filter(({ attachment }) => attachment?.instance === instance.id);
    for (const excluded of ExcludeDataVolumeIds) {
      if (!attached.some(({ id }) => id === excluded)) refuse('InvalidParameterValue', `The volume '${excluded}' is not attached to the instance '${instance.id}'.`);
    }
    const chosen = attached.filter(({ id }) => !ExcludeDataVolumeIds.includes(id) && !(ExcludeBootVolume && id === instance.root));
    if (chosen.length === 0) refuse('InvalidParameterCombination', `There is no volume of '${instance.id}' left to snapshot.`);
    for (const { key } of chosen) if (key) context.peer<KmsState>('kms').usable(key);
    const made = chosen.map((volume) => {
      const copied = input.CopyTagsFromSource === 'volume' ? volume.tags : {};
      return take(volume, { ...copied, ...tagsFor('snapshot', input.TagSpecifications) }, input.Description ?? '', context);
    });
    return {
      Snapshots: made.map(({ id, volume, size, startedAt, owner, encrypted, state: State, description, tags }) => ({
        SnapshotId: id,
        VolumeId: volume,
        VolumeSize: size,
        StartTime: startedAt,
        OwnerId: owner,
        Encrypted: encrypted,
        State,
        Description: description,
        Progress: '0%',
        Tags: tagList(tags),
      })),
    };
  },

  /**
   * Called in the destination region, which pulls (EC2 API, CopySnapshot). Tags are not copied, the volume is arbitrary, and a key that cannot
   * be used lets the call succeed and the copy end in `error` (EBS guide, "Copy a snapshot").
   */
  CopySnapshot(input, context) {
    dryRun(input);
    const { state, now, after, account, world } = context;
    const { SourceRegion: region = '', SourceSnapshotId, Description = '' } = input;
    const copying = [...state.snapshots.values()].filter(({ copy, state }) => copy && state === 'pending').length;
    if (copying >= CONCURRENT_COPIES) refuse('ResourceLimitExceeded', `The maximum number of concurrent snapshot copies (${CONCURRENT_COPIES}) to this region has been exceeded.`);
    if (world.dark.has(region)) refuse('Unavailable', `The source region ${region} is not available.`, { status: 503 });
    const source = visibleSnapshot(SourceSnapshotId, { account, region }, context);
    if (source.state !== 'completed') refuse('IncorrectState', `Snapshot '${source.id}' is in invalid state - ${source.state}`);
    let key: string | undefined;
    let trouble: string | undefined;
    try {
      key = keyFor(input, source.encrypted ? { ...source, key: undefined } : undefined, context);
      if (key) context.peer<KmsState>('kms').usable(key);
      if (source.key) world.state<KmsState>('kms', { account: source.owner, region }).usable(source.key);
    } catch {
      trouble = 'Given key ID is not accessible';
    }
    const copy: Snapshot = {
      id: context.id('snap'),
      volume: 'vol-ffffffff',
      size: source.size,
      startedAt: now(),
      description: Description,
      owner: account,
      encrypted: key !== undefined || source.encrypted,
      key,
      pages: source.pages,
      lineage: `${source.lineage}/${context.region}`,
      visibleAt: now().getTime() + world.random.between(...state.visibilityLagSeconds) * 1000,
      state: 'pending',
      tags: tagsFor('snapshot', input.TagSpecifications),
      copy: true,
      sharedWith: [],
    };
    state.snapshots.set(copy.id, copy);
    after(COMPLETING, () => {
      // The bytes come from the source region while the copy is under way.
      if (world.dark.has(region)) trouble ??= 'The source region became unavailable';
      if (trouble && copy.state === 'pending') Object.assign(copy, { state: 'error', message: trouble });
      else complete(copy, context);
    });
    return { SnapshotId: copy.id, Tags: tagList(copy.tags) };
  },

  DescribeSnapshots({ SnapshotIds, Filters, OwnerIds, MaxResults, NextToken }, context) {
    const { state, now, account } = context;
    const explicit = SnapshotIds?.length;
    const all = explicit
      ? SnapshotIds.map((id) => visibleSnapshot(id, { account, region: context.region }, context))
      : [...state.snapshots.values()].filter(({ visibleAt }) => visibleAt <= now().getTime()); // EC2's eventual consistency
    const owners = (OwnerIds ?? []).map((owner) => (owner === 'self' ? account : owner));
    const matching = all.filter(
      (snapshot) =>
        (owners.length === 0 || owners.includes(snapshot.owner)) &&
        passes(
          Filters,
          {
            'snapshot-id': snapshot.id,
            'volume-id': snapshot.volume,
            'volume-size': String(snapshot.size),
            status: snapshot.state,
            'start-time': snapshot.startedAt.toISOString(),
            'owner-id': snapshot.owner,
            description: snapshot.description,
            encrypted: String(snapshot.encrypted),
            'storage-tier': 'standard',
          },
          snapshot.tags,
        ),
    );
    const { page, ...next } = paged(matching, explicit ? undefined : (MaxResults ?? 1000), NextToken);
    return { Snapshots: page.map(describeSnapshot), ...next };
  },

  DeleteSnapshot(input, { state, now }) {
    dryRun(input);
    const snapshot = state.snapshot(input.SnapshotId);
    if (snapshot.lock && snapshot.lock.expiresAt > now()) {
      refuse('SnapshotLocked', `The snapshot '${snapshot.id}' is locked until ${snapshot.lock.expiresAt.toISOString()} and cannot be deleted.`);
    }
    state.snapshots.delete(snapshot.id);
    return {};
  },

  /** In compliance mode a lock can be made longer, never shorter or undone, once its cooling-off has passed (EBS guide, "Snapshot lock"). */
  LockSnapshot({ SnapshotId, LockMode = 'governance', LockDuration, ExpirationDate }, { state, now }) {
    const snapshot = state.snapshot(SnapshotId);
    const expiresAt = ExpirationDate ?? new Date(now().getTime() + (LockDuration ?? 1) * 86_400_000);
    const held = snapshot.lock && snapshot.lock.expiresAt > now() ? snapshot.lock : undefined;
    if (held?.mode === 'compliance' && (LockMode !== 'compliance' || expiresAt < held.expiresAt)) {
      refuse('UnsupportedOperation', 'A lock in compliance mode can only be extended.');
    }
    snapshot.lock = { mode: LockMode, createdAt: now(), expiresAt };
    return {
      SnapshotId: snapshot.id,
      LockState: LockMode,
      LockCreatedOn: now(),
      LockExpiresOn: expiresAt,
      LockDuration: Math.ceil((expiresAt.getTime() - now().getTime()) / 86_400_000),
      LockDurationStartTime: now(),
    };
  },

  UnlockSnapshot({ SnapshotId }, { state, now }) {
    const snapshot = state.snapshot(SnapshotId);
    if (snapshot.lock?.mode === 'compliance' && snapshot.lock.expiresAt > now()) refuse('UnsupportedOperation', 'A snapshot that is locked in compliance mode cannot be unlocked.');
    delete snapshot.lock;
    return { SnapshotId: snapshot.id };
  },

  DescribeLockedSnapshots({ SnapshotIds }, { state, account }) {
    const locked = [...state.snapshots.values()].filter(({ id, lock }) => lock && (!SnapshotIds?.length || SnapshotIds.includes(id)));
    return {
      Snapshots: locked.map(({ id, lock }) => ({ SnapshotId: id, OwnerId: account, LockState: lock!.mode, LockCreatedOn: lock!.createdAt, LockExpiresOn: lock!.expiresAt })),
    };
  },

  ModifySnapshotAttribute({ SnapshotId, OperationType, UserIds = [], CreateVolumePermission }, { state }) {
    const snapshot = state.snapshot(SnapshotId);
    const given = [...(CreateVolumePermission?.Add ?? []).map(({ UserId }) => UserId as string), ...(OperationType === 'add' ? UserIds : [])];
    const taken = [...(CreateVolumePermission?.Remove ?? []).map(({ UserId }) => UserId as string), ...(OperationType === 'remove' ? UserIds : [])];
    if (given.length > 0 && snapshot.encrypted && snapshot.key?.includes('alias/aws/')) refuse('OperationNotPermitted', 'Snapshots encrypted with the AWS managed key cannot be shared.');
    snapshot.sharedWith = [...new Set([...snapshot.sharedWith, ...given])].filter((user) => !taken.includes(user));
    return {};
  },

  DescribeSnapshotAttribute({ SnapshotId }, { state }) {
    const { id, sharedWith } = state.snapshot(SnapshotId);
    return { SnapshotId: id, CreateVolumePermissions: sharedWith.map((UserId) => ({ UserId })) };
  },
});

/** The account's own snapshot, or another account's that was shared with it, in a region. */
function visibleSnapshot(id: string | undefined, { account, region }: { account: string; region: string }, { world }: Context<Ec2State>): Snapshot {
  const own = world.state<Ec2State>('ec2', { account, region }).snapshots.get(id ?? '');
  if (own) return own;
  const shared = world
    .places('ec2')
    .filter((place) => place.region === region)
    .map((place) => world.state<Ec2State>('ec2', place).snapshots.get(id ?? ''))
    .find((snapshot) => snapshot?.sharedWith.includes(account));
  return shared ?? refuse('InvalidSnapshot.NotFound', `The snapshot '${id}' does not exist.`);
}
