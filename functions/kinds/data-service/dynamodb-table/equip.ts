import {
  DynamoDBClient,
  type Tag,
  TagResourceCommand,
  UpdateContinuousBackupsCommand,
  UpdateTableCommand,
  type UpdateTableCommandInput,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import type { Item, Rename, Restored } from '../../../domain.ts';
import { done, type RestoreWork, type Started, started } from '../../kind.ts';
import { definitionOf, type DescribedTable as Found, streamOf, type TableDefinition } from './definition.ts';
import { factsOf, KIND } from './table.ts';

const { again } = calls('dynamodb', DynamoDBClient);

/** Each sets what it is told, however often. */
export const equipping = {
  tag: again(TagResourceCommand),
  setTimeToLive: again(UpdateTimeToLiveCommand),
  setBackups: again(UpdateContinuousBackupsCommand),
  updateTable: again(UpdateTableCommand),
};
type Equipping = Door<typeof equipping>;

/** The table is busy with the last change; the next settle goes on (DynamoDB API, UpdateTable, UpdateContinuousBackups). */
const BUSY = ['ResourceInUseException', 'ContinuousBackupsUnavailableException', 'LimitExceededException'];

/**
 * Neither a restore nor an import gives back tags, TTL, streams, point-in-time recovery, deletion protection or the table class (DynamoDB
 * guide, "Restoring a table"). Whatever still differs from the definition is set, one thing after the other, until nothing does.
 */
export async function equip(
  aws: Equipping,
  work: Started<RestoreWork>,
  found: Found,
  wanted: TableDefinition,
  tags: readonly Tag[],
): Promise<Item<Restored>> {
  const next = nextStep(found, wanted, tags);
  if (!next) return done(work.resource.id, restoredAs(work, found, wanted));
  await next.set(aws).catch(when(BUSY, () => undefined));
  return started(work.resource.id, { by: 'equip' }, `${found.table.TableName} gets back its ${next.what}.`);
}

interface Step {
  readonly what: string;
  set(aws: Equipping): Promise<unknown>;
}

function nextStep({ table, ...found }: Found, wanted: TableDefinition, tags: readonly Tag[]): Step | undefined {
  const has = definitionOf({ table, ...found });
  const TableName = table.TableName!;
  const update = (what: string, change: Omit<UpdateTableCommandInput, 'TableName'>): Step => ({
    what,
    set: (aws) => aws.updateTable({ TableName, ...change }),
  });
  if (tags.some(({ Key, Value }) => found.tags.get(Key!) !== Value)) {
    return { what: 'tags', set: (aws) => aws.tag({ ResourceArn: table.TableArn!, Tags: [...tags] }) };
  }
  if (wanted.ttl !== has.ttl && wanted.ttl !== null) {
    const TimeToLiveSpecification = { Enabled: true, AttributeName: wanted.ttl };
    return { what: 'time to live', set: (aws) => aws.setTimeToLive({ TableName, TimeToLiveSpecification }) };
  }
  if (wanted.stream !== has.stream && wanted.stream !== null)
    return update('stream', { StreamSpecification: streamOf(wanted.stream) });
  if (wanted.tableClass !== has.tableClass) return update('table class', { TableClass: wanted.tableClass as 'STANDARD' });
  if (wanted.recoveryDays !== has.recoveryDays && wanted.recoveryDays !== null) {
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: wanted.recoveryDays };
    return { what: 'point-in-time recovery', set: (aws) => aws.setBackups({ TableName, PointInTimeRecoverySpecification }) };
  }
  if (wanted.deletionProtection && !has.deletionProtection)
    return update('deletion protection', { DeletionProtectionEnabled: true });
  return undefined;
}

function restoredAs(work: RestoreWork, found: Found, wanted: TableDefinition): Restored {
  const { resource, target } = work;
  const { table } = found;
  return {
    kind: KIND,
    resource: resource.id,
    id: table.TableArn!,
    place: target.place,
    renames: renamesOf(work, table.TableName!, table.TableArn!, table.LatestStreamArn),
    notes: [`${resource.name} is ${table.TableName} in ${target.place.region}.`, ...differences(found, wanted)],
  };
}

export function renamesOf({ resource }: RestoreWork, name: string, arn: string, stream: string | undefined): Rename[] {
  const { streamArn } = factsOf(resource);
  return [
    { was: resource.name, is: name, what: 'table' },
    { was: resource.id, is: arn, what: 'table ARN' },
    ...(streamArn && stream ? [{ was: streamArn, is: stream, what: 'stream ARN' }] : []),
  ];
}

/** A restore out of the log takes indexes, billing and encryption as they are now, not as they were at T: what differs is said. */
function differences(found: Found, wanted: TableDefinition): string[] {
  const has = definitionOf(found);
  const names = ({ globalIndexes, localIndexes }: TableDefinition) => [...globalIndexes, ...localIndexes].map(({ name }) => name);
  const lacking = names(wanted).filter((name) => !names(has).includes(name));
  const extra = names(has).filter((name) => !names(wanted).includes(name));
  return [
    ...lacking.map((name) => `It lacks the index ${name}, which the original had at the cut and has no more.`),
    ...extra.map((name) => `It has the index ${name}, which the original did not have at the cut.`),
    ...(has.billing === wanted.billing
      ? []
      : [`It is billed ${has.billing}, as the original is now; at the cut it was ${wanted.billing}.`]),
  ];
}
