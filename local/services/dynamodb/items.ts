import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Condition, Expressions, holds, projected, updated } from './expression.ts';
import type { DynamoDbState } from './state.ts';
import type { Table } from './table.ts';
import { equal, type Item, validation } from './value.ts';

interface Named {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, SDK.AttributeValue> | undefined;
}

const expressionsOf = ({ ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Named): Expressions =>
  new Expressions({ names, values });

/** One write, understood and checked, but not done. */
interface Write {
  readonly table: Table;
  readonly key: string;
  readonly before: Item | undefined;
  readonly condition: Condition | undefined;
  /** What the item becomes; undefined for a delete. */
  after(): Item | undefined;
}

type Put = Named & Pick<SDK.PutItemCommandInput, 'TableName' | 'Item' | 'ConditionExpression'>;
type Delete = Named & Pick<SDK.DeleteItemCommandInput, 'TableName' | 'Key' | 'ConditionExpression'>;
type Update = Delete & Pick<SDK.UpdateItemCommandInput, 'UpdateExpression'>;

function put({ TableName, Item: item = {}, ConditionExpression, ...named }: Put, state: DynamoDbState): Write {
  const table = state.active(TableName);
  const expressions = expressionsOf(named);
  const condition = expressions.condition(ConditionExpression);
  expressions.finish();
  const key = table.keyOf(item);
  return { table, key, before: table.get(key), condition, after: () => item };
}

function erase({ TableName, Key = {}, ConditionExpression, ...named }: Delete, state: DynamoDbState): Write {
  const table = state.active(TableName);
  const expressions = expressionsOf(named);
  const condition = expressions.condition(ConditionExpression);
  expressions.finish();
  const key = table.keyOf(Key, { exact: true });
  return { table, key, before: table.get(key), condition, after: () => undefined };
}

function change({ TableName, Key = {}, UpdateExpression, ConditionExpression, ...named }: Update, state: DynamoDbState): Write {
  const table = state.active(TableName);
  const expressions = expressionsOf(named);
  const condition = expressions.condition(ConditionExpression);
  const update = expressions.update(UpdateExpression);
  expressions.finish();
  const key = table.keyOf(Key, { exact: true });
  const before = table.get(key);
  const after = (): Item => {
    const item = update ? updated(update, before ?? Key) : (before ?? Key);
    if (Object.keys(Key).some((name) => !equal(item[name], Key[name])))
      validation('One or more parameter values were invalid: Cannot update attribute. This attribute is part of the key');
    return item;
  };
  return { table, key, before, condition, after };
}

/** Does a write if its condition holds. */
function commit(write: Write, returning: SDK.ReturnValuesOnConditionCheckFailure | undefined, now: number): Item | undefined {
  if (!holds(write.condition, write.before ?? {})) {
    refuse(
      'ConditionalCheckFailedException',
      'The conditional request failed',
      returning === 'ALL_OLD' && write.before ? { Item: write.before } : {},
    );
  }
  const after = write.after();
  write.table.write(write.key, after, now);
  return after;
}

const now = ({ world }: Context<DynamoDbState>): number => world.clock.now();
const some = <K extends string>(name: K, value: Item | undefined): { [P in K]?: Item } =>
  value && Object.keys(value).length > 0 ? ({ [name]: value } as { [P in K]?: Item }) : {};

const single = operations<typeof SDK, DynamoDbState>()({
  PutItem(input, context) {
    const write = put(input, context.state);
    commit(write, input.ReturnValuesOnConditionCheckFailure, now(context));
    return input.ReturnValues === 'ALL_OLD' ? some('Attributes', write.before) : {};
  },

  DeleteItem(input, context) {
    const write = erase(input, context.state);
    commit(write, input.ReturnValuesOnConditionCheckFailure, now(context));
    return input.ReturnValues === 'ALL_OLD' ? some('Attributes', write.before) : {};
  },

  UpdateItem(input, context) {
    const write = change(input, context.state);
    const after = commit(write, input.ReturnValuesOnConditionCheckFailure, now(context)) as Item;
    const before = write.before ?? {};
    const changed = (one: Item, other: Item) =>
      Object.fromEntries(Object.entries(one).filter(([name, value]) => !equal(value, other[name])));
    switch (input.ReturnValues) {
      case 'ALL_NEW':
        return some('Attributes', after);
      case 'ALL_OLD':
        return some('Attributes', write.before);
      case 'UPDATED_NEW':
        return some('Attributes', changed(after, before));
      case 'UPDATED_OLD':
        return some('Attributes', changed(before, after));
      default:
        return {};
    }
  },

  GetItem({ TableName, Key = {}, ProjectionExpression, ...named }, { state }) {
    const table = state.active(TableName);
    const expressions = expressionsOf(named);
    const paths = expressions.projection(ProjectionExpression);
    expressions.finish();
    const item = table.get(table.keyOf(Key, { exact: true }));
    return item ? { Item: projected(paths, item) } : {};
  },
});

const batches = operations<typeof SDK, DynamoDbState>()({
  BatchGetItem({ RequestItems = {} }, { state }) {
    const Responses = Object.fromEntries(
      Object.entries(RequestItems).map(([name, { Keys = [], ProjectionExpression, ExpressionAttributeNames }]) => {
        const table = state.active(name);
        const paths = expressionsOf({ ExpressionAttributeNames }).projection(ProjectionExpression);
        const found = Keys.map((Key) => table.get(table.keyOf(Key, { exact: true }))).filter((item) => item !== undefined);
        return [name, found.map((item) => projected(paths, item))];
      }),
    );
    return { Responses, UnprocessedKeys: {} };
  },

  BatchWriteItem({ RequestItems = {} }, context) {
    const all = Object.entries(RequestItems).flatMap(([name, requests]) =>
      (requests ?? []).map((request) => ({ name, request })),
    );
    if (all.length > 25) validation('Too many items requested for the BatchWriteItem call');
    const writes = all.map(({ name, request: { PutRequest, DeleteRequest } }) =>
      PutRequest
        ? put({ TableName: name, Item: PutRequest.Item }, context.state)
        : erase({ TableName: name, Key: DeleteRequest?.Key }, context.state),
    );
    if (new Set(writes.map(({ table, key }) => `${table.name}/${key}`)).size < writes.length)
      validation('Provided list of item keys contains duplicates');
    for (const write of writes) commit(write, undefined, now(context));
    return { UnprocessedItems: {} };
  },
});

const transactions = operations<typeof SDK, DynamoDbState>()({
  TransactWriteItems({ TransactItems = [], ClientRequestToken: token }, context) {
    const { state, world } = context;
    const asked = JSON.stringify(TransactItems);
    const known = token === undefined ? undefined : state.transactions.get(token);
    if (known && known.until > now(context)) {
      if (known.asked !== asked)
        refuse(
          'IdempotentParameterMismatchException',
          'The request uses the same client token as a previous, but non-identical request.',
        );
      return {};
    }
    if (TransactItems.length > 100) validation('Member must have length less than or equal to 100');
    const parts = TransactItems.map(({ Put, Delete, Update, ConditionCheck }) => {
      const part = Put ?? Delete ?? Update ?? ConditionCheck;
      const write = Put
        ? put(Put, state)
        : Delete
          ? erase(Delete, state)
          : Update
            ? change(Update, state)
            : erase(ConditionCheck as Delete, state);
      return { write, checkOnly: ConditionCheck !== undefined, returning: part?.ReturnValuesOnConditionCheckFailure };
    });
    if (new Set(parts.map(({ write }) => `${write.table.name}/${write.key}`)).size < parts.length) {
      validation('Transaction request cannot include multiple operations on one item');
    }
    const reasons = parts.map(({ write, returning }) =>
      holds(write.condition, write.before ?? {})
        ? { Code: 'None' }
        : {
            Code: 'ConditionalCheckFailed',
            Message: 'The conditional request failed',
            ...(returning === 'ALL_OLD' ? some('Item', write.before) : {}),
          },
    );
    if (reasons.some(({ Code }) => Code !== 'None')) {
      const codes = reasons.map(({ Code }) => Code).join(', ');
      refuse(
        'TransactionCanceledException',
        `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
        { CancellationReasons: reasons },
      );
    }
    const transaction = world.random.hex(16);
    for (const { write, checkOnly } of parts)
      if (!checkOnly) write.table.write(write.key, write.after(), now(context), transaction);
    if (token !== undefined) state.transactions.set(token, { asked, until: now(context) + 600_000 });
    return {};
  },

  TransactGetItems({ TransactItems = [] }, { state }) {
    return {
      Responses: TransactItems.map(({ Get }) => {
        const table = state.active(Get?.TableName);
        const item = table.get(table.keyOf(Get?.Key ?? {}, { exact: true }));
        return item ? { Item: projected(expressionsOf(Get ?? {}).projection(Get?.ProjectionExpression), item) } : {};
      }),
    };
  },
});

export const items = { ...single, ...batches, ...transactions };
