import {
  type DBInstance,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceCommandInput,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { instant } from '../../../aws/clock.ts';
import { when } from '../../../aws/errors.ts';
import { stamp, TAG } from '../../../aws/tags.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { type Item, pointId, type Rename, type Restored } from '../../../domain.ts';
import { failing, inParallel } from '../../items.ts';
import { done, failed, type Passage, type RestoreWork, type Started, started, waiting } from '../../kind.ts';
import { ownTags, tagMap } from '../../scope.ts';
import { findInstance, looksAtBackups, looksAtInstances, looksAtSnapshots } from './describe.ts';
import { looksAtGroups, placingOf } from './groups.ts';
import { artifactFacts, factsOf, type InstanceFacts, KIND, restoredName } from './instance.ts';
import { sourceOf } from './source.ts';

const { again } = calls('rds', RDSClient);
const also = ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'];

const making = {
  ...looksAtInstances,
  ...looksAtBackups,
  ...looksAtSnapshots,
  subnetGroups: looksAtGroups.subnetGroups,
  /** All are repeatable by the name that is chosen. */
  restoreToTime: again(RestoreDBInstanceToPointInTimeCommand, { also }),
  restoreSnapshot: again(RestoreDBInstanceFromDBSnapshotCommand, { also }),
};
type Making = Door<typeof making>;
const finishing = { ...looksAtInstances, modify: again(ModifyDBInstanceCommand) };

const QUOTA_MILLIS = 120_000;
const WIDTH = 5;
const FULL = ['InstanceQuotaExceededFault', 'StorageQuotaExceededFault', 'InsufficientDBInstanceCapacityFault'];
/** Statuses out of which a restore does not come. */
const LOST = [
  'failed',
  'incompatible-restore',
  'incompatible-parameters',
  'incompatible-network',
  'incompatible-option-group',
  'restore-error',
  'storage-full',
];

/** An instance beside the original: out of the log or a snapshot of this vault, in the groups of the target, set as the original was. */
export const restore: Passage<RestoreWork, Restored> = {
  start: verb(
    making,
    (aws, works: readonly RestoreWork[], scene): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => begin(aws, work, scene).catch(failing(work.resource.id, 'It could not be restored'))),
  ),
  settle: verb(
    finishing,
    (aws, works: readonly Started<RestoreWork>[]): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => goOn(aws, work).catch(failing(work.resource.id, 'It could not be restored'))),
  ),
};

async function begin(aws: Making, work: RestoreWork, { clock }: Scene): Promise<Item<Restored>> {
  const { resource } = work;
  const name = restoredName(resource.name, work.restore);
  const mine = (found: DBInstance | undefined): Item<Restored> => {
    const tags = tagMap(found?.TagList);
    return tags.get(TAG.restore) === work.restore && tags.get(TAG.resource) === resource.id
      ? started(resource.id, {})
      : failed(resource.id, `A DB instance ${name} exists already and is not of this restore; give the restore another name.`);
  };
  const there = await findInstance(aws, name);
  if (there) return mine(there);
  const source = await sourceOf(aws, work);
  if ('trouble' in source) return failed(resource.id, source.trouble);
  const common = { ...settingsOf(factsOf(resource)), ...(await placingOf(aws, work)), Tags: tagsFor(work) };
  const { key: _, ...from } = source;
  const asked =
    'snapshot' in from
      ? aws.restoreSnapshot({ DBInstanceIdentifier: name, DBSnapshotIdentifier: from.snapshot, ...common })
      : aws.restoreToTime({ TargetDBInstanceIdentifier: name, ...from, ...common });
  return asked
    .then(() => started(resource.id, {}))
    .catch(when('DBInstanceAlreadyExistsFault', async () => mine(await findInstance(aws, name))))
    .catch(
      when(FULL, ({ message }) =>
        waiting(resource.id, instant(clock.now() + QUOTA_MILLIS), `There is no room for it yet: ${message}.`),
      ),
    );
}

