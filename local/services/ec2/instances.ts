import type * as SDK from '@aws-sdk/client-ec2';
import { type Context, operations, refuse } from '../../world/service.ts';
import { release } from './attachments.ts';
import { keyNameFor, keyOrTrouble } from './encryption.ts';
import { asked, paged, passes } from './filters.ts';
import type { Instance, Tags, Volume } from './records.ts';
import type { Ec2State } from './state.ts';
import { tagList, tagsFor } from './tags.ts';
import { makeVolume } from './volumes.ts';

const CODES: Record<SDK.InstanceStateName, number> = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
};
/** Seconds until an instance runs, or has shut down: AWS promises nothing, the seed decides. */
export const CHANGING = [5, 30] as const;
const ROOT_DEVICE = '/dev/xvda';
/** GiB; an image says how large its root is, and no image is kept here. */
const ROOT_SIZE = 8;

export const stateOf = ({ state }: Pick<Instance, 'state'>): SDK.InstanceState => ({ Name: state, Code: CODES[state] });

const describe = (instance: Instance, state: Ec2State): SDK.Instance => ({
  InstanceId: instance.id,
  ImageId: instance.image,
  InstanceType: instance.type as SDK._InstanceType,
  LaunchTime: instance.launchedAt,
  State: stateOf(instance),
  Placement: { AvailabilityZone: instance.zone, Tenancy: 'default' },
  PrivateIpAddress: instance.address,
  Tags: tagList(instance.tags),
  RootDeviceName: instance.rootDevice,
  RootDeviceType: 'ebs',
  ...(instance.subnet ? { SubnetId: instance.subnet, VpcId: state.subnets.get(instance.subnet)?.vpc } : {}),
  SecurityGroups: instance.groups.map((id) => ({ GroupId: id, GroupName: state.groups.get(id)?.name })),
  BlockDeviceMappings: state.attachedTo(instance.id).flatMap(({ id, attachments }) =>
    attachments
      .filter((one) => one.instance === instance.id)
      .map(({ device, state, at, deleteOnTermination }) => ({
        DeviceName: device,
        Ebs: { VolumeId: id, Status: state, AttachTime: at, DeleteOnTermination: deleteOnTermination },
      })),
  ),
});

const reservations = (instances: readonly Instance[], { state, account }: Context<Ec2State>): SDK.Reservation[] =>
  [...Map.groupBy(instances, ({ reservation }) => reservation)].map(([ReservationId, members]) => ({
    ReservationId,
    OwnerId: account,
    Groups: [],
    Instances: members.map((instance) => describe(instance, state)),
  }));

function launch(input: SDK.RunInstancesCommandInput, context: Context<Ec2State>): Instance[] {
  const { state, id } = context;
  const subnet = input.SubnetId ? state.subnet(input.SubnetId) : undefined;
  const zone = subnet?.zone ?? state.zone(input.Placement?.AvailabilityZone) ?? (state.zones[0] as string);
  const { instance: tags, volume: volumeTags } = tagsOf(input.TagSpecifications);
  const disks = disksOf(input.BlockDeviceMappings);
  for (const { Ebs } of disks) refuseKey(Ebs ?? {}, context);
  const groups = (input.SecurityGroupIds ?? []).map((one) => state.group(one).id);
  const reservation = id('r');
  return Array.from({ length: input.MaxCount ?? input.MinCount ?? 1 }, () => {
    const instance: Instance = {
      id: id('i'),
      reservation,
      type: input.InstanceType ?? 'm1.small',
      zone,
      image: input.ImageId ?? refuse('MissingParameter', 'The request must contain the parameter ImageId'),
      subnet: subnet?.id,
      groups,
      launchedAt: context.now(),
      address: `10.0.${(state.instances.size >> 8) % 256}.${state.instances.size % 256}`,
      rootDevice: ROOT_DEVICE,
      state: 'pending',
      tags: { ...tags },
    };
    state.instances.set(instance.id, instance);
    for (const disk of disks) attachNew(disk, instance, volumeTags, context);
    context.after(CHANGING, () => {
      if (instance.state === 'pending') instance.state = 'running';
    });
    return instance;
  });
}

