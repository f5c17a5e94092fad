import {
  type DBInstance,
  ModifyDBInstanceCommand,
  type ModifyDBInstanceCommandInput,
  RDSClient,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { composed, verb } from '../../../aws/verb.ts';
import type { Rename } from '../../../domain.ts';
import type { RestoreWork, Started } from '../../kind.ts';
import { WRONG_STATE } from '../rds/databases.ts';
import { networkOf } from '../rds/groups.ts';
import { rdsArn } from '../rds/names.ts';
import { type Completed, type Making, restoring, tagsFor } from '../rds/restore.ts';
import { factsOf, type InstanceFacts } from './instance.ts';
import { findInstance, instances, looksAtInstances } from './instances.ts';

const { again } = calls('rds', RDSClient);
const also = ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'];

const asking = verb(
  {
    /** Both are repeatable by the name that is chosen. */
    restoreToTime: again(RestoreDBInstanceToPointInTimeCommand, { also }),
    restoreSnapshot: again(RestoreDBInstanceFromDBSnapshotCommand, { also }),
  },
  async (aws, { work, name, source, network }: Making & { network: object }) => {
    const facts = factsOf(work.resource);
    const { parameterGroup, optionGroup } = facts;
    const common = {
      ...settingsOf(facts),
      ...network,
      ...(parameterGroup ? { DBParameterGroupName: parameterGroup } : {}),
      ...(optionGroup ? { OptionGroupName: optionGroup } : {}),
      Tags: tagsFor(work),
    };
    if (source.by === 'snapshot')
      await aws.restoreSnapshot({ DBInstanceIdentifier: name, DBSnapshotIdentifier: source.snapshot, ...common });
    else
      await aws.restoreToTime({
        TargetDBInstanceIdentifier: name,
        RestoreTime: source.at,
        ...(source.replica === null
          ? { SourceDbiResourceId: facts.resourceId }
          : { SourceDBInstanceAutomatedBackupsArn: source.replica }),
        ...common,
      });
  },
);

const make = composed({ networkOf, asking }, async (aws, making: Making) =>
  aws.asking({ ...making, network: await aws.networkOf(making.work) }),
);

const complete = verb(
  { ...looksAtInstances, modify: again(ModifyDBInstanceCommand) },
  async (aws, { work, name }: { work: Started<RestoreWork>; name: string }): Promise<Completed> => {
    const found = await findInstance(aws, name);
    if (!found?.Endpoint?.Address) return { why: `${name} has no endpoint yet.` };
    const change = stillDiffers(found, factsOf(work.resource));
    if (!change) return { renames: renamesOf(work, name, found.Endpoint.Address) };
    await aws.modify({ DBInstanceIdentifier: name, ApplyImmediately: true, ...change }).catch(when(WRONG_STATE, () => undefined));
    return { why: `${name} gets back what a restore leaves out.` };
  },
);

/** An instance beside the original, set as the original was. */
export const restore = restoring(instances, { make, complete });

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

/** What changed its name: itself, and where it is reached. */
export const renamesOf = ({ resource, target }: RestoreWork, name: string, address: string): Rename[] => {
  const { address: was } = factsOf(resource);
  return [
    { was: resource.name, is: name, what: 'DB instance' },
    { was: resource.id, is: rdsArn(target.place, 'db', name), what: 'DB instance ARN' },
    ...(was === null ? [] : [{ was, is: address, what: 'database endpoint' }]),
  ];
};
