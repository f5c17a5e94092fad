import type * as SDK from '@aws-sdk/client-dynamodb';
import { operations, Refusal, refuse } from '../../world/service.ts';
import { canonical } from './canonical.ts';
import { consumedByTable, readUnits, writeUnits } from './capacity.ts';
import { holds } from './expressions/condition.ts';
import { Expressions } from './expressions/expressions.ts';
import { projected } from './expressions/path.ts';
import { validation } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import { type Item, sizeOf } from './value.ts';
import { change, erase, put, type Write } from './writes.ts';

const MOST_PARTS = 100;
/** How long a token stands for its transaction (TransactWriteItems API, ClientRequestToken). */
const TOKEN_MILLIS = 600_000;

interface Part {
  readonly write: Write;
  readonly checkOnly: boolean;
  readonly returning: SDK.ReturnValuesOnConditionCheckFailure | undefined;
}

function partOf({ Put, Delete, Update, ConditionCheck }: SDK.TransactWriteItem, state: DynamoDbState): Part {
  const parts = [Put, Delete, Update, ConditionCheck].filter((part) => part !== undefined);
  if (parts.length !== 1) validation('TransactItems can only contain one of Check, Put, Update or Delete');
  if (ConditionCheck && !ConditionCheck.ConditionExpression)
    validation('ConditionExpression must be specified for a ConditionCheck');
  const write = Put ? put(Put, state) : Update ? change(Update, state) : erase((Delete ?? ConditionCheck) as SDK.Delete, state);
  return { write, checkOnly: ConditionCheck !== undefined, returning: parts[0]?.ReturnValuesOnConditionCheckFailure };
}

type Verdict = SDK.CancellationReason & { readonly after?: Item | undefined };

/** Why a part cannot be done, or what its item becomes. */
function judge({ write, returning }: Part): Verdict {
  if (!holds(write.condition, write.before ?? {})) {
    const old = returning === 'ALL_OLD' && write.before ? { Item: write.before } : {};
    return { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', ...old };
  }
  try {
    return { Code: 'None', after: write.after() };
  } catch (error) {
    if (error instanceof Refusal && error.code === 'ValidationException')
      return { Code: 'ValidationError', Message: error.message };
    throw error;
  }
}

export const transactions = operations<typeof SDK, DynamoDbState>()({
  /** All of it or nothing, at one instant. */
  TransactWriteItems({ TransactItems = [], ClientRequestToken: token, ReturnConsumedCapacity }, { state, world }) {
    const now = world.clock.now();
    const asked = token === undefined ? '' : canonical(TransactItems);
    const known = token === undefined ? undefined : state.transactions.get(token);
    if (known && now - known.at < TOKEN_MILLIS) {
      if (known.asked === asked) return {};
      refuse(
        'IdempotentParameterMismatchException',
        'The request uses the same client token as a previous, but non-identical request.',
      );
    }
    if (TransactItems.length === 0 || TransactItems.length > MOST_PARTS)
      validation(`Member must have length between 1 and ${MOST_PARTS}, inclusive: transactItems`);
    const parts = TransactItems.map((item) => partOf(item, state));
    if (new Set(parts.map(({ write }) => `${write.table.name}/${write.key}`)).size < parts.length)
      validation('Transaction request cannot include multiple operations on one item');
    const verdicts = parts.map(judge);
    cancelUnlessAll(verdicts);
    parts.forEach(({ write, checkOnly }, i) => {
      if (!checkOnly) write.table.write(write.key, verdicts[i]?.after, now);
    });
    if (token !== undefined) state.transactions.set(token, { asked, at: now });
    const uses = parts.map(({ write }, i) => ({
      table: write.table,
      units: () => 2 * writeUnits(write.before, verdicts[i]?.after),
    }));
    return consumedByTable(ReturnConsumedCapacity, uses);
  },

  TransactGetItems({ TransactItems = [], ReturnConsumedCapacity }, { state }) {
    if (TransactItems.length === 0 || TransactItems.length > MOST_PARTS)
      validation(`Member must have length between 1 and ${MOST_PARTS}, inclusive: transactItems`);
    const found = TransactItems.map(({ Get = { TableName: undefined, Key: undefined } }) => {
      const table = state.active(Get.TableName);
      const expressions = new Expressions(Get);
      const paths = expressions.projection((Get as SDK.Get).ProjectionExpression);
      expressions.finish();
      return { table, paths, item: table.get(table.keyOfKey(Get.Key ?? {})) };
    });
    return {
      Responses: found.map(({ paths, item }) => (item ? { Item: projected(paths, item) } : {})),
      ...consumedByTable(
        ReturnConsumedCapacity,
        found.map(({ table, item }) => ({ table, units: () => 2 * readUnits(item ? sizeOf(item) : 0, true) })),
      ),
    };
  },
});

function cancelUnlessAll(verdicts: readonly Verdict[]): void {
  if (verdicts.every(({ Code }) => Code === 'None')) return;
  refuse(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${verdicts.map(({ Code }) => Code).join(', ')}]`,
    { CancellationReasons: verdicts.map(({ after: _, ...reason }) => reason) },
  );
}
