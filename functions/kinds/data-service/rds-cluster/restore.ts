import {
  EnableHttpEndpointCommand,
  ModifyDBClusterCommand,
  RDSClient,
  RestoreDBClusterFromSnapshotCommand,
  RestoreDBClusterToPointInTimeCommand,
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
import { type ClusterFacts, factsOf } from './cluster.ts';
import { clusters, findCluster, looksAtClusters } from './clusters.ts';
import { type Addresses, bringBackMembers, memberName } from './members.ts';

const { again } = calls('rds', RDSClient);
const also = ['rds:AddTagsToResource', 'kms:CreateGrant', 'kms:DescribeKey'];

const asking = verb(
  {
    /** Both are repeatable by the name that is chosen. */
    restoreToTime: again(RestoreDBClusterToPointInTimeCommand, { only: 'at home', also }), // where the log is
    restoreSnapshot: again(RestoreDBClusterFromSnapshotCommand, { also }),
  },
  async (aws, { work, name, source, network }: Making & { network: object }) => {
    const facts = factsOf(work.resource);
    const common = { DBClusterIdentifier: name, ...settingsOf(facts), ...network, Tags: tagsFor(work) };
    if (source.by === 'snapshot')
      await aws.restoreSnapshot({ SnapshotIdentifier: source.snapshot, Engine: facts.engine, ...common });
    else await aws.restoreToTime({ SourceDbClusterResourceId: facts.resourceId, RestoreToTime: source.at, ...common });
  },
);

const make = composed({ networkOf, asking }, async (aws, making: Making) =>
  aws.asking({ ...making, network: await aws.networkOf(making.work) }),
);

/** What the restored cluster still lacks is asked for; false once it lacks nothing. */
const adjust = verb(
  { ...looksAtClusters, modify: again(ModifyDBClusterCommand), enableDataApi: again(EnableHttpEndpointCommand) },
  async (aws, { work, name }: { work: RestoreWork; name: string }): Promise<boolean> => {
    const found = await findCluster(aws, name);
    const { maintenanceWindow, httpEndpoint } = factsOf(work.resource);
    const moved = maintenanceWindow !== null && found?.PreferredMaintenanceWindow !== maintenanceWindow;
    const silent = httpEndpoint && !found?.HttpEndpointEnabled;
    if (moved)
      await aws
        .modify({ DBClusterIdentifier: name, PreferredMaintenanceWindow: maintenanceWindow })
        .catch(when(WRONG_STATE, () => undefined));
    if (silent)
      await aws.enableDataApi({ ResourceArn: found?.DBClusterArn }).catch(when('InvalidResourceStateFault', () => undefined));
    return moved || silent;
  },
);

const ends = verb(looksAtClusters, async (aws, name: string) => {
  const { Endpoint: writer = null, ReaderEndpoint: reader = null } = (await findCluster(aws, name)) ?? {};
  return { writer, reader };
});

/** A restore of a cluster makes no instances, so they are made anew; then what a restore leaves out is set. */
const complete = composed(
  { bringBackMembers, adjust, ends },
  async (aws, { work, name }: { work: Started<RestoreWork>; name: string }): Promise<Completed> => {
    const members = await aws.bringBackMembers({ work, name });
    if ('trouble' in members) return members;
    if (await aws.adjust({ work, name })) return { why: `${name} gets back what a restore leaves out.` };
    if ('why' in members) return members;
    return { renames: renamesOf(work, name, { ...(await aws.ends(name)), members: members.addresses }) };
  },
);

/** A cluster beside the original, with as many instances, set as the original was. */
export const restore = restoring(clusters, { make, complete });

/** What both ways to restore can be told at once. */
const settingsOf = (facts: ClusterFacts) => ({
  ...(facts.port === null ? {} : { Port: facts.port }),
  ...(facts.storageType === null ? {} : { StorageType: facts.storageType }),
  ...(facts.parameterGroup === null ? {} : { DBClusterParameterGroupName: facts.parameterGroup }),
  ...(facts.scaling === null ? {} : { ServerlessV2ScalingConfiguration: facts.scaling }),
  ...(facts.backtrackSeconds === 0 ? {} : { BacktrackWindow: facts.backtrackSeconds }),
  EnableIAMDatabaseAuthentication: facts.iamLogin,
  CopyTagsToSnapshot: facts.copyTags,
  DeletionProtection: facts.protected,
  EnableCloudwatchLogsExports: [...facts.logs],
  BackupRetentionPeriod: facts.retentionDays,
  ...(facts.backupWindow === null ? {} : { PreferredBackupWindow: facts.backupWindow }),
});

interface Ends {
  readonly writer: string | null;
  readonly reader: string | null;
  /** Of its instances, by the names that they had. */
  readonly members: Addresses;
}

/** What changed its name: the cluster, its two endpoints, its instances, and where each of them is reached. */
export function renamesOf({ resource, restore, target }: RestoreWork, name: string, ends: Ends): Rename[] {
  const { writer, reader, members } = factsOf(resource);
  const reached = (was: string | null, is: string | null | undefined, what: string): Rename[] =>
    was && is ? [{ was, is, what }] : [];
  return [
    { was: resource.name, is: name, what: 'DB cluster' },
    { was: resource.id, is: rdsArn(target.place, 'cluster', name), what: 'DB cluster ARN' },
    ...reached(writer, ends.writer, 'database endpoint'),
    ...reached(reader, ends.reader, 'database reader endpoint'),
    ...members.flatMap((member) => {
      const is = memberName(member, restore);
      return [
        { was: member.name, is, what: 'DB instance' },
        { was: member.arn, is: rdsArn(target.place, 'db', is), what: 'DB instance ARN' },
        ...reached(member.address, ends.members[member.name], 'database instance endpoint'),
      ];
    }),
  ];
}
