import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import { Disk } from './disk.ts';
import { dryRun, paged, passes, tagList, tagsFor } from './filters.ts';
import { type Ec2State, GIB, type Snapshot, type Volume } from './state.ts';

/** Seconds until a new volume can be attached: AWS promises nothing, the seed decides. */
const CREATING = [2, 15] as const;
const BASELINE = { gp3: { iops: 3000, throughput: 125 }, gp2: { iops: 100 } } as const;

export const describeVolume = ({ attachment, ...volume }: Volume): SDK.Volume => ({
  VolumeId: volume.id,
  Size: volume.size,
  AvailabilityZone: volume.zone,
  VolumeType: volume.type,
  State: volume.state,
  Encrypted: volume.encrypted,
  CreateTime: volume.createdAt,
  SnapshotId: volume.snapshot ?? '',
  MultiAttachEnabled: false,
  Tags: tagList(volume.tags),
  ...(volume.iops === undefined ? {} : { Iops: volume.iops }),
  ...(volume.throughput === undefined ? {} : { Throughput: volume.throughput }),
  ...(volume.key === undefined ? {} : { KmsKeyId: volume.key }),
  Attachments: attachment
    ? [
        {
          VolumeId: volume.id,
          InstanceId: attachment.instance,
          Device: attachment.device,
          State: 'attached',
          AttachTime: attachment.at,
          DeleteOnTermination: attachment.deleteOnTermination,
        },
      ]
    : [],
});

/** The key that a volume (or copy) is encrypted under; undefined where it is not encrypted. What is encrypted stays encrypted. */
export function keyFor(asked: { Encrypted?: boolean | undefined; KmsKeyId?: string | undefined }, source: Snapshot | undefined, context: Context<Ec2State>): string | undefined {
  const { state } = context;
  if (!(asked.Encrypted || source?.encrypted || state.encryptionByDefault)) return undefined;
  const name = asked.KmsKeyId ?? (asked.Encrypted || !source?.key ? (state.defaultKey ?? 'alias/aws/ebs') : source.key);
  return context.peer<KmsState>('kms').find(name).arn;
}

function sourceSnapshot(id: string, { state, peer }: Context<Ec2State>): Snapshot {
  const source = state.snapshot(id);
  if (source.state !== 'completed') refuse('IncorrectState', `Snapshot is in invalid state - ${source.state}`);
  if (source.key) peer<KmsState>('kms').usable(source.key);
  return source;
}

export const volumes = operations<typeof SDK, Ec2State>()({
  CreateVolume(input, context) {
    dryRun(input);
    const { state, now, after, id } = context;
    const { AvailabilityZone: zone = '', SnapshotId, ClientToken: token, VolumeType: type = 'gp2' } = input;
    const known = token === undefined ? undefined : [...state.volumes.values()].find((volume) => volume.token === token);
    if (known) return describeVolume(known);
    if (!state.zones.includes(zone)) refuse('InvalidZone.NotFound', `The zone '${zone}' does not exist.`);
    const source = SnapshotId ? sourceSnapshot(SnapshotId, context) : undefined;
    const size = input.Size ?? source?.size ?? refuse('MissingParameter', 'The request must contain the parameter size or snapshotId');
    if (source && size < source.size) refuse('InvalidParameterValue', `The size of a volume cannot be smaller than its snapshot's (${source.size} GiB).`);
    const key = keyFor(input, source, context);
    const base = type === 'gp3' ? BASELINE.gp3 : type === 'gp2' ? { ...BASELINE.gp2, throughput: undefined } : { iops: undefined, throughput: undefined };
    const volume: Volume = {
      id: id('vol'),
      size,
      zone,
      type,
      iops: input.Iops ?? base.iops,
      throughput: type === 'gp3' ? (input.Throughput ?? base.throughput) : undefined,
      encrypted: key !== undefined,
      key,
      snapshot: SnapshotId,
      createdAt: now(),
      token,
      state: 'creating',
      tags: tagsFor('volume', input.TagSpecifications),
      disk: new Disk(size * GIB, source?.pages),
    };
    state.volumes.set(volume.id, volume);
    after(CREATING, () => {
      if (volume.state === 'creating') volume.state = 'available';
    });
    return describeVolume(volume);
  },

  DescribeVolumes({ VolumeIds, Filters, MaxResults, NextToken }, { state }) {
    const all = VolumeIds?.length ? VolumeIds.map((volumeId) => state.volume(volumeId)) : [...state.volumes.values()];
    const matching = all.filter((volume) =>
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
          'attachment.instance-id': volume.attachment?.instance,
          'attachment.status': volume.attachment ? 'attached' : undefined,
        },
        volume.tags,
      ),
    );
    const { page, ...next } = paged(matching, MaxResults, NextToken);
    return { Volumes: page.map(describeVolume), ...next };
  },

  DeleteVolume(input, { state }) {
    dryRun(input);
    const volume = state.volume(input.VolumeId);
    if (volume.attachment) refuse('VolumeInUse', `Volume ${volume.id} is currently attached to ${volume.attachment.instance}`);
    volume.state = 'deleted';
    state.volumes.delete(volume.id);
    return {};
  },

  AttachVolume({ VolumeId, InstanceId, Device = '/dev/sdf' }, { state, now }) {
    const volume = state.volume(VolumeId);
    const instance = state.instance(InstanceId);
    if (volume.attachment) refuse('VolumeInUse', `${volume.id} is already attached to an instance`);
    if (volume.state !== 'available') refuse('IncorrectState', `Volume '${volume.id}' is in the '${volume.state}' state.`);
    if (volume.zone !== instance.zone) refuse('InvalidVolume.ZoneMismatch', `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`);
    volume.attachment = { instance: instance.id, device: Device, at: now(), deleteOnTermination: false };
    volume.state = 'in-use';
    return { VolumeId: volume.id, InstanceId: instance.id, Device, State: 'attached', AttachTime: now() };
  },

  DetachVolume({ VolumeId }, { state }) {
    const volume = state.volume(VolumeId);
    const was = volume.attachment ?? refuse('IncorrectState', `Volume '${volume.id}' is in the 'available' state.`);
    delete volume.attachment;
    volume.state = 'available';
    return { VolumeId: volume.id, InstanceId: was.instance, Device: was.device, State: 'detached' };
  },

  DescribeVolumeStatus({ VolumeIds }, { state }) {
    const all = VolumeIds?.length ? VolumeIds.map((volumeId) => state.volume(volumeId)) : [...state.volumes.values()];
    return { VolumeStatuses: all.map(({ id, zone }) => ({ VolumeId: id, AvailabilityZone: zone, VolumeStatus: { Status: 'ok' as const } })) };
  },

  GetEbsEncryptionByDefault: (_, { state }) => ({ EbsEncryptionByDefault: state.encryptionByDefault }),

  EnableEbsEncryptionByDefault(_, { state }) {
    state.encryptionByDefault = true;
    return { EbsEncryptionByDefault: true };
  },

  DisableEbsEncryptionByDefault(_, { state }) {
    state.encryptionByDefault = false;
    return { EbsEncryptionByDefault: false };
  },

  GetEbsDefaultKmsKeyId: (_, { state }) => ({ KmsKeyId: state.defaultKey ?? 'alias/aws/ebs' }),

  ModifyEbsDefaultKmsKeyId({ KmsKeyId = '' }, { state, peer }) {
    state.defaultKey = peer<KmsState>('kms').find(KmsKeyId).arn;
    return { KmsKeyId: state.defaultKey };
  },
});
