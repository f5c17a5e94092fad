import type * as SDK from '@aws-sdk/client-dynamodb';
import { operations } from '../../world/service.ts';
import { firstWhere } from '../utf8.ts';
import { consumed, readUnits } from './capacity.ts';
import { holds } from './expressions/condition.ts';
import { Expressions } from './expressions/expressions.ts';
import { keyConditionOf, refuseKeysIn } from './expressions/key-condition.ts';
import type { Condition } from './expressions/parser.ts';
import { type Path, projected } from './expressions/path.ts';
import type { Index } from './indexes.ts';
import { invalidValue, refuseLegacy, validation } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import { scanHash, scanPosition, type Table } from './table.ts';
import { compare, equal, type Item, sizeOf, type Value } from './value.ts';

/** A page ends after this many bytes of items read (DynamoDB guide, "Paginating table query results"). */
const PAGE_BYTES = 2 ** 20;

type Asked = Pick<
  SDK.QueryCommandInput,
  'TableName' | 'Limit' | 'ExclusiveStartKey' | 'Select' | 'ProjectionExpression' | 'ConsistentRead' | 'ReturnConsumedCapacity'
>;

interface Reading {
  readonly table: Table;
  readonly index: Index;
  readonly filter: Condition | undefined;
  readonly paths: readonly Path[] | undefined;
}

/** The items in order, from after the start key: filtered after they were counted and weighed. */
function page({ table, index, filter, paths }: Reading, ordered: readonly Item[], asked: Asked) {
  const limit = asked.Limit ?? Number.POSITIVE_INFINITY;
  const kept: Item[] = [];
  let [read, bytes] = [0, 0];
  while (read < ordered.length && read < limit && bytes < PAGE_BYTES) {
    const item = ordered[read++] as Item;
    bytes += sizeOf(item);
    if (holds(filter, item)) kept.push(item);
  }
  // A full page says that there may be more, even where there is not: only the next one knows.
  const last = read < ordered.length || read === limit ? ordered[read - 1] : undefined;
  const showsAll = asked.Select === 'ALL_ATTRIBUTES' || (!index.global && paths !== undefined);
  return {
    Count: kept.length,
    ScannedCount: read,
    ...(asked.Select === 'COUNT' ? {} : { Items: kept.map((item) => projected(paths, showsAll ? item : index.show(item))) }),
    ...(last ? { LastEvaluatedKey: index.keyIn(last) } : {}),
    ...consumed(asked.ReturnConsumedCapacity, table, () => readUnits(bytes, asked.ConsistentRead)),
  };
}

function check({ Limit, Select, ConsistentRead, ProjectionExpression }: Asked, index: Index): void {
  if (Limit !== undefined && Limit < 1)
    validation("Value at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1");
  if (index.global && ConsistentRead) validation('Consistent reads are not supported on global secondary indexes');
  if (index.global && Select === 'ALL_ATTRIBUTES' && !index.whole) {
    invalidValue(
      `Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`,
    );
  }
  if (ProjectionExpression && Select && Select !== 'SPECIFIC_ATTRIBUTES')
    validation(`Cannot specify the ProjectionExpression when choosing to get ${Select}`);
}

/** Where a page begins: the whole key in this index, of an item that need not be there any more. */
function startOf({ ExclusiveStartKey: start }: Asked, table: Table, index: Index): Item | undefined {
  if (!start) return undefined;
  const wanted = Object.keys(index.keyIn(start));
  const complete = index.has(start) && wanted.length === Object.keys(start).length;
  if (!complete) validation('The provided starting key is invalid');
  table.keyOf(start);
  return start;
}

/** By the range key, then by the whole key, so that pages neither repeat nor skip. */
const inQueryOrder =
  (table: Table, { schema: { range } }: Index) =>
  (a: Item, b: Item): number => {
    const order = range === undefined ? 0 : (compare(a[range] as Value, b[range] as Value) ?? 0);
    if (order !== 0) return order;
    const [x, y] = [table.keyOf(a), table.keyOf(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  };

export const queries = operations<typeof SDK, DynamoDbState>()({
  Query(input, { state }) {
    refuseLegacy(input);
    const table = state.active(input.TableName);
    const index = table.index(input.IndexName);
    check(input, index);
    const expressions = new Expressions(input);
    const asked = expressions.condition(input.KeyConditionExpression, 'KeyConditionExpression');
    const filter = expressions.condition(input.FilterExpression, 'FilterExpression');
    const paths = expressions.projection(input.ProjectionExpression);
    expressions.finish();
    if (!asked) validation('Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.');
    const condition = keyConditionOf(asked, table, index);
    refuseKeysIn(filter, index);
    const candidates =
      index.name === undefined
        ? table.partition(condition.hash)
        : table.items.filter((item) => index.has(item) && equal(item[index.schema.hash], condition.hash));
    const order = inQueryOrder(table, index);
    const ascending = candidates.filter(condition.meets).sort(order);
    const start = startOf(input, table, index);
    if (input.ScanIndexForward === false) {
      const until = start ? firstWhere(ascending, (item) => order(item, start) >= 0) : ascending.length;
      return page({ table, index, filter, paths }, ascending.slice(0, until).reverse(), input);
    }
    const from = start ? firstWhere(ascending, (item) => order(item, start) > 0) : 0;
    return page({ table, index, filter, paths }, ascending.slice(from), input);
  },

  Scan(input, { state }) {
    refuseLegacy(input);
    const table = state.active(input.TableName);
    const index = table.index(input.IndexName);
    check(input, index);
    const expressions = new Expressions(input);
    const filter = expressions.condition(input.FilterExpression, 'FilterExpression');
    const paths = expressions.projection(input.ProjectionExpression);
    expressions.finish();
    const { Segment = 0, TotalSegments = 1 } = input;
    if ((input.Segment === undefined) !== (input.TotalSegments === undefined))
      validation('The Segment and TotalSegments parameters must be given together');
    if (Segment >= TotalSegments) validation('The Segment parameter is zero-based and must be less than parameter TotalSegments');
    const start = startOf(input, table, index);
    const after = start && scanPosition(table.keyOf(start));
    const keys = after ? table.scanOrder.slice(firstWhere(table.scanOrder, (key) => scanPosition(key) > after)) : table.scanOrder;
    const own = TotalSegments === 1 ? keys : keys.filter((key) => scanHash(key) % TotalSegments === Segment);
    const items = own.map((key) => table.get(key) as Item);
    return page(
      { table, index, filter, paths },
      index.name === undefined ? items : items.filter((item) => index.has(item)),
      input,
    );
  },
});
