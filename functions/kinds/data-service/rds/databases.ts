import { instant, millis } from '../../../aws/clock.ts';
import type { Verb } from '../../../aws/verb.ts';
import type { Artifact, Instant, Interval, Item, Resource } from '../../../domain.ts';
import type { CopyWork } from '../../kind.ts';
import type { ArnType } from './names.ts';

/**
 * What RDS does alike for instances and for clusters, under two names. Which calls that takes and how their answers are read is all that
 * either kind has to say; when they are made, and what follows, is said once, beside this file.
 */
export interface Databases {
  /** The kind's name. */
  readonly kind: string;
  /** What AWS calls one: `DB instance`. */
  readonly noun: string;
  /** And in a sentence that has said so already: `instance`. */
  readonly short: string;
  readonly type: ArnType;
  readonly snapshotType: ArnType;
  /** How the names of what we make begin; the digest that follows tells one kind's from the other's. */
  readonly prefix: string;
  /** Whether their logs can be had in another region too. */
  readonly replicated: boolean;

  /** By name. */
  readonly find: Verb<any, string, Database | undefined>;
  readonly list: Verb<any, undefined, Database[]>;
  /** What the automated backups of one give here, by AWS's own id, so that a namesake's backups are never taken for its own. */
  readonly findLog: Verb<any, string, Log | undefined>;
  /** What a promise of the log at home becomes in a vault. */
  readonly keepLog: Verb<any, CopyWork, Item<Artifact>>;

  readonly findSnapshot: Verb<any, string, Snapshot | undefined>;
  /** Those that were made by a call, not by RDS itself. */
  readonly listSnapshots: Verb<any, undefined, Snapshot[]>;
  /** Answers when it was asked for. */
  readonly createSnapshot: Verb<any, { readonly of: string; readonly name: string; readonly tags: Tags }, Interval>;
  readonly copySnapshot: Verb<
    any,
    { readonly source: string; readonly name: string; readonly encrypted: boolean; readonly tags: Tags },
    void
  >;
  /** Lets another account copy one of ours at home; whether it may use its key, the key's owner says. */
  readonly shareSnapshot: Verb<any, { readonly name: string; readonly account: string }, void>;
  readonly deleteSnapshot: Verb<any, string, void>;

  /** Begins to restore `at` into one that nobody else uses: with none of the application's tags, reached by nobody. */
  readonly restoreTemporary: Verb<
    any,
    { readonly resource: Resource; readonly at: Instant; readonly name: string; readonly tags: Tags },
    void
  >;
  /** Without a last snapshot, and with its automated backups. */
  readonly remove: Verb<any, string, void>;
}

export type Tags = { Key: string; Value: string }[];

export interface Database {
  readonly arn: string;
  readonly name: string;
  /** AWS's own id: another of the same name has another. */
  readonly resourceId: string;
  readonly status: string;
  readonly createdAt: Instant;
  readonly tags: ReadonlyMap<string, string>;
}

export interface Snapshot {
  readonly arn: string;
  readonly status: string;
  readonly percent: number;
  /** When RDS says that it was taken; absent while it is being made. */
  readonly takenAt?: Instant;
  readonly createdAt: Instant;
  /** The ARN of its key; null where it is not encrypted. */
  readonly key: string | null;
  readonly tags: ReadonlyMap<string, string>;
}

/** What automated backups give in a region: its own at home, the replicated elsewhere. */
export interface Log {
  readonly arn: string;
  readonly retentionDays: number;
  /** The ARN of its key; null where it is not encrypted. */
  readonly key: string | null;
  /** Absent while nothing can be restored yet. */
  readonly window?: { readonly earliest: number; readonly latest: number };
}

/** The members in which RDS tells of automated backups, of an instance's as of a cluster's. */
interface Told {
  readonly BackupRetentionPeriod?: number | undefined;
  readonly KmsKeyId?: string | undefined;
  readonly RestoreWindow?: { readonly EarliestTime?: Date | undefined; readonly LatestTime?: Date | undefined } | undefined;
}

/** Of several backups, the one out of which something can be restored. */
export function logOf<T extends Told>(
  found: readonly T[],
  arnOf: (backup: T) => string,
  isEncrypted: (backup: T) => boolean,
): Log | undefined {
  const backup = found.find(({ RestoreWindow }) => RestoreWindow?.LatestTime) ?? found[0];
  if (!backup) return undefined;
  const { EarliestTime, LatestTime } = backup.RestoreWindow ?? {};
  return {
    arn: arnOf(backup),
    retentionDays: backup.BackupRetentionPeriod ?? 0,
    key: isEncrypted(backup) ? (backup.KmsKeyId ?? null) : null,
    ...(EarliestTime && LatestTime ? { window: { earliest: EarliestTime.getTime(), latest: LatestTime.getTime() } } : {}),
  };
}

/** Whether a log gives an instant: it does, it will, or (with the reason, in words that follow "its log") it never can. */
export function reaches({ window }: Log, at: Instant): 'now' | 'later' | { readonly never: string } {
  if (!window) return 'later';
  const wanted = millis(at);
  if (wanted < window.earliest) return { never: `begins at ${instant(window.earliest)}, after ${at}` };
  return wanted <= window.latest ? 'now' : 'later';
}

/** Every page of a listing. */
export async function everyPage<T>(
  ask: (marker: { Marker?: string }) => Promise<{ Marker?: string | undefined; found: readonly T[] | undefined }>,
): Promise<T[]> {
  const all: T[] = [];
  let Marker: string | undefined;
  do {
    const page = await ask(Marker ? { Marker } : {});
    all.push(...(page.found ?? []));
    Marker = page.Marker || undefined;
  } while (Marker);
  return all;
}

/** Home's to say, and of no use where the copy stays in its account. */
export const SHARING = { at: 'home', only: 'across accounts' } as const;

/** The errors of RDS that mean the same of either. */
export const GONE = ['DBInstanceNotFoundFault', 'DBClusterNotFoundFault'];
export const SNAPSHOT_GONE = ['DBSnapshotNotFoundFault', 'DBClusterSnapshotNotFoundFault'];
export const ALREADY_THERE = ['DBInstanceAlreadyExistsFault', 'DBClusterAlreadyExistsFault'];
export const SNAPSHOT_ALREADY_THERE = ['DBSnapshotAlreadyExistsFault', 'DBClusterSnapshotAlreadyExistsFault'];
export const WRONG_STATE = ['InvalidDBInstanceStateFault', 'InvalidDBClusterStateFault'];
export const FULL = [
  'InstanceQuotaExceededFault',
  'DBClusterQuotaExceededFault',
  'StorageQuotaExceededFault',
  'InsufficientDBInstanceCapacityFault',
  'InsufficientDBClusterCapacityFault',
  'InsufficientStorageClusterCapacityFault',
];

/** Statuses out of which a restore does not come. */
export const LOST = [
  'failed',
  'incompatible-restore',
  'incompatible-parameters',
  'incompatible-network',
  'incompatible-option-group',
  'inaccessible-encryption-credentials',
  'cloning-failed',
  'migration-failed',
  'restore-error',
  'storage-full',
];
