import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { asked, paged, passes } from './filters.ts';
import { GIB } from './records.ts';
import type { Ec2State } from './state.ts';
import { performanceOf } from './volume-types.ts';

/** Seconds until a change is in effect, and until the volume performs as changed: AWS promises nothing, the seed decides. */
const MODIFYING = [2, 60] as const;
const OPTIMIZING = [60, 3600] as const;

export const modifications = operations<typeof SDK, Ec2State>()({
  /** A volume can grow and change its type while it is used, never shrink (EBS guide, "Modify a volume"). */
  ModifyVolume(input, { state, now, after }) {
    const volume = state.volume(input.VolumeId);
    const underWay = volume.modification?.ModificationState;
    if (underWay === 'modifying' || underWay === 'optimizing')
      refuse('IncorrectModificationState', `The volume '${volume.id}' is currently being modified (${underWay}).`);
    if (volume.state !== 'available' && volume.state !== 'in-use')
      refuse('IncorrectState', `Volume '${volume.id}' is in the '${volume.state}' state.`);
    const { size, type, iops, throughput } = volume;
    const to = { size: input.Size ?? size, type: input.VolumeType ?? type };
    if (to.size < size) refuse('InvalidParameterValue', `New size cannot be smaller than existing size (${size} GiB).`);
    const kept = to.type === type && type !== 'gp2' ? { iops, throughput } : {};
    const performance = performanceOf({
      ...to,
      ...unasked(to.type),
      ...kept,
      ...askedFor(input),
      multiAttach: volume.multiAttach,
    });
    const modification: SDK.VolumeModification = {
      VolumeId: volume.id,
      ModificationState: 'modifying',
      TargetSize: to.size,
      TargetVolumeType: to.type,
      TargetIops: performance.iops,
      TargetThroughput: performance.throughput,
      OriginalSize: size,
      OriginalVolumeType: type,
      OriginalIops: iops,
      OriginalThroughput: throughput,
      Progress: 0,
      StartTime: now(),
    };
    volume.modification = modification;
    after(MODIFYING, () => {
      Object.assign(volume, to, performance);
      volume.disk.grow(to.size * GIB);
      modification.ModificationState = 'optimizing';
      after(OPTIMIZING, () => Object.assign(modification, { ModificationState: 'completed', Progress: 100, EndTime: now() }));
    });
    return { VolumeModification: modification };
  },

  DescribeVolumesModifications({ VolumeIds, Filters, ...paging }, { state }) {
    const all = asked(VolumeIds, state.volumes.values(), (id) => state.volume(id))
      .flatMap(({ modification }) => modification ?? [])
      .filter((one) =>
        passes(Filters, {
          'volume-id': one.VolumeId,
          'modification-state': one.ModificationState,
          'target-size': String(one.TargetSize),
          'target-volume-type': one.TargetVolumeType,
        }),
      );
    const { page, ...next } = paged(all, paging);
    return { VolumesModifications: page, ...next };
  },
});

/** An io1 or io2 that a volume becomes has 3000 IOPS unless asked (EC2 API, ModifyVolume). */
const unasked = (type: SDK.VolumeType) => (type === 'io1' || type === 'io2' ? { iops: 3000 } : {});

const askedFor = ({ Iops, Throughput }: SDK.ModifyVolumeCommandInput) => ({
  ...(Iops === undefined ? {} : { iops: Iops }),
  ...(Throughput === undefined ? {} : { throughput: Throughput }),
});
