import {
  type DBInstance,
  type DBInstanceAutomatedBackup,
  type DBSnapshot,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { instant, millis } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import type { Instant } from '../../../domain.ts';

const { read } = calls('rds', RDSClient);

export const looksAtInstances = { instances: read(DescribeDBInstancesCommand) };
export const looksAtBackups = { backups: read(DescribeDBInstanceAutomatedBackupsCommand) };
export const looksAtSnapshots = { snapshots: read(DescribeDBSnapshotsCommand) };

export const findInstance = (aws: Door<typeof looksAtInstances>, DBInstanceIdentifier: string): Promise<DBInstance | undefined> =>
  aws.instances({ DBInstanceIdentifier }).then(
    ({ DBInstances }) => DBInstances?.[0],
    when('DBInstanceNotFoundFault', () => undefined),
  );

export const findSnapshot = (aws: Door<typeof looksAtSnapshots>, DBSnapshotIdentifier: string): Promise<DBSnapshot | undefined> =>
  aws.snapshots({ DBSnapshotIdentifier }).then(
    ({ DBSnapshots }) => DBSnapshots?.[0],
    when('DBSnapshotNotFoundFault', () => undefined),
  );

/** What the automated backups of an instance give in a region: its own at home, the replicated elsewhere. */
export interface Log {
  readonly arn: string;
  readonly retentionDays: number;
  readonly encrypted: boolean;
  readonly key: string | null;
  /** Absent while nothing can be restored yet. */
  readonly window?: { readonly earliest: number; readonly latest: number };
}

/** By AWS's own id of the instance, so that a namesake's backups are never taken for its own; undefined where there are none. */
export async function findLog(aws: Door<typeof looksAtBackups>, DbiResourceId: string): Promise<Log | undefined> {
  const found: DBInstanceAutomatedBackup[] = [];
  let Marker: string | undefined;
  do {
    const page = await aws.backups({ DbiResourceId, ...(Marker ? { Marker } : {}) });
    found.push(...(page.DBInstanceAutomatedBackups ?? []));
    Marker = page.Marker || undefined;
  } while (Marker);
  const backup = found.find(({ RestoreWindow }) => RestoreWindow?.LatestTime) ?? found[0];
  if (!backup) return undefined;
  const { EarliestTime, LatestTime } = backup.RestoreWindow ?? {};
  return {
    arn: backup.DBInstanceAutomatedBackupsArn!,
    retentionDays: backup.BackupRetentionPeriod ?? 0,
    encrypted: backup.Encrypted ?? false,
    key: backup.KmsKeyId ?? null,
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
