import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../world/service.ts';
import { ownBackup } from './backup.ts';
import { makeMember, withoutMember } from './clusters/members.ts';
import { describeInstance } from './describe.ts';
import type { Instance } from './instance.ts';
import { makeInstance } from './make.ts';
import { identifier, paged, passes } from './paging.ts';
import { describeEngines, quotasOf } from './quotas.ts';
import { settingsOf } from './settings.ts';
import { beginSnapshot } from './snapshot.ts';
import type { RdsState } from './state.ts';
import { tagsOf } from './tags.ts';

export const CREATING = [180, 600] as const;
const DELETING = [60, 300] as const;
const STOPPING = [60, 300] as const;

export const wrongState = (instance: Instance, doing: string): never =>
  refuse('InvalidDBInstanceStateFault', `Instance ${instance.id} is not available for ${doing}: it is ${instance.status}.`);

/** Goes on from one status to the next, unless something else has happened to it meanwhile. */
function become(instance: Instance, from: string, to: string): void {
  if (instance.status === from) instance.status = to;
}

export const instances = operations<typeof SDK, RdsState>()({
  CreateDBInstance(input, context) {
    const id = identifier(input.DBInstanceIdentifier, 'DBInstanceIdentifier', 63);
    if (input.DBClusterIdentifier) return { DBInstance: describeInstance(makeMember(id, input, context), context.state) };
    const instance = makeInstance(
      { id, settings: settingsOf(input, context), tags: tagsOf(input.Tags), seconds: CREATING, zone: input.AvailabilityZone },
      context,
    );
    return { DBInstance: describeInstance(instance, context.state) };
  },

  DescribeDBInstances({ DBInstanceIdentifier, Filters, ...paging }, { state }) {
    const all = DBInstanceIdentifier ? [state.instance(DBInstanceIdentifier)] : [...state.instances.values()];
    const matching = all.filter(({ id, resourceId, settings, cluster }) =>
      passes(Filters, {
        'db-instance-id': [id, state.arn('db', id)],
        'dbi-resource-id': [resourceId],
        engine: [settings.engine],
        'db-cluster-id': cluster ? [cluster.id, state.arn('cluster', cluster.id)] : [],
        domain: [],
      }),
    );
    const { page, ...next } = paged(matching, paging);
    return { DBInstances: page.map((instance) => describeInstance(instance, state)), ...next };
  },

  /** Its automated backups go with it unless they are to stay (RDS API, DeleteDBInstance, DeleteAutomatedBackups). */
  DeleteDBInstance(input, context) {
    const { state, after, world } = context;
    const instance = state.instance(input.DBInstanceIdentifier);
    if (instance.settings.protected)
      refuse(
        'InvalidParameterCombination',
        'Cannot delete protected DB Instance, please disable deletion protection and try again.',
      );
    if (instance.status === 'deleting') wrongState(instance, 'deletion');
    if (!input.SkipFinalSnapshot && !instance.cluster) {
      if (!input.FinalDBSnapshotIdentifier)
        refuse('InvalidParameterCombination', 'FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.');
      beginSnapshot(instance, { id: input.FinalDBSnapshotIdentifier, tags: {} }, context);
    }
    const backup = ownBackup(instance, state);
    if (backup && input.DeleteAutomatedBackups === false)
      state.backups.set(backup.id, { ...backup, kind: 'retained', ended: world.clock.now() });
    endReplication(instance, context);
    instance.status = 'deleting';
    after(DELETING, () => state.remove(instance));
    return { DBInstance: describeInstance(instance, state) };
  },

  RebootDBInstance({ DBInstanceIdentifier }, { state, after }) {
    const instance = state.instance(DBInstanceIdentifier);
    if (instance.status !== 'available') wrongState(instance, 'reboot');
    instance.status = 'rebooting';
    after([10, 60], () => become(instance, 'rebooting', 'available'));
    return { DBInstance: describeInstance(instance, state) };
  },

  StopDBInstance({ DBInstanceIdentifier }, { state, after }) {
    const instance = state.instance(DBInstanceIdentifier);
    withoutMember(instance, 'stopped');
    if (instance.status !== 'available') wrongState(instance, 'stop');
    instance.status = 'stopping';
    after(STOPPING, () => become(instance, 'stopping', 'stopped'));
    return { DBInstance: describeInstance(instance, state) };
  },

  StartDBInstance({ DBInstanceIdentifier }, { state, after }) {
    const instance = state.instance(DBInstanceIdentifier);
    if (instance.status !== 'stopped') wrongState(instance, 'start');
    instance.status = 'starting';
    after(CREATING, () => become(instance, 'starting', 'available'));
    return { DBInstance: describeInstance(instance, state) };
  },

  DescribeDBEngineVersions: ({ Engine, EngineVersion, ...paging }) => describeEngines(Engine, EngineVersion, paging),

  DescribeAccountAttributes: (_, { state }) => ({ AccountQuotas: quotasOf(state) }),
});

/** What was replicated stays for as long as it is kept (RDS guide, "Replicating automated backups"). */
function endReplication({ resourceId }: Instance, { world }: Context<RdsState>): void {
  for (const place of world.places('rds')) {
    for (const backup of world.state<RdsState>('rds', place).backups.values())
      if (backup.resourceId === resourceId && backup.kind === 'replicated') backup.ended ??= world.clock.now();
  }
}
