import type * as SDK from '@aws-sdk/client-rds-data';
import { type Context, operations } from '../../world/service.ts';
import { isPostgres } from '../rds/engines.ts';
import type { Executed } from '../rds/sql/database.ts';
import { checked, type Statement, type Value } from '../rds/sql/statement.ts';
import { asJson, fieldOf, metadataOf, parametersOf } from './fields.ts';
import type { DataState, Served } from './state.ts';

/** Runs statements in a transaction that is open, or together in one of their own. */
function run(
  instance: Served,
  transactionId: string | undefined,
  statements: readonly Statement[],
  { state, world }: Context<DataState>,
): Executed[] {
  return transactionId === undefined
    ? instance.store.commit(statements, world.clock.now())
    : state.transaction(transactionId, instance).run(statements);
}

const statement = (sql: string, parameters: Readonly<Record<string, Value>>, { world }: Context<DataState>): Statement => ({
  sql,
  parameters,
  at: world.clock.now(),
  seed: world.random.hex(16),
});

/** Only MySQL and MariaDB say what an insert generated (RDS Data API, ExecuteStatement, generatedFields). */
const generated = ({ settings }: Served, { lastId, changes }: Executed): SDK.Field[] =>
  !isPostgres(settings.engine) && changes > 0 && lastId !== 0n ? [{ longValue: Number(lastId) }] : [];

export const statements = operations<typeof SDK, DataState>()({
  ExecuteStatement(input, context) {
    const instance = context.state.served(input);
    const sql = checked(input.sql ?? '');
    const [executed] = run(instance, input.transactionId, [statement(sql, parametersOf(input.parameters), context)], context) as [
      Executed,
    ];
    const { columns, rows, changes } = executed;
    const records = rows.map((row) => row.map((value, i) => fieldOf(value, columns[i]!)));
    const formatted = input.formatRecordsAs === 'JSON' && columns.length > 0;
    return {
      numberOfRecordsUpdated: changes,
      generatedFields: generated(instance, executed),
      ...(formatted ? { formattedRecords: asJson(columns, records) } : columns.length > 0 ? { records } : {}),
      ...(input.includeResultMetadata ? { columnMetadata: columns.map(metadataOf) } : {}),
    };
  },

  BatchExecuteStatement(input, context) {
    const instance = context.state.served(input);
    const sql = checked(input.sql ?? '');
    const sets = input.parameterSets?.length ? input.parameterSets : [[]];
    const executed = run(
      instance,
      input.transactionId,
      sets.map((parameters) => statement(sql, parametersOf(parameters), context)),
      context,
    );
    return { updateResults: executed.map((one) => ({ generatedFields: generated(instance, one) })) };
  },
});
