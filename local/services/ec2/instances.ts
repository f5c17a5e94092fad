import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { Disk } from './disk.ts';
import { dryRun, paged, passes, tagList, tagsFor } from './filters.ts';
import { type Ec2State, GIB, type Instance, type Tags, type Volume } from './state.ts';

const CODES: Record<SDK.InstanceStateName, number> = { pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 };

const describe = (instance: Instance, state: Ec2State): SDK.Instance => ({
  InstanceId: instance.id,
  ImageId: instance.image,
  InstanceType: instance.type as SDK._InstanceType,
  LaunchTime: instance.launchedAt,
  State: { Name: instance.state, Code: CODES[instance.state] },
  Placement: { AvailabilityZone: instance.zone },
  PrivateIpAddress: instance.address,
  Tags: tagList(instance.tags),
  ...(instance.subnet ? { SubnetId: instance.subnet } : {}),
  ...(instance.root ? { RootDeviceName: '/dev/xvda', RootDeviceType: 'ebs' as const } : {}),
  BlockDeviceMappings: [...state.volumes.values()].flatMap(({ id, attachment }) =>
    attachment?.instance === instance.id
      ? [{ DeviceName: attachment.device, Ebs: { VolumeId: id, Status: 'attached' as const, AttachTime: attachment.at, DeleteOnTermination: attachment.deleteOnTermination } }]
      : [],
  ),
});

export const instances = operations<typeof SDK, Ec2State>()({
  RunInstances(input, { state, now, after, id, account }) {
    dryRun(input);
    const zone = state.subnets.get(input.SubnetId ?? '')?.zone ?? input.Placement?.AvailabilityZone ?? (state.zones[0] as string);
    if (!state.zones.includes(zone)) refuse('InvalidZone.NotFound', `The zone '${zone}' does not exist.`);
    const specifications = input.TagSpecifications ?? [];
    const tagsOf = (type: string): Tags => tagsFor(type, specifications.filter(({ ResourceType }) => ResourceType === type));
    const made = Array.from({ length: input.MinCount ?? 1 }, (_, i) => {
      const instance: Instance = {
        id: id('i'),
        type: input.InstanceType ?? 'm5.large',
        zone,
        image: input.ImageId ?? 'ami-0',
        subnet: input.SubnetId,
        launchedAt: now(),
        address: `10.0.${state.instances.size % 256}.${10 + i}`,
        state: 'pending',
        tags: tagsOf('instance'),
      };
      state.instances.set(instance.id, instance);
      instance.root = attachRoot(instance, input, tagsOf('volume'), id('vol'), now(), state);
      after([5, 30], () => {
        if (instance.state === 'pending') instance.state = 'running';
      });
      return instance;
    });
    return { ReservationId: id('r'), OwnerId: account, Instances: made.map((instance) => describe(instance, state)) };
  },

  DescribeInstances({ InstanceIds, Filters, MaxResults, NextToken }, { state, account }) {
    const all = InstanceIds?.length ? InstanceIds.map((one) => state.instance(one)) : [...state.instances.values()];
    const matching = all.filter((instance) =>
      passes(
        Filters,
        { 'instance-id': instance.id, 'instance-state-name': instance.state, 'instance-type': instance.type, 'availability-zone': instance.zone },
        instance.tags,
      ),
    );
    const { page, ...next } = paged(matching, MaxResults, NextToken);
    return { Reservations: page.map((instance) => ({ ReservationId: `r-${instance.id.slice(2)}`, OwnerId: account, Instances: [describe(instance, state)] })), ...next };
  },

  TerminateInstances({ InstanceIds = [] }, { state }) {
    return {
      TerminatingInstances: InstanceIds.map((one) => {
        const instance = state.instance(one);
        const before = instance.state;
        instance.state = 'terminated';
        for (const volume of state.volumes.values()) {
          if (volume.attachment?.instance !== instance.id) continue;
          if (volume.attachment.deleteOnTermination) state.volumes.delete(volume.id);
          else {
            delete volume.attachment;
            volume.state = 'available';
          }
        }
        return {
          InstanceId: instance.id,
          PreviousState: { Name: before, Code: CODES[before] },
          CurrentState: { Name: instance.state, Code: CODES[instance.state] },
        };
      }),
    };
  },
});

function attachRoot(instance: Instance, input: SDK.RunInstancesCommandInput, tags: Tags, id: string, at: Date, state: Ec2State): string {
  const size = input.BlockDeviceMappings?.[0]?.Ebs?.VolumeSize ?? 8;
  const root: Volume = {
    id,
    size,
    zone: instance.zone,
    type: 'gp3',
    iops: 3000,
    throughput: 125,
    encrypted: false,
    key: undefined,
    snapshot: undefined,
    createdAt: at,
    token: undefined,
    state: 'in-use',
    tags,
    disk: new Disk(size * GIB),
    attachment: { instance: instance.id, device: '/dev/xvda', at, deleteOnTermination: true },
  };
  state.volumes.set(id, root);
  return id;
}
