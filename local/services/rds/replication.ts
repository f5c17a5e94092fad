import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Backup, backupsOf, describeBackup, ownBackup } from './backup.ts';
import { AWS_MANAGED, keyAt } from './encryption.ts';
import { engineNamed } from './engines.ts';
import type { Instance } from './instance.ts';
import { paged, passes } from './paging.ts';
import { retention } from './settings.ts';
import type { RdsState } from './state.ts';
import { tagsOf } from './tags.ts';

/** Replicated automated backups of an account in a region (RDS guide, "Replicating automated backups", quota). */
const MOST_REPLICATIONS = 20;
/** Seconds until the first backup is in the other region, and how far a log is behind there. */
const FIRST_COPY = [120, 900] as const;
const LAG = [20, 240] as const;
const DEFAULT_DAYS = 7;

/** The instance that an ARN of another region names; that region must be reachable. */
function sourceOf(
  arn: string | undefined,
  { region, account, world }: Context<RdsState>,
): { source: RdsState; instance: Instance } {
  const [, , , from = '', owner = ''] = (arn ?? '').split(':');
  if (!from || owner !== account) refuse('InvalidParameterValue', `Invalid source DB instance ARN: ${arn}`);
  if (from === region)
    refuse('InvalidParameterValue', 'The source and the destination of a replication must be different regions.');
  if (world.dark.has(from)) refuse('ServiceUnavailable', `The source region ${from} is not available.`, { status: 503 });
  const source = world.state<RdsState>('rds', { account: owner, region: from });
  return { source, instance: source.instance(arn) };
}

const find = (arn: string | undefined, state: RdsState): Backup =>
  backupsOf(state).find(({ id }) => state.arn('auto-backup', id) === arn) ??
  refuse('DBInstanceAutomatedBackupNotFoundFault', `Automated backup ${arn} not found.`, { status: 404 });

export const replication = operations<typeof SDK, RdsState>()({
  DescribeDBInstanceAutomatedBackups(input, { state }) {
    const { DbiResourceId, DBInstanceIdentifier, DBInstanceAutomatedBackupsArn, Filters } = input;
    const all = DBInstanceAutomatedBackupsArn ? [find(DBInstanceAutomatedBackupsArn, state)] : backupsOf(state);
    const described = all
      .filter(
        ({ resourceId, source }) =>
          (!DbiResourceId || resourceId === DbiResourceId) && (!DBInstanceIdentifier || source.id === DBInstanceIdentifier),
      )
      .map((backup) => describeBackup(backup, state))
      .filter(({ Status, DBInstanceIdentifier: id, DbiResourceId: resource }) =>
        passes(Filters, { status: [Status], 'db-instance-id': [id], 'dbi-resource-id': [resource] }),
      );
    const { page, ...next } = paged(described, input);
    return { DBInstanceAutomatedBackups: page, ...next };
  },

  /** Called in the destination region (RDS guide, "Replicating automated backups to another AWS Region"). */
  StartDBInstanceAutomatedBackupsReplication(input, context) {
    const { state, world } = context;
    const { source, instance } = sourceOf(input.SourceDBInstanceArn, context);
    const own = ownBackup(instance, source);
    if (!engineNamed(instance.settings.engine).replicates)
      refuse(
        'InvalidParameterCombination',
        `Cross-region automated backups are not supported for engine ${instance.settings.engine}.`,
      );
    if (!own || instance.settings.retentionDays === 0)
      return refuse('InvalidDBInstanceStateFault', `Automated backups are not enabled for DB instance ${instance.id}.`);
    const mine = [...state.backups.values()].filter(({ kind, ended }) => kind === 'replicated' && ended === undefined);
    if (mine.some(({ resourceId }) => resourceId === instance.resourceId))
      refuse('InvalidDBInstanceAutomatedBackupStateFault', `The automated backups of ${instance.id} are replicated already.`);
    if (mine.length >= MOST_REPLICATIONS)
      refuse(
        'DBInstanceAutomatedBackupQuotaExceededFault',
        `The quota for retained automated backups was exceeded: ${MOST_REPLICATIONS}`,
      );
    if (own.key && !input.KmsKeyId)
      refuse('InvalidParameterCombination', 'KmsKeyId must be specified to replicate the backups of an encrypted DB instance.');
    const dice = world.random.stream(`rds/replication/${instance.resourceId}/${world.clock.now()}`);
    const backup: Backup = {
      ...own,
      id: `ab-${dice.hex(32)}`,
      kind: 'replicated',
      retentionDays: retention(input.BackupRetentionPeriod ?? DEFAULT_DAYS),
      key: own.key === undefined ? undefined : keyAt(input.KmsKeyId ?? AWS_MANAGED, context, context),
      since: world.clock.now() + Math.round(dice.between(...FIRST_COPY)) * 1000,
      lagMillis: Math.round(dice.between(...LAG)) * 1000,
      tags: tagsOf(input.Tags),
    };
    state.backups.set(backup.id, backup);
    return { DBInstanceAutomatedBackup: describeBackup(backup, state) };
  },

  /** What is here already stays for as long as it is kept. */
  StopDBInstanceAutomatedBackupsReplication({ SourceDBInstanceArn }, { state, world }) {
    const backup = [...state.backups.values()].find(
      ({ kind, source, ended }) => kind === 'replicated' && source.arn === SourceDBInstanceArn && ended === undefined,
    );
    if (!backup) return refuse('DBInstanceNotFoundFault', `No replication from ${SourceDBInstanceArn}.`, { status: 404 });
    backup.ended = world.clock.now();
    return { DBInstanceAutomatedBackup: describeBackup(backup, state) };
  },

  DeleteDBInstanceAutomatedBackup({ DBInstanceAutomatedBackupsArn, DbiResourceId }, { state }) {
    const found = [...state.backups.values()].find(
      ({ id, resourceId }) =>
        state.arn('auto-backup', id) === DBInstanceAutomatedBackupsArn || (DbiResourceId && resourceId === DbiResourceId),
    );
    if (!found) return refuse('DBInstanceAutomatedBackupNotFoundFault', 'Automated backup not found.', { status: 404 });
    state.backups.delete(found.id);
    return { DBInstanceAutomatedBackup: { ...describeBackup(found, state), Status: 'deleting' } };
  },
});
