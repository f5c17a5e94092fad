import type * as SDK from '@aws-sdk/client-backup';
import { Refusal, refuse, type StateContext } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import type { KmsState } from '../kms/state.ts';
import type { SavedFileSystem } from './file-systems.ts';

export type Tags = Record<string, string>;

export interface Vault {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly key: string;
  readonly requestId: string | undefined;
  readonly points: Map<string, RecoveryPoint>;
  tags: Tags;
  policy?: string;
  lock?: Lock;
}

/** With a day on which it becomes unchangeable it is in compliance mode, else in governance mode (AWS Backup API, PutBackupVaultLockConfiguration). */
export interface Lock {
  readonly minDays: number | undefined;
  readonly maxDays: number | undefined;
  readonly unchangeableFrom: Date | undefined;
}

export interface RecoveryPoint {
  readonly arn: string;
  readonly vault: Vault;
  readonly resource: string;
  readonly role: string;
  readonly createdAt: Date;
  /** The vault that it was copied from, where that is another. */
  readonly source: string | undefined;
  status: SDK.RecoveryPointStatus;
  completedAt?: Date;
  deleteAfterDays: number | undefined;
  saved?: SavedFileSystem;
  tags: Tags;
}

interface Job {
  readonly id: string;
  readonly token: string | undefined;
  readonly role: string;
  readonly createdAt: Date;
  message: string | undefined;
  completedAt?: Date;
}

export interface BackupJob extends Job {
  readonly vault: Vault;
  readonly resource: string;
  readonly point: string;
  readonly startBy: Date;
  readonly completeBy: Date;
  readonly deleteAfterDays: number | undefined;
  readonly tags: Tags;
  state: SDK.BackupJobState;
  /** When its walk began. */
  initiatedAt?: Date;
  bytes?: number;
}

export interface CopyJob extends Job {
  readonly source: RecoveryPoint;
  readonly destination: string;
  readonly deleteAfterDays: number | undefined;
  state: SDK.CopyJobState;
  copy?: string;
}

export interface RestoreJob extends Job {
  readonly point: RecoveryPoint;
  readonly metadata: Readonly<Record<string, string>>;
  readonly withTags: boolean;
  state: SDK.RestoreJobStatus;
  created?: string;
}

type Seconds = readonly [number, number];

export class BackupState {
  readonly vaults = new Map<string, Vault>();
  readonly backupJobs = new Map<string, BackupJob>();
  readonly copyJobs = new Map<string, CopyJob>();
  readonly restoreJobs = new Map<string, RestoreJob>();
  /** Which job works on each resource: a backup or a copy, one at a time (AWS Backup quotas). */
  readonly busy = new Map<string, string>();
  /** Which types of resources are backed up at all, as the account's owner says for each region. */
  readonly optedIn: Record<string, boolean> = { EFS: true };
  /**
   * How long a job rests before it begins, and how long it takes besides what its files take: AWS promises only that it begins within its
   * start window. The seed decides.
   */
  startSeconds: Seconds = [60, 600];
  workSeconds: Seconds = [60, 600];
  readonly world: World;
  readonly account: string;
  readonly region: string;

  constructor({ account, region, world }: StateContext) {
    this.account = account;
    this.region = region;
    this.world = world;
  }

  vault(name: string | undefined): Vault {
    return this.vaults.get(name ?? '') ?? refuse('ResourceNotFoundException', `Backup vault ${name} does not exist.`);
  }

  /** A recovery point by its ARN, in one vault or in any. */
  point(arn: string | undefined, vault?: string): RecoveryPoint {
    const places = vault === undefined ? [...this.vaults.values()] : [this.vault(vault)];
    const found = places.map(({ points }) => points.get(arn ?? '')).find((point) => point !== undefined);
    return (
      found ??
      refuse(
        'ResourceNotFoundException',
        `Recovery point ${arn} does not exist${vault === undefined ? '' : ` in backup vault ${vault}`}.`,
      )
    );
  }

  points(): RecoveryPoint[] {
    return [...this.vaults.values()].flatMap(({ points }) => [...points.values()]);
  }

  newPointArn(): string {
    return this.arn('recovery-point', this.world.random.uuid());
  }

  arn(type: 'backup-vault' | 'recovery-point', name: string): string {
    return `arn:aws:backup:${this.region}:${this.account}:${type}:${name}`;
  }

  newJobId(): string {
    return this.world.random.uuid().toUpperCase();
  }

  now(): Date {
    return new Date(this.world.clock.now());
  }

  after(seconds: number | Seconds, run: () => void): void {
    const delay = typeof seconds === 'number' ? seconds : this.world.random.between(seconds[0], seconds[1]);
    this.world.clock.after(delay * 1000, run);
  }

  /** Why a key cannot be used, or nothing. */
  keyTrouble(name: string): string | undefined {
    try {
      this.world.state<KmsState>('kms', { account: this.account, region: this.region }).usable(name);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return `The key ${name} cannot be used: ${error.message}`;
      throw error;
    }
  }

  tagged(arn: string | undefined): { tags: Tags } {
    const vault = [...this.vaults.values()].find((one) => one.arn === arn);
    return vault ?? this.point(arn);
  }

  taggedResources(): { arn: string; tags: Tags }[] {
    return [...this.vaults.values(), ...this.points()].map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Tags>): boolean {
    const found = [...this.vaults.values(), ...this.points()].find((one) => one.arn === arn);
    if (found) Object.assign(found.tags, tags);
    return found !== undefined;
  }
}

/** Why a lock does not take what is kept for so long, or nothing: its limits fail jobs and change nothing (AWS Backup guide, "Vault Lock"). */
export function lockTrouble({ name, lock }: Vault, days: number | undefined): string | undefined {
  const kept = days ?? Number.POSITIVE_INFINITY;
  if (lock?.minDays !== undefined && kept < lock.minDays)
    return `Backup vault ${name} is locked: retention must be at least ${lock.minDays} days.`;
  if (lock?.maxDays !== undefined && kept > lock.maxDays)
    return `Backup vault ${name} is locked: retention must be at most ${lock.maxDays} days.`;
  return undefined;
}

const DAY_MILLIS = 86_400_000;
export const deletionOf = ({ createdAt, deleteAfterDays }: RecoveryPoint): Date | undefined =>
  deleteAfterDays === undefined ? undefined : new Date(createdAt.getTime() + deleteAfterDays * DAY_MILLIS);

/** A completed recovery point is deleted by AWS when its lifecycle says so. */
export function expireInTime(point: RecoveryPoint, state: BackupState): void {
  const due = deletionOf(point);
  if (!due) return;
  state.world.clock.at(due.getTime(), () => {
    const last = deletionOf(point);
    if (last && last.getTime() <= state.world.clock.now()) point.vault.points.delete(point.arn);
  });
}

/** -1 stands for "for ever" (AWS Backup API, Lifecycle). */
export function daysIn(lifecycle: SDK.Lifecycle | undefined): number | undefined {
  const days = lifecycle?.DeleteAfterDays;
  if (days !== undefined && days !== -1 && days < 1)
    refuse('InvalidParameterValueException', 'DeleteAfterDays must be at least 1.');
  return days === -1 ? undefined : days;
}
