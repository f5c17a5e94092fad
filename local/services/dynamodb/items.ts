import type * as SDK from '@aws-sdk/client-dynamodb';
import { operations } from '../../world/service.ts';
import { consumed, consumedByTable, readUnits, writeUnits } from './capacity.ts';
import { Expressions } from './expressions/expressions.ts';
import { projected } from './expressions/path.ts';
import { refuseLegacy, validation } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import { type Item, sizeOf } from './value.ts';
import { attributes, change, commit, erase, put, type Write } from './writes.ts';

const MOST_WRITES = 25;
const MOST_KEYS = 100;
/** An answer of BatchGetItem holds no more; the rest comes back as unprocessed (BatchGetItem API). */
const MOST_BYTES = 16 * 2 ** 20;

function onlyOld(wanted: SDK.ReturnValue | undefined): void {
  if (wanted && wanted !== 'NONE' && wanted !== 'ALL_OLD') validation('Return values set to invalid value');
}

const single = operations<typeof SDK, DynamoDbState>()({
  PutItem(input, { state, world }) {
    onlyOld(input.ReturnValues);
    const write = put(input, state);
    const after = commit(write, input.ReturnValuesOnConditionCheckFailure, world.clock.now());
    return { ...attributes(write, after, input.ReturnValues), ...consumedBy(input, write, after) };
  },

  DeleteItem(input, { state, world }) {
    onlyOld(input.ReturnValues);
    const write = erase(input, state);
    commit(write, input.ReturnValuesOnConditionCheckFailure, world.clock.now());
    return { ...attributes(write, undefined, input.ReturnValues), ...consumedBy(input, write, undefined) };
  },

  UpdateItem(input, { state, world }) {
    const write = change(input, state);
    const after = commit(write, input.ReturnValuesOnConditionCheckFailure, world.clock.now());
    return { ...attributes(write, after, input.ReturnValues), ...consumedBy(input, write, after) };
  },

  GetItem(input, { state }) {
    refuseLegacy(input);
    const table = state.active(input.TableName);
    const expressions = new Expressions(input);
    const paths = expressions.projection(input.ProjectionExpression);
    expressions.finish();
    const item = table.get(table.keyOfKey(input.Key ?? {}));
    return {
      ...(item ? { Item: projected(paths, item) } : {}),
      ...consumed(input.ReturnConsumedCapacity, table, () => readUnits(item ? sizeOf(item) : 0, input.ConsistentRead)),
    };
  },
});

const consumedBy = (
  { ReturnConsumedCapacity }: { ReturnConsumedCapacity?: SDK.ReturnConsumedCapacity | undefined },
  { table, before }: Write,
  after: Item | undefined,
) => consumed(ReturnConsumedCapacity, table, () => writeUnits(before, after));

const batches = operations<typeof SDK, DynamoDbState>()({
  BatchGetItem({ RequestItems = {}, ReturnConsumedCapacity }, { state }) {
    const asked = Object.entries(RequestItems).map(([name, request]) => {
      refuseLegacy(request);
      const table = state.active(name);
      const expressions = new Expressions(request);
      const paths = expressions.projection(request.ProjectionExpression);
      expressions.finish();
      const keys = (request.Keys ?? []).map((Key) => ({ Key, item: table.get(table.keyOfKey(Key)), id: table.keyOfKey(Key) }));
      if (new Set(keys.map(({ id }) => id)).size < keys.length) validation('Provided list of item keys contains duplicates');
      return { name, request, table, paths, keys };
    });
    const count = asked.reduce((sum, { keys }) => sum + keys.length, 0);
    if (count === 0) validation('The requestItems parameter is required for BatchGetItem');
    if (count > MOST_KEYS) validation('Too many items requested for the BatchGetItem call');
    let left = MOST_BYTES;
    const UnprocessedKeys: Record<string, SDK.KeysAndAttributes> = {};
    const Responses: Record<string, Item[]> = {};
    for (const { name, request, paths, keys } of asked) {
      const fits = keys.filter(({ item }) => {
        left -= item ? sizeOf(item) : 0;
        return left >= 0;
      });
      Responses[name] = fits.flatMap(({ item }) => (item ? [projected(paths, item)] : []));
      const late = keys.filter((key) => !fits.includes(key));
      if (late.length > 0) UnprocessedKeys[name] = { ...request, Keys: late.map(({ Key }) => Key) };
    }
    const uses = asked.flatMap(({ table, request, keys }) =>
      keys.map(({ item }) => ({ table, units: () => readUnits(item ? sizeOf(item) : 0, request.ConsistentRead) })),
    );
    return { Responses, UnprocessedKeys, ...consumedByTable(ReturnConsumedCapacity, uses) };
  },

  /** Each write by itself: a batch is no transaction (BatchWriteItem API). */
  BatchWriteItem({ RequestItems = {}, ReturnConsumedCapacity }, { state, world }) {
    const writes = Object.entries(RequestItems).flatMap(([TableName, requests]) =>
      (requests ?? []).map(({ PutRequest, DeleteRequest }) =>
        PutRequest ? put({ TableName, Item: PutRequest.Item }, state) : erase({ TableName, Key: DeleteRequest?.Key }, state),
      ),
    );
    if (writes.length === 0) validation('The batch write request list for a table cannot be null or empty');
    if (writes.length > MOST_WRITES) validation('Too many items requested for the BatchWriteItem call');
    if (new Set(writes.map(({ table, key }) => `${table.name}/${key}`)).size < writes.length)
      validation('Provided list of item keys contains duplicates');
    const images = writes.map((write) => ({ write, after: write.after() }));
    for (const { write, after } of images) write.table.write(write.key, after, world.clock.now());
    const uses = images.map(({ write, after }) => ({ table: write.table, units: () => writeUnits(write.before, after) }));
    return { UnprocessedItems: {}, ...consumedByTable(ReturnConsumedCapacity, uses) };
  },
});

export const items = { ...single, ...batches };
