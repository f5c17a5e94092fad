import type * as SDK from '@aws-sdk/client-ec2';
import type { Disk, Pages } from './disk.ts';

export type Tags = Record<string, string>;

export interface Volume {
  readonly id: string;
  readonly zone: string;
  readonly encrypted: boolean;
  /** ARN of the key. */
  readonly key: string | undefined;
  readonly snapshot: string | undefined;
  readonly createdAt: Date;
  readonly multiAttach: boolean;
  /** GiB. */
  size: number;
  type: SDK.VolumeType;
  iops: number | undefined;
  /** MiB/s. */
  throughput: number | undefined;
  state: SDK.VolumeState;
  tags: Tags;
  disk: Disk;
  attachments: Attachment[];
  /** When the last snapshot of it was begun, in milliseconds. */
  snapshotAt?: number;
  modification?: SDK.VolumeModification;
}

export interface Attachment {
  readonly instance: string;
  readonly device: string;
  readonly at: Date;
  readonly deleteOnTermination: boolean;
  state: 'attaching' | 'attached' | 'detaching';
}

export interface Snapshot {
  readonly id: string;
  readonly volume: string;
  /** GiB. */
  readonly size: number;
  readonly startedAt: Date;
  readonly description: string;
  readonly owner: string;
  readonly encrypted: boolean;
  /** ARN of the key. */
  readonly key: string | undefined;
  pages: Pages;
  /** Snapshots of one volume, and what was started from them, have one lineage. */
  readonly lineage: string;
  /** From when a describe by filter may be counted on to find it, in milliseconds. */
  readonly visibleAt: number;
  /** When it will be completed, or fail; unknown while it is written block by block. */
  dueAt: Date | undefined;
  state: SDK.SnapshotState;
  message?: string;
  completedAt?: Date;
  tags: Tags;
  copy?: boolean;
  /** Accounts, and `all` where it is public. */
  sharedWith: readonly string[];
  lock?: Lock;
}

export interface Lock {
  readonly mode: SDK.LockMode;
  readonly createdAt: Date;
  /** Of a pending snapshot: when it will be completed. */
  readonly startsAt: Date;
  readonly expiresAt: Date;
  readonly coolOff?: { readonly hours: number; readonly until: Date };
}

export interface Instance {
  readonly id: string;
  readonly reservation: string;
  readonly type: string;
  readonly zone: string;
  readonly image: string;
  readonly subnet: string | undefined;
  readonly groups: readonly string[];
  readonly launchedAt: Date;
  readonly address: string;
  readonly rootDevice: string;
  state: SDK.InstanceStateName;
  tags: Tags;
}

export interface Vpc {
  readonly id: string;
  readonly cidr: string;
  tags: Tags;
}

export interface Subnet {
  readonly id: string;
  readonly vpc: string;
  readonly cidr: string;
  readonly zone: string;
  tags: Tags;
}

export interface SecurityGroup {
  readonly id: string;
  readonly vpc: string;
  readonly name: string;
  readonly description: string;
  tags: Tags;
}

export const GIB = 2 ** 30;