function tagsOf(specifications: readonly SDK.TagSpecification[] = []): { instance: Tags; volume: Tags } {
  const of = (type: string) => specifications.filter(({ ResourceType }) => ResourceType === type);
  const rest = specifications.filter(({ ResourceType }) => ResourceType !== 'instance' && ResourceType !== 'volume');
  return { instance: tagsFor('instance', [...of('instance'), ...rest]), volume: tagsFor('volume', of('volume')) };
}

/** What is mapped, and a root where none is (EC2 guide, "Block device mappings"). */
function disksOf(mappings: readonly SDK.BlockDeviceMapping[] = []): readonly SDK.BlockDeviceMapping[] {
  const kept = mappings.filter(({ NoDevice, VirtualName }) => NoDevice === undefined && VirtualName === undefined);
  const root = kept.find(({ DeviceName }) => DeviceName === ROOT_DEVICE);
  return root ? kept : [{ DeviceName: ROOT_DEVICE, Ebs: {} }, ...kept];
}

/** An instance whose disk's key cannot be used does not run; AWS says so a little later. */
function refuseKey(ebs: SDK.EbsBlockDevice, context: Context<Ec2State>): void {
  const source = ebs.SnapshotId ? context.state.visible(ebs.SnapshotId) : undefined;
  const { trouble } = keyOrTrouble(keyNameFor(ebs, source, context), context);
  if (trouble !== undefined) refuse('InvalidKMSKey.InvalidState', `The KMS key provided is in an incorrect state: ${trouble}`);
}

function attachNew(
  { DeviceName, Ebs = {} }: SDK.BlockDeviceMapping,
  instance: Instance,
  tags: Tags,
  context: Context<Ec2State>,
): Volume {
  const { DeleteOnTermination = true, VolumeSize, VolumeType = 'gp3', ...ebs } = Ebs;
  const size = VolumeSize ?? (ebs.SnapshotId ? undefined : ROOT_SIZE);
  const volume = makeVolume({ ...ebs, Size: size, VolumeType, AvailabilityZone: instance.zone }, context);
  volume.tags = { ...tags };
  volume.state = 'in-use';
  volume.attachments.push({
    instance: instance.id,
    device: DeviceName ?? ROOT_DEVICE,
    at: context.now(),
    deleteOnTermination: DeleteOnTermination,
    state: 'attached',
  });
  return volume;
}

/** What was attached goes with the instance or stays behind; a host that dies flushes nothing. */
function terminate(instance: Instance, context: Context<Ec2State>): void {
  const { state } = context;
  instance.state = 'terminated';
  for (const volume of state.attachedTo(instance.id)) {
    const { deleteOnTermination } = volume.attachments.find((one) => one.instance === instance.id)!;
    release(volume, instance.id, context);
    if (deleteOnTermination && volume.attachments.length === 0) {
      volume.state = 'deleted';
      state.volumes.delete(volume.id);
    }
  }
}

export const instances = operations<typeof SDK, Ec2State>()({
  RunInstances(input, context) {
    const made = context.state.once('RunInstances', input, () => launch(input, context));
    return reservations(made, context)[0] as SDK.Reservation;
  },

  DescribeInstances({ InstanceIds, Filters, ...paging }, context) {
    const { state } = context;
    const byId = InstanceIds !== undefined && InstanceIds.length > 0;
    const matching = asked(InstanceIds, state.instances.values(), (id) => state.instance(id)).filter((instance) =>
      passes(
        Filters,
        {
          'instance-id': instance.id,
          'instance-state-name': instance.state,
          'instance-state-code': String(CODES[instance.state]),
          'instance-type': instance.type,
          'image-id': instance.image,
          'availability-zone': instance.zone,
          'subnet-id': instance.subnet,
          'private-ip-address': instance.address,
          'block-device-mapping.volume-id': state.attachedTo(instance.id).map(({ id }) => id),
        },
        instance.tags,
      ),
    );
    const { page, ...next } = paged(matching, paging, byId);
    return { Reservations: reservations(page, context), ...next };
  },

  TerminateInstances({ InstanceIds = [] }, context) {
    const found = InstanceIds.map((id) => context.state.instance(id));
    return {
      TerminatingInstances: found.map((instance) => {
        const PreviousState = stateOf(instance);
        if (instance.state !== 'terminated' && instance.state !== 'shutting-down') {
          instance.state = 'shutting-down';
          context.after(CHANGING, () => terminate(instance, context));
        }
        return { InstanceId: instance.id, PreviousState, CurrentState: stateOf(instance) };
      }),
    };
  },
});
