import type * as SDK from '@aws-sdk/client-ec2';
import { refuse } from '../../world/service.ts';

type Range = readonly [least: number, most: number];

interface VolumeType {
  /** GiB. */
  readonly size: Range;
  /** What may be asked for, and what comes unasked; a type without cannot be asked. */
  readonly iops?: { readonly range: Range; readonly unasked?: number };
  /** MiB/s. */
  readonly throughput?: { readonly range: Range; readonly unasked: number };
  readonly multiAttach?: boolean;
  /** EBS quotas page, pending snapshots per volume. */
  readonly pendingSnapshots: number;
}

/** EC2 API, CreateVolume. */
const TYPES: Readonly<Record<SDK.VolumeType, VolumeType>> = {
  gp3: {
    size: [1, 65_536],
    iops: { range: [3000, 80_000], unasked: 3000 },
    throughput: { range: [125, 2000], unasked: 125 },
    pendingSnapshots: 5,
  },
  gp2: { size: [1, 16_384], pendingSnapshots: 5 },
  io1: { size: [4, 16_384], iops: { range: [100, 64_000] }, multiAttach: true, pendingSnapshots: 5 },
  io2: { size: [4, 65_536], iops: { range: [100, 256_000] }, multiAttach: true, pendingSnapshots: 5 },
  standard: { size: [1, 1024], pendingSnapshots: 5 },
  st1: { size: [125, 16_384], pendingSnapshots: 1 },
  sc1: { size: [125, 16_384], pendingSnapshots: 1 },
};

export const pendingSnapshots = (type: SDK.VolumeType): number => TYPES[type].pendingSnapshots;

interface Asked {
  readonly type: SDK.VolumeType;
  /** GiB. */
  readonly size: number;
  readonly iops?: number | undefined;
  /** MiB/s. */
  readonly throughput?: number | undefined;
  readonly multiAttach?: boolean | undefined;
}

/** How a volume of a type performs, asked and unasked; refuses what the type cannot be. */
export function performanceOf({ type, size, iops, throughput, multiAttach }: Asked): {
  iops: number | undefined;
  throughput: number | undefined;
} {
  const rules = TYPES[type] ?? refuse('UnknownVolumeType', `Unsupported volume type '${type}' for volume creation.`);
  within('size', size, rules.size, type);
  if (multiAttach && !rules.multiAttach)
    refuse('InvalidParameterCombination', `The parameter MultiAttachEnabled is not supported for ${type} volumes.`);
  if (iops !== undefined && !rules.iops)
    refuse('InvalidParameterCombination', `The parameter iops is not supported for ${type} volumes.`);
  if (throughput !== undefined && !rules.throughput)
    refuse('InvalidParameterCombination', `The parameter throughput is not supported for ${type} volumes.`);
  const chosen = iops ?? rules.iops?.unasked;
  if (rules.iops && chosen === undefined) refuse('MissingParameter', `The parameter iops must be specified for ${type} volumes.`);
  if (rules.iops) within('iops', chosen as number, rules.iops.range, type);
  const flow = throughput ?? rules.throughput?.unasked;
  if (rules.throughput) within('throughput', flow as number, rules.throughput.range, type);
  return { iops: type === 'gp2' ? burst(size) : chosen, throughput: flow };
}

/** A gp2 has 3 IOPS per GiB, from 100 to 16,000 (EBS guide, "General Purpose SSD volumes"). */
const burst = (size: number): number => Math.min(16_000, Math.max(100, 3 * size));

function within(what: string, value: number, [least, most]: Range, type: string): void {
  if (value < least || value > most)
    refuse('InvalidParameterValue', `The ${what} ${value} is not valid for volume type ${type}: ${least} to ${most}.`);
}
