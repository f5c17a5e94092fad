import type * as SDK from '@aws-sdk/client-rds';
import { type Context, refuse } from '../../world/service.ts';
import type { Instance, Settings, Tags } from './instance.ts';
import { identifier } from './paging.ts';
import type { RdsState } from './state.ts';
import { tagList } from './tags.ts';

/** Manual snapshots of an account in a region (RDS guide, "Quotas and constraints"). */
export const MOST_SNAPSHOTS = 100;
const CREATING = [60, 400] as const;
/** How long after the call was accepted the instant may lie of which a snapshot is; AWS's pages promise none (RDS guide, "Creating a DB snapshot"). */
const TAKEN_WITHIN_MILLIS = 1500;

export interface Snapshot {
  readonly id: string;
  readonly instance: { readonly id: string; readonly resourceId: string; readonly createdAt: Date; readonly zone: string };
  readonly settings: Settings;
  readonly key: string | undefined;
  /** When it was taken (SnapshotCreateTime); of a copy, when it was copied. */
  readonly takenAt: number;
  readonly originallyAt: number;
  readonly databaseTime: number;
  /** The ARN of what it is a copy of, and its region. */
  readonly copyOf?: { readonly arn: string; readonly region: string };
  status: 'creating' | 'copying' | 'available' | 'failed';
  /** What it holds, once it is available. */
  image: Uint8Array | undefined;
  sharedWith: readonly string[];
  tags: Tags;
}

export function refuseTaken(id: string, state: RdsState): void {
  if (state.snapshots.has(id))
    refuse(
      'DBSnapshotAlreadyExistsFault',
      `Cannot create the snapshot because a snapshot with the identifier ${id} already exists.`,
    );
  if (state.snapshots.size >= MOST_SNAPSHOTS)
    refuse('SnapshotQuotaExceededFault', `Cannot create more than ${MOST_SNAPSHOTS} manual snapshots`);
}

/** Takes a snapshot: the instance is `backing-up` until it is done (RDS guide, "Viewing Amazon RDS DB instance status"). */
export function beginSnapshot(
  instance: Instance,
  { id: name, tags }: { id: string | undefined; tags: Tags },
  { state, world, after }: Context<RdsState>,
): Snapshot {
  const id = identifier(name, 'DBSnapshotIdentifier', 255);
  refuseTaken(id, state);
  const now = world.clock.now();
  const dice = world.random.stream(`rds/snapshot/${state.arn('snapshot', id)}/${now}`);
  const takenAt = Math.ceil(now) + dice.integer(0, TAKEN_WITHIN_MILLIS);
  const { history } = instance.store;
  const snapshot: Snapshot = {
    id,
    instance: { id: instance.id, resourceId: instance.resourceId, createdAt: instance.createdAt, zone: instance.zone },
    settings: instance.settings,
    key: instance.settings.key,
    takenAt,
    originallyAt: takenAt,
    databaseTime: history.lastCommit(now),
    status: 'creating',
    image: undefined,
    sharedWith: [],
    tags: { ...(instance.settings.copyTags ? instance.tags : {}), ...tags },
  };
  state.snapshots.set(id, snapshot);
  if (instance.status === 'available') instance.status = 'backing-up';
  after(CREATING, () => {
    snapshot.image = history.at(takenAt);
    snapshot.status = 'available';
    if (instance.status === 'backing-up') instance.status = 'available';
  });
  return snapshot;
}

export function describeSnapshot(snapshot: Snapshot, state: RdsState): SDK.DBSnapshot {
  const { settings, instance, copyOf, status } = snapshot;
  return {
    DBSnapshotIdentifier: snapshot.id,
    DBSnapshotArn: state.arn('snapshot', snapshot.id),
    DBInstanceIdentifier: instance.id,
    DbiResourceId: instance.resourceId,
    InstanceCreateTime: instance.createdAt,
    AvailabilityZone: instance.zone,
    SnapshotType: 'manual',
    Status: status,
    PercentProgress: status === 'available' ? 100 : 0,
    // While it is being made it has no time yet (RDS API, DBSnapshot).
    ...(status === 'creating'
      ? {}
      : {
          SnapshotCreateTime: new Date(snapshot.takenAt),
          OriginalSnapshotCreateTime: new Date(snapshot.originallyAt),
          SnapshotDatabaseTime: new Date(snapshot.databaseTime),
        }),
    Engine: settings.engine,
    EngineVersion: settings.version,
    MasterUsername: settings.user,
    LicenseModel: settings.license,
    Port: settings.port,
    AllocatedStorage: settings.storage,
    StorageType: settings.storageType,
    ...(settings.iops === undefined ? {} : { Iops: settings.iops }),
    ...(settings.throughput === undefined ? {} : { StorageThroughput: settings.throughput }),
    OptionGroupName: settings.optionGroup,
    Encrypted: snapshot.key !== undefined,
    ...(snapshot.key ? { KmsKeyId: snapshot.key } : {}),
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    ...(copyOf ? { SourceDBSnapshotIdentifier: copyOf.arn, SourceRegion: copyOf.region } : {}),
    SnapshotTarget: 'region',
    TagList: tagList(snapshot.tags),
  };
}
