import type * as SDK from '@aws-sdk/client-dynamodb';
import { type Context, operations } from '../../world/service.ts';
import { type Condition, Expressions, holds, projected } from './expression.ts';
import type { DynamoDbState } from './state.ts';
import { byRange, type Schema, type Table } from './table.ts';
import { type Item, keyText, sizeOf, validation } from './value.ts';

/** A page ends after this many bytes of items read (DynamoDB guide, "Paginating table query results"). */
const PAGE_BYTES = 2 ** 20;

type Asked = Pick<SDK.QueryCommandInput, 'Limit' | 'ExclusiveStartKey' | 'Select'> & {
  readonly filter: Condition | undefined;
  readonly paths: ReturnType<Expressions['projection']>;
};

function page(
  table: Table,
  schema: Schema,
  ordered: readonly Item[],
  { Limit = Number.POSITIVE_INFINITY, ExclusiveStartKey, Select, filter, paths }: Asked,
) {
  const from =
    ExclusiveStartKey === undefined
      ? 0
      : ordered.findIndex((item) => table.keyOf(item) === table.keyOf(keyPart(ExclusiveStartKey, table.schema))) + 1;
  const read: Item[] = [];
  let bytes = 0;
  let next = from;
  while (next < ordered.length && read.length < Limit && bytes < PAGE_BYTES) {
    const item = ordered[next++] as Item;
    bytes += sizeOf(item);
    read.push(item);
  }
  const kept = read.filter((item) => holds(filter, item));
  const last = read.at(-1);
  const more = last !== undefined && (next < ordered.length || read.length === Limit);
  return {
    Count: kept.length,
    ScannedCount: read.length,
    ...(Select === 'COUNT' ? {} : { Items: kept.map((item) => ({ ...projected(paths, item) })) }),
    ...(more ? { LastEvaluatedKey: { ...keyPart(last, table.schema), ...keyPart(last, schema) } } : {}),
  };
}

const keyPart = (item: Item, { hash, range }: Schema): Record<string, SDK.AttributeValue> => ({
  [hash]: item[hash] as SDK.AttributeValue,
  ...(range === undefined ? {} : { [range]: item[range] as SDK.AttributeValue }),
});

/** The hash key's equality is what a query needs; it is somewhere among the ANDs. */
function hashIn(condition: Condition | undefined, hash: string): SDK.AttributeValue | undefined {
  if (condition?.is === 'and') return hashIn(condition.first, hash) ?? hashIn(condition.second, hash);
  if (condition?.is !== 'compare' || condition.operator !== '=') return undefined;
  const [path, value] = condition.first.is === 'path' ? [condition.first, condition.second] : [condition.second, condition.first];
  return path.is === 'path' && path.path.length === 1 && path.path[0] === hash && value.is === 'value' ? value.value : undefined;
}

export const queries = operations<typeof SDK, DynamoDbState>()({
  Query(input, { state }: Context<DynamoDbState>) {
    const table = state.active(input.TableName);
    const { schema, has } = table.index(input.IndexName);
    const expressions = new Expressions({ names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues });
    const condition = expressions.condition(input.KeyConditionExpression, 'KeyConditionExpression');
    const filter = expressions.condition(input.FilterExpression, 'FilterExpression');
    const paths = expressions.projection(input.ProjectionExpression);
    expressions.finish();
    const hash = hashIn(condition, schema.hash);
    if (!hash) validation(`Query condition missed key schema element: ${schema.hash}`);
    const matching = table.items.filter((item) => has(item) && holds(condition, item));
    const ordered = matching.sort(byRange(schema, (item) => table.keyOf(item)));
    if (input.ScanIndexForward === false) ordered.reverse();
    return page(table, schema, ordered, { ...input, filter, paths });
  },

  Scan(input, { state }: Context<DynamoDbState>) {
    const table = state.active(input.TableName);
    const { schema, has } = table.index(input.IndexName);
    const expressions = new Expressions({ names: input.ExpressionAttributeNames, values: input.ExpressionAttributeValues });
    const filter = expressions.condition(input.FilterExpression, 'FilterExpression');
    const paths = expressions.projection(input.ProjectionExpression);
    expressions.finish();
    const { Segment = 0, TotalSegments = 1 } = input;
    // Items come in the order of a hash of their partition key; any fixed order that callers do not know serves.
    const ordered = table.items
      .filter((item) => has(item) && hashOf(keyText(item[table.schema.hash])) % TotalSegments === Segment)
      .map((item) => ({
        item,
        at: `${hashOf(keyText(item[table.schema.hash])).toString(16).padStart(8, '0')}${table.keyOf(item)}`,
      }))
      .sort((a, b) => (a.at < b.at ? -1 : 1))
      .map(({ item }) => item);
    return page(table, schema, ordered, { ...input, filter, paths });
  },
});

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
