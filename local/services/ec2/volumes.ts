import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { Disk } from './disk.ts';
import { keyNameFor, keyOrTrouble, troubleReading } from './encryption.ts';
import { asked, paged, passes } from './filters.ts';
import { GIB, type Snapshot, type Volume } from './records.ts';
import type { Ec2State } from './state.ts';
import { tagList, tagsFor } from './tags.ts';
import { performanceOf } from './volume-types.ts';

/** Seconds until a new volume can be attached: AWS promises nothing, the seed decides. */
const CREATING = [2, 15] as const;

export const describeAttachment = (volume: Volume): SDK.VolumeAttachment[] =>
  volume.attachments.map(({ instance, device, state, at, deleteOnTermination }) => ({
    VolumeId: volume.id,
    InstanceId: instance,
    Device: device,
    State: state,
    AttachTime: at,
    DeleteOnTermination: deleteOnTermination,
  }));

const describeVolume = (volume: Volume): SDK.Volume => ({
  VolumeId: volume.id,
  Size: volume.size,
  AvailabilityZone: volume.zone,
  VolumeType: volume.type,
  State: volume.state,
  Encrypted: volume.encrypted,
  CreateTime: volume.createdAt,
  SnapshotId: volume.snapshot ?? '',
  MultiAttachEnabled: volume.multiAttach,
  Tags: tagList(volume.tags),
  ...(volume.iops === undefined ? {} : { Iops: volume.iops }),
  ...(volume.throughput === undefined ? {} : { Throughput: volume.throughput }),
  ...(volume.key === undefined ? {} : { KmsKeyId: volume.key }),
  Attachments: describeAttachment(volume),
});

/** Only a completed snapshot makes a volume (EBS guide, "Create a volume from a snapshot"). */
function sourceOf(id: string | undefined, { state }: Context<Ec2State>): Snapshot | undefined {
  if (!id) return undefined;
  const source = state.visible(id);
  if (source.state !== 'completed') refuse('IncorrectState', `Snapshot '${id}' is in invalid state - ${source.state}`);
  return source;
}

function sizeOf(size: number | undefined, source: Snapshot | undefined): number {
  if (size === undefined)
    return source?.size ?? refuse('MissingParameter', 'The request must contain the parameter size or snapshotId');
  if (source && size < source.size)
    refuse('InvalidParameterValue', `The size of a volume cannot be smaller than its snapshot's (${source.size} GiB).`);
  return size;
}

/** Makes a volume that is being created; it becomes available, or fails where its key cannot be used. */
export function makeVolume(input: SDK.CreateVolumeCommandInput, context: Context<Ec2State>): Volume {
  const { state, now, after, id } = context;
  const source = sourceOf(input.SnapshotId, context);
  const size = sizeOf(input.Size, source);
  const type = input.VolumeType ?? 'gp2';
  const multiAttach = input.MultiAttachEnabled ?? false;
  const performance = performanceOf({ type, size, iops: input.Iops, throughput: input.Throughput, multiAttach });
  const name = keyNameFor(input, source, context);
  const { key, trouble = troubleReading(source?.key, context) } = keyOrTrouble(name, context);
  const volume: Volume = {
    id: id('vol'),
    size,
    zone:
      state.zone(input.AvailabilityZone, input.AvailabilityZoneId) ??
      refuse('MissingParameter', 'The request must contain the parameter AvailabilityZone or AvailabilityZoneId'),
    type,
    ...performance,
    multiAttach,
    encrypted: name !== undefined,
    key,
    snapshot: input.SnapshotId,
    createdAt: now(),
    state: 'creating',
    tags: tagsFor('volume', input.TagSpecifications),
    disk: new Disk(size * GIB, source?.pages),
    attachments: [],
  };
  state.volumes.set(volume.id, volume);
  after(CREATING, () => {
    if (volume.state === 'creating') volume.state = trouble === undefined ? 'available' : 'error';
  });
  return volume;
}

export const volumes = operations<typeof SDK, Ec2State>()({
  CreateVolume: (input, context) => describeVolume(context.state.once('CreateVolume', input, () => makeVolume(input, context))),

  DescribeVolumes({ VolumeIds, Filters, ...paging }, { state }) {
    const matching = asked(VolumeIds, state.volumes.values(), (id) => state.volume(id)).filter((volume) =>
      passes(
        Filters,
        {
          'volume-id': volume.id,
          status: volume.state,
          size: String(volume.size),
          'availability-zone': volume.zone,
          'volume-type': volume.type,
          encrypted: String(volume.encrypted),
          'snapshot-id': volume.snapshot,
          'create-time': volume.createdAt.toISOString(),
          'multi-attach-enabled': String(volume.multiAttach),
          'attachment.instance-id': volume.attachments.map(({ instance }) => instance),
          'attachment.device': volume.attachments.map(({ device }) => device),
          'attachment.status': volume.attachments.map(({ state }) => state),
          'attachment.delete-on-termination': volume.attachments.map((one) => String(one.deleteOnTermination)),
        },
        volume.tags,
      ),
    );
    const { page, ...next } = paged(matching, paging, VolumeIds !== undefined && VolumeIds.length > 0);
    return { Volumes: page.map(describeVolume), ...next };
  },

  DescribeVolumeStatus({ VolumeIds, Filters, ...paging }, { state }) {
    const matching = asked(VolumeIds, state.volumes.values(), (id) => state.volume(id)).filter(({ zone }) =>
      passes(Filters, { 'availability-zone': zone, 'volume-status.status': 'ok' }),
    );
    const { page, ...next } = paged(matching, paging, VolumeIds !== undefined && VolumeIds.length > 0);
    return {
      VolumeStatuses: page.map(({ id, zone }) => ({
        VolumeId: id,
        AvailabilityZone: zone,
        VolumeStatus: { Status: 'ok' as const, Details: [{ Name: 'io-enabled' as const, Status: 'passed' }] },
        Actions: [],
        Events: [],
      })),
      ...next,
    };
  },

  DeleteVolume({ VolumeId }, { state, world }) {
    const volume = state.volume(VolumeId);
    const [held] = volume.attachments;
    if (held) refuse('VolumeInUse', `Volume ${volume.id} is currently attached to ${held.instance}`);
    if (volume.state === 'creating') refuse('IncorrectState', `Volume '${volume.id}' is in the 'creating' state.`);
    volume.state = 'deleted';
    volume.disk.leave(`${volume.id} was deleted.`, () => world.random.chance(0.5));
    state.volumes.delete(volume.id);
    return {};
  },
});
