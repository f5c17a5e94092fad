import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../../world/service.ts';
import { windowOf } from '../backup.ts';
import { keyAt } from '../encryption.ts';
import { identifier } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import { type ClusterBackup, clusterBackupsOf } from './backup.ts';
import { describeCluster } from './describe.ts';
import { makeCluster } from './make.ts';
import { restoredClusterSettings } from './settings.ts';

/** Seconds that a restore of a cluster takes. It makes no instances (RDS API, RestoreDBClusterFromSnapshot, RestoreDBClusterToPointInTime). */
const RESTORING = [600, 2400] as const;

function backupFor(input: SDK.RestoreDBClusterToPointInTimeCommandInput, { state }: Context<RdsState>): ClusterBackup {
  const { SourceDBClusterIdentifier: name, SourceDbClusterResourceId: resource } = input;
  if (!name === !resource)
    refuse(
      'InvalidParameterCombination',
      'Exactly one of SourceDBClusterIdentifier and SourceDbClusterResourceId must be given.',
    );
  const wanted = name ? state.cluster(name).resourceId : resource;
  return (
    clusterBackupsOf(state).find(({ cluster }) => cluster.resourceId === wanted) ??
    refuse('DBClusterAutomatedBackupNotFoundFault', `Automated backup of ${name ?? resource} not found.`, { status: 404 })
  );
}

function secondWithin(
  backup: ClusterBackup,
  input: SDK.RestoreDBClusterToPointInTimeCommandInput,
  { world }: Context<RdsState>,
): number {
  if (input.RestoreType && input.RestoreType !== 'full-copy')
    refuse('InvalidParameterValue', 'Clones (copy-on-write) are not modelled by the local AWS.');
  if (!input.RestoreToTime === !input.UseLatestRestorableTime)
    refuse('InvalidParameterCombination', 'Exactly one of RestoreToTime and UseLatestRestorableTime must be given.');
  const window = windowOf(backup, world);
  if (!window) return refuse('InvalidRestoreFault', 'There is no restorable time yet.');
  const second = input.RestoreToTime ? Math.floor(input.RestoreToTime.getTime() / 1000) * 1000 : window.latest;
  if (second >= window.earliest && second <= window.latest) return second;
  return refuse(
    'InvalidRestoreFault',
    `The specified time ${new Date(second).toISOString()} is outside of the restorable window: ${new Date(window.earliest).toISOString()} to ${new Date(window.latest).toISOString()}.`,
  );
}

export const clusterRestores = operations<typeof SDK, RdsState>()({
  RestoreDBClusterToPointInTime(input, context) {
    const { state, world } = context;
    const id = identifier(input.DBClusterIdentifier, 'DBClusterIdentifier', 63);
    const backup = backupFor(input, context);
    const second = secondWithin(backup, input, context);
    if (backup.settings.key) keyAt(backup.settings.key, context, context);
    const dice = world.random.stream(`rds/restore/${backup.id}/${id}/${second}`);
    const settings = restoredClusterSettings(backup.settings, input, context);
    const content = () => backup.cluster.store.history.asOfSecond(second, dice);
    const cluster = makeCluster({ id, settings, tags: tagsOf(input.Tags), seconds: RESTORING, content }, context);
    return { DBCluster: describeCluster(cluster, state) };
  },

  RestoreDBClusterFromSnapshot(input, context) {
    const { state } = context;
    const id = identifier(input.DBClusterIdentifier, 'DBClusterIdentifier', 63);
    const snapshot = state.clusterSnapshot(input.SnapshotIdentifier);
    const { image, key } = snapshot;
    if (snapshot.status !== 'available' || !image)
      return refuse('InvalidDBClusterSnapshotStateFault', `The cluster snapshot ${snapshot.id} is ${snapshot.status}.`);
    if (input.Engine !== snapshot.settings.engine)
      refuse('InvalidParameterCombination', `The engine ${input.Engine} is not the snapshot's, ${snapshot.settings.engine}.`);
    if (key) keyAt(key, context, context);
    const settings = restoredClusterSettings({ ...snapshot.settings, key }, input, context);
    const cluster = makeCluster({ id, settings, tags: tagsOf(input.Tags), seconds: RESTORING, content: () => image }, context);
    return { DBCluster: describeCluster(cluster, state) };
  },
});