async function goOn(aws: Door<typeof finishing>, work: Started<RestoreWork>): Promise<Item<Restored>> {
  const { resource, target } = work;
  const name = restoredName(resource.name, work.restore);
  const found = await findInstance(aws, name);
  const status = found?.DBInstanceStatus;
  if (!found || status === 'deleting')
    return failed(resource.id, `${name} is gone: someone deleted it while it was being restored.`);
  if (LOST.includes(status ?? '')) return failed(resource.id, `${name} ended as ${status}.`);
  if (status !== 'available' || !found.Endpoint?.Address) return started(resource.id, {}, `${name} is ${status}.`);
  const change = stillDiffers(found, factsOf(resource));
  if (change) {
    await aws
      .modify({ DBInstanceIdentifier: name, ApplyImmediately: true, ...change })
      .catch(when('InvalidDBInstanceStateFault', () => undefined));
    return started(resource.id, {}, `${name} gets back what a restore leaves out.`);
  }
  const facts = artifactFacts(work.artifact);
  const of = facts.at ?? `${work.artifact.interval.from} to ${work.artifact.interval.to}`;
  return done(resource.id, {
    kind: KIND,
    resource: resource.id,
    id: found.DBInstanceArn!,
    place: target.place,
    renames: renamesOf(work, name, found.DBInstanceArn!, found.Endpoint.Address),
    notes: [
      `${resource.name} is ${name} in ${target.place.region}, as it was at ${of}, out of ${facts.by === 'log' ? 'its log' : 'a snapshot'}.`,
    ],
  });
}

/** What both ways to restore can be told at once. */
const settingsOf = (facts: InstanceFacts) => ({
  DBInstanceClass: facts.class,
  ...(facts.port === null ? {} : { Port: facts.port }),
  ...(facts.storageType === null ? {} : { StorageType: facts.storageType }),
  ...(facts.iops === null ? {} : { Iops: facts.iops }),
  ...(facts.throughput === null ? {} : { StorageThroughput: facts.throughput }),
  MultiAZ: facts.multiAz,
  PubliclyAccessible: facts.public,
  AutoMinorVersionUpgrade: facts.minorUpgrades,
  EnableIAMDatabaseAuthentication: facts.iamLogin,
  CopyTagsToSnapshot: facts.copyTags,
  DeletionProtection: facts.protected,
  EnableCloudwatchLogsExports: [...facts.logs],
  BackupRetentionPeriod: facts.retentionDays,
  ...(facts.backupWindow === null ? {} : { PreferredBackupWindow: facts.backupWindow }),
});

/** What a restore cannot be told, or was told and AWS did otherwise; undefined where nothing is left to set. */
function stillDiffers(
  found: DBInstance,
  facts: InstanceFacts,
): Omit<ModifyDBInstanceCommandInput, 'DBInstanceIdentifier'> | undefined {
  const change = {
    ...(facts.maintenanceWindow !== null && found.PreferredMaintenanceWindow !== facts.maintenanceWindow
      ? { PreferredMaintenanceWindow: facts.maintenanceWindow }
      : {}),
    ...(facts.maxGigabytes !== null && found.MaxAllocatedStorage !== facts.maxGigabytes
      ? { MaxAllocatedStorage: facts.maxGigabytes }
      : {}),
    ...(found.BackupRetentionPeriod !== facts.retentionDays ? { BackupRetentionPeriod: facts.retentionDays } : {}),
  };
  return Object.keys(change).length > 0 ? change : undefined;
}

export const renamesOf = ({ resource }: RestoreWork, name: string, arn: string, address: string): Rename[] => {
  const { address: was } = factsOf(resource);
  return [
    { was: resource.name, is: name, what: 'DB instance' },
    { was: resource.id, is: arn, what: 'DB instance ARN' },
    ...(was === null ? [] : [{ was, is: address, what: 'database endpoint' }]),
  ];
};

const tagsFor = ({ point, resource, restore }: RestoreWork) => [
  ...ownTags(new Map(Object.entries(factsOf(resource).tags))),
  ...stamp({ application: point.application, restorePoint: pointId(point), resource: resource.id, restore }),
];
