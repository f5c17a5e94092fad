import type * as SDK from '@aws-sdk/client-rds';
import type { Place, World } from '../../world/world.ts';
import type { Instance, Settings, Tags } from './instance.ts';
import type { History } from './sql/history.ts';
import type { RdsState } from './state.ts';
import { tagList } from './tags.ts';

/** Logs are uploaded every five minutes (RDS guide, "Restoring a DB instance to a specified time"). */
const UPLOAD_MILLIS = 300_000;
const DAY_MILLIS = 86_400_000;

/** Access to an instance's history: its own automated backup, one replicated from another region, or one retained after its end. */
export interface Backup {
  readonly id: string;
  readonly resourceId: string;
  readonly source: {
    readonly id: string;
    readonly arn: string;
    readonly place: Place;
    readonly createdAt: Date;
    readonly zone: string;
  };
  readonly kind: 'own' | 'replicated' | 'retained';
  readonly history: History;
  readonly uploadsAt: number;
  readonly retentionDays: number;
  readonly key: string | undefined;
  /** From when on its content can be had; before, it is pending. */
  readonly since: number;
  /** How long after its upload at the source a log is here. */
  readonly lagMillis: number;
  settings: Settings;
  /** When the instance ended, or its replication. */
  ended: number | undefined;
  tags: Tags;
}

export const ownBackup = (instance: Instance, state: RdsState): Backup | undefined =>
  instance.backedUpSince === undefined
    ? undefined
    : {
        id: instance.backupId,
        resourceId: instance.resourceId,
        source: {
          id: instance.id,
          arn: state.arn('db', instance.id),
          place: state.place,
          createdAt: instance.createdAt,
          zone: instance.zone,
        },
        kind: 'own',
        history: instance.store.history,
        uploadsAt: instance.uploadsAt,
        retentionDays: instance.settings.retentionDays,
        key: instance.settings.key,
        since: instance.backedUpSince,
        lagMillis: 0,
        settings: instance.settings,
        ended: undefined,
        tags: instance.tags,
      };

/** What decides how far back, and up to when, a backup reaches. */
export type Kept = Pick<Backup, 'kind' | 'uploadsAt' | 'retentionDays' | 'since' | 'lagMillis' | 'ended'> & {
  readonly source: { readonly place: Place };
};

export interface Window {
  readonly earliest: number;
  readonly latest: number;
}

/**
 * Between which seconds a backup can be asked for; undefined where there is none (yet, or any more). What is replicated stops where it was when
 * its source region went dark.
 */
export function windowOf(backup: Kept, world: World): Window | undefined {
  const now = world.clock.now();
  const dark = backup.kind === 'replicated' ? world.dark.since(backup.source.place.region) : undefined;
  const known = Math.min(now, dark ?? now, backup.ended ?? now) - backup.lagMillis;
  const uploaded = Math.floor((known - backup.uploadsAt * 1000) / UPLOAD_MILLIS) * UPLOAD_MILLIS + backup.uploadsAt * 1000;
  const earliest = Math.ceil(Math.max(backup.since, now - backup.retentionDays * DAY_MILLIS) / 1000) * 1000;
  return backup.since <= Math.min(now, dark ?? now) && uploaded >= earliest ? { earliest, latest: uploaded } : undefined;
}

/** Whether all that it kept has grown older than it is kept. */
export const isOver = ({ ended, retentionDays }: Pick<Backup, 'ended' | 'retentionDays'>, now: number): boolean =>
  ended !== undefined && now > ended + retentionDays * DAY_MILLIS;

/** The automated backups of a region: those of its instances, the replicated and the retained. */
export function backupsOf(state: RdsState): Backup[] {
  const now = state.world.clock.now();
  for (const [id, backup] of state.backups) if (isOver(backup, now)) state.backups.delete(id);
  return [...[...state.instances.values()].flatMap((instance) => ownBackup(instance, state) ?? []), ...state.backups.values()];
}

export function describeBackup(backup: Backup, state: RdsState): SDK.DBInstanceAutomatedBackup {
  const { settings, source } = backup;
  const window = windowOf(backup, state.world);
  const status = backup.kind === 'retained' ? 'retained' : backup.kind === 'replicated' ? 'replicating' : 'active';
  return {
    DBInstanceArn: source.arn,
    DBInstanceIdentifier: source.id,
    DbiResourceId: backup.resourceId,
    DBInstanceAutomatedBackupsArn: state.arn('auto-backup', backup.id),
    Region: source.place.region,
    Status: window ? status : backup.kind === 'retained' ? 'retained' : 'pending',
    ...(window ? { RestoreWindow: { EarliestTime: new Date(window.earliest), LatestTime: new Date(window.latest) } } : {}),
    InstanceCreateTime: source.createdAt,
    AvailabilityZone: source.zone,
    AllocatedStorage: settings.storage,
    StorageType: settings.storageType,
    Port: settings.port,
    MasterUsername: settings.user,
    Engine: settings.engine,
    EngineVersion: settings.version,
    LicenseModel: settings.license,
    OptionGroupName: settings.optionGroup,
    Encrypted: backup.key !== undefined,
    ...(backup.key ? { KmsKeyId: backup.key } : {}),
    IAMDatabaseAuthenticationEnabled: settings.iamLogin,
    BackupRetentionPeriod: backup.retentionDays,
    PreferredBackupWindow: settings.backupWindow,
    BackupTarget: 'region',
    TagList: tagList(backup.tags),
  };
}
