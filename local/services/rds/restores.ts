import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Backup, backupsOf, windowOf } from './backup.ts';
import { describeInstance } from './describe.ts';
import { keyAt } from './encryption.ts';
import { makeInstance } from './make.ts';
import { identifier } from './paging.ts';
import { restoredSettings } from './settings.ts';
import type { RdsState } from './state.ts';
import { tagsOf } from './tags.ts';

/** Seconds that a restore takes: a volume is made of a snapshot, and the log is run on it. */
const RESTORING = [600, 2400] as const;

/** The backup that a request names: of an instance here, by its id or resource id, or a replicated or retained one by its ARN. */
function backupFor(input: SDK.RestoreDBInstanceToPointInTimeCommandInput, { state }: Context<RdsState>): Backup {
  const { SourceDBInstanceIdentifier: id, SourceDbiResourceId: resource, SourceDBInstanceAutomatedBackupsArn: arn } = input;
  if ([id, resource, arn].filter(Boolean).length !== 1)
    refuse(
      'InvalidParameterCombination',
      'Exactly one of SourceDBInstanceIdentifier, SourceDbiResourceId and SourceDBInstanceAutomatedBackupsArn must be given.',
    );
  if (id) {
    const instance = state.instance(id);
    return (
      backupsOf(state).find((backup) => backup.kind === 'own' && backup.resourceId === instance.resourceId) ??
      refuse(
        'PointInTimeRestoreNotEnabledFault',
        `Point in time restore is not enabled for DB instance ${id}: its backup retention period is 0.`,
      )
    );
  }
  return (
    backupsOf(state).find((backup) =>
      resource ? backup.resourceId === resource && backup.kind !== 'replicated' : state.arn('auto-backup', backup.id) === arn,
    ) ?? refuse('DBInstanceAutomatedBackupNotFoundFault', `Automated backup ${arn ?? resource} not found.`, { status: 404 })
  );
}

function secondWithin(
  backup: Backup,
  input: SDK.RestoreDBInstanceToPointInTimeCommandInput,
  { world }: Context<RdsState>,
): number {
  if (!input.RestoreTime === !input.UseLatestRestorableTime)
    refuse('InvalidParameterCombination', 'Exactly one of RestoreTime and UseLatestRestorableTime must be given.');
  const window = windowOf(backup, world);
  if (!window) return refuse('InvalidRestoreFault', 'There is no restorable time yet.');
  const second = input.RestoreTime ? Math.floor(input.RestoreTime.getTime() / 1000) * 1000 : window.latest;
  if (second >= window.earliest && second <= window.latest) return second;
  return refuse(
    'InvalidRestoreFault',
    `The specified time ${new Date(second).toISOString()} is outside of the restorable window: ${new Date(window.earliest).toISOString()} to ${new Date(window.latest).toISOString()}.`,
  );
}

export const restores = operations<typeof SDK, RdsState>()({
  RestoreDBInstanceToPointInTime(input, context) {
    const { state, world } = context;
    const id = identifier(input.TargetDBInstanceIdentifier, 'TargetDBInstanceIdentifier', 63);
    const backup = backupFor(input, context);
    const second = secondWithin(backup, input, context);
    if (backup.key) keyAt(backup.key, context, context);
    const dice = world.random.stream(`rds/restore/${backup.id}/${id}/${second}`);
    const settings = restoredSettings(backup.settings, input, backup.key, context);
    const content = () => backup.history.asOfSecond(second, dice);
    const instance = makeInstance(
      { id, settings, tags: tagsOf(input.Tags), seconds: RESTORING, content, zone: input.AvailabilityZone },
      context,
    );
    return { DBInstance: describeInstance(instance, state) };
  },

  RestoreDBInstanceFromDBSnapshot(input, context) {
    const { state } = context;
    const id = identifier(input.DBInstanceIdentifier, 'DBInstanceIdentifier', 63);
    const snapshot = state.snapshot(input.DBSnapshotIdentifier);
    const { image, settings, key } = snapshot;
    if (snapshot.status !== 'available' || !image)
      return refuse(
        'InvalidDBSnapshotStateFault',
        `DBSnapshot ${snapshot.id} must have state available but actually has ${snapshot.status}`,
      );
    if (key) keyAt(key, context, context);
    const instance = makeInstance(
      {
        id,
        settings: restoredSettings(settings, input, key, context),
        tags: tagsOf(input.Tags),
        seconds: RESTORING,
        content: () => image,
        zone: input.AvailabilityZone,
      },
      context,
    );
    return { DBInstance: describeInstance(instance, state) };
  },
});
