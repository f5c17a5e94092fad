import type * as SDK from '@aws-sdk/client-dynamodb';
import { operations, refuse } from '../../world/service.ts';
import { describeTable } from './describe.ts';
import { asOfSecond } from './history.ts';
import { validation } from './refusals.ts';
import { restore } from './restore.ts';
import { type DynamoDbState, stateOf } from './state.ts';
import type { Table } from './table.ts';

/** How far behind now the log can be asked: typically five minutes (DescribeContinuousBackups API, LatestRestorableDateTime). */
const BEHIND_MILLIS = 300_000;
const DAY_MILLIS = 86_400_000;
const MOST_DAYS = 35;

export const wholeSecond = (millis: number): number => Math.floor(millis / 1000) * 1000;

/** Between which seconds a table's content can be asked for; refuses where point-in-time recovery is off. */
export function recoveryWindow({ recovery, name }: Table, now: number): { readonly earliest: number; readonly latest: number } {
  if (!recovery)
    return refuse('PointInTimeRecoveryUnavailableException', `Point in time recovery is not enabled for table '${name}'`);
  const earliest = wholeSecond(Math.max(recovery.since, now - recovery.days * DAY_MILLIS));
  return { earliest, latest: Math.max(earliest, wholeSecond(now - BEHIND_MILLIS)) };
}

/** A second within the window, or what this operation answers outside it. */
export function secondWithin(table: Table, asked: Date, now: number, refusal: string): number {
  const { earliest, latest } = recoveryWindow(table, now);
  const second = wholeSecond(asked.getTime());
  if (second >= earliest && second <= latest) return second;
  return refuse(
    refusal,
    `The time ${asked.toISOString()} is outside of the point in time recovery window: ${new Date(earliest).toISOString()} to ${new Date(latest).toISOString()}`,
  );
}

function describe(table: Table, now: number): SDK.ContinuousBackupsDescription {
  if (!table.recovery)
    return {
      ContinuousBackupsStatus: 'ENABLED',
      PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: 'DISABLED' },
    };
  const { earliest, latest } = recoveryWindow(table, now);
  return {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: {
      PointInTimeRecoveryStatus: 'ENABLED',
      RecoveryPeriodInDays: table.recovery.days,
      EarliestRestorableDateTime: new Date(earliest),
      LatestRestorableDateTime: new Date(latest),
    },
  };
}

export const recovery = operations<typeof SDK, DynamoDbState>()({
  /** Turning it off forgets what was before: turned on again, the window begins anew (DynamoDB guide, "Point-in-time recovery"). */
  UpdateContinuousBackups({ TableName, PointInTimeRecoverySpecification: asked }, { state, world }) {
    const table = state.source(TableName);
    const now = world.clock.now();
    if (table.status === 'CREATING')
      refuse(
        'ContinuousBackupsUnavailableException',
        `Backups are being enabled for the table: ${table.name}. Please retry later`,
      );
    const days = asked?.RecoveryPeriodInDays ?? table.recovery?.days ?? MOST_DAYS;
    if (days < 1 || days > MOST_DAYS) validation(`RecoveryPeriodInDays must be between 1 and ${MOST_DAYS}`);
    table.recovery = asked?.PointInTimeRecoveryEnabled ? { since: table.recovery?.since ?? now, days } : undefined;
    return { ContinuousBackupsDescription: describe(table, now) };
  },

  DescribeContinuousBackups: ({ TableName }, { state, world }) => ({
    ContinuousBackupsDescription: describe(state.source(TableName), world.clock.now()),
  }),

  /** Called where the new table shall be, which may be another region of the same account (DynamoDB guide, "Restoring a table"). */
  RestoreTableToPointInTime(input, context) {
    const { SourceTableArn, SourceTableName, TargetTableName = '', RestoreDateTime, UseLatestRestorableTime } = input;
    const { state, world } = context;
    const now = world.clock.now();
    const source = stateOf(SourceTableArn, state).source(SourceTableArn ?? SourceTableName);
    const { latest } = recoveryWindow(source, now);
    if (!RestoreDateTime === !UseLatestRestorableTime)
      validation('Either RestoreDateTime or UseLatestRestorableTime must be specified, and not both');
    const second = RestoreDateTime ? secondWithin(source, RestoreDateTime, now, 'InvalidRestoreTimeException') : latest;
    const table = restore(
      {
        name: TargetTableName,
        definition: source.definition,
        items: () => asOfSecond(source.history, second, world.random.stream(`restore/${source.id}/${TargetTableName}`)),
        from: { SourceTableArn: source.arn, RestoreDateTime: new Date(second), RestoreInProgress: true },
        overrides: input,
      },
      context,
    );
    return { TableDescription: describeTable(table) };
  },
});
