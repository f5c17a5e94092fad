import { arnAt } from '../../../aws/arn.ts';
import type { Place, Resource } from '../../../domain.ts';

/** What is known of a volume from the time of the plan. */
export type VolumeFacts = {
  /** GiB. */
  readonly size: number;
  readonly type: string;
  readonly iops: number | null;
  /** MiB/s. */
  readonly throughput: number | null;
  readonly multiAttach: boolean;
  readonly encrypted: boolean;
  readonly kmsKeyId: string | null;
  readonly zone: string;
  readonly instance: Attachment | null;
  readonly tags: { readonly [key: string]: string };
};

/** The instance that a volume is attached to, with what else is attached there and lies outside the application. */
export type Attachment = {
  readonly id: string;
  /** Whether the instance boots from this volume. */
  readonly boot: boolean;
  /** Data volumes of the instance that the application does not own. */
  readonly others: readonly string[];
};

export const factsOf = (resource: Resource): VolumeFacts => resource.facts as unknown as VolumeFacts;

export const KIND = 'ebs-volume';
export const volumeArn = (place: Place, volumeId: string): string => arnAt(place, 'ec2', `volume/${volumeId}`);
export const isVolumeArn = (arn: string): boolean => /^arn:[^:]+:ec2:[^:]*:[^:]*:volume\/vol-[0-9a-f]+$/.test(arn);
export const volumeIdOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

const GIB = 2 ** 30;
export const bytesOf = ({ size }: VolumeFacts): number => size * GIB;
