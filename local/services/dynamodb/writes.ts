import type * as SDK from '@aws-sdk/client-dynamodb';
import { refuse } from '../../world/service.ts';
import { holds } from './expressions/condition.ts';
import { Expressions, type Named } from './expressions/expressions.ts';
import type { Condition } from './expressions/parser.ts';
import { projected } from './expressions/path.ts';
import { pathsOf, updated } from './expressions/update.ts';
import { invalidValue, refuseLegacy } from './refusals.ts';
import type { DynamoDbState } from './state.ts';
import type { Table } from './table.ts';
import { type Item, storedItem } from './value.ts';

/** One write, understood, but neither checked nor done. */
export interface Write {
  readonly table: Table;
  readonly key: string;
  readonly before: Item | undefined;
  readonly condition: Condition | undefined;
  /** What the item becomes, as it will be stored; undefined for a delete. Refuses what cannot be. */
  after(): Item | undefined;
  /** Of an image, what the write speaks of. */
  touched(image: Item): Item;
}

type Put = Named & Pick<SDK.PutItemCommandInput, 'TableName' | 'Item' | 'ConditionExpression'>;
type Delete = Named & Pick<SDK.DeleteItemCommandInput, 'TableName' | 'Key' | 'ConditionExpression'>;
type Update = Delete & Pick<SDK.UpdateItemCommandInput, 'UpdateExpression'>;

const whole = (image: Item): Item => image;

export function put(asked: Put, state: DynamoDbState): Write {
  refuseLegacy(asked);
  const table = state.active(asked.TableName);
  const expressions = new Expressions(asked);
  const condition = expressions.condition(asked.ConditionExpression);
  expressions.finish();
  const item = asked.Item ?? {};
  const key = table.keyOf(item);
  return { table, key, before: table.get(key), condition, after: () => table.storable(item), touched: whole };
}

/** A delete, or a check of what would be deleted. */
export function erase(asked: Delete, state: DynamoDbState): Write {
  refuseLegacy(asked);
  const table = state.active(asked.TableName);
  const expressions = new Expressions(asked);
  const condition = expressions.condition(asked.ConditionExpression);
  expressions.finish();
  const key = table.keyOfKey(asked.Key ?? {});
  return { table, key, before: table.get(key), condition, after: () => undefined, touched: whole };
}

export function change(asked: Update, state: DynamoDbState): Write {
  refuseLegacy(asked);
  const table = state.active(asked.TableName);
  const expressions = new Expressions(asked);
  const condition = expressions.condition(asked.ConditionExpression);
  const update = expressions.update(asked.UpdateExpression);
  expressions.finish();
  const key = table.keyOfKey(asked.Key ?? {});
  const Key = storedItem(asked.Key ?? {});
  const part = update && pathsOf(update).find((path) => Object.hasOwn(Key, path[0]))?.[0];
  if (part) invalidValue(`Cannot update attribute ${part}. This attribute is part of the key`);
  const before = table.get(key);
  const after = (): Item => {
    const item = update ? updated(update, before ?? Key) : (before ?? Key);
    table.check(item);
    return item;
  };
  return { table, key, before, condition, after, touched: (image) => projected(update ? pathsOf(update) : [], image) };
}

/** Does a write if its condition holds. */
export function commit(
  write: Write,
  returning: SDK.ReturnValuesOnConditionCheckFailure | undefined,
  at: number,
): Item | undefined {
  const { table, key, before } = write;
  if (!holds(write.condition, before ?? {})) {
    refuse(
      'ConditionalCheckFailedException',
      'The conditional request failed',
      returning === 'ALL_OLD' && before ? { Item: before } : {},
    );
  }
  const after = write.after();
  table.write(key, after, at);
  return after;
}

/** The attributes that a single write answers with. */
export function attributes(
  write: Write,
  after: Item | undefined,
  wanted: SDK.ReturnValue | undefined,
): { Attributes?: Record<string, SDK.AttributeValue> } {
  const shown = {
    NONE: undefined,
    ALL_OLD: write.before,
    ALL_NEW: after,
    UPDATED_OLD: write.before && write.touched(write.before),
    UPDATED_NEW: after && write.touched(after),
  }[wanted ?? 'NONE'];
  return shown && Object.keys(shown).length > 0 ? { Attributes: shown } : {};
}
