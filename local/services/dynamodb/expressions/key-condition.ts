import { type Index, keyNames } from '../indexes.ts';
import { invalidValue, validation } from '../refusals.ts';
import type { Table } from '../table.ts';
import { type Item, typeOf, type Value } from '../value.ts';
import { begins, compared } from './condition.ts';
import type { Condition, Operand } from './parser.ts';
import { at } from './path.ts';

/** What a query asks for: one hash key, and of its items those whose range key is so. */
export interface KeyCondition {
  readonly hash: Value;
  readonly meets: (item: Item) => boolean;
}

interface Part {
  readonly name: string;
  readonly operator: string;
  readonly values: readonly Value[];
}

const RANGE: Readonly<Record<string, (key: Value, values: readonly Value[]) => boolean>> = {
  '=': (key, [value]) => compared('=', key, value),
  '<': (key, [value]) => compared('<', key, value),
  '<=': (key, [value]) => compared('<=', key, value),
  '>': (key, [value]) => compared('>', key, value),
  '>=': (key, [value]) => compared('>=', key, value),
  BETWEEN: (key, [low, high]) => compared('>=', key, low) && compared('<=', key, high),
  begins_with: (key, [prefix]) => begins(key, prefix),
};

/** An equality on the hash key and at most one condition on the range key (DynamoDB guide, "Key condition expressions"). */
export function keyConditionOf(condition: Condition | undefined, table: Table, index: Index): KeyCondition {
  const parts = condition ? partsOf(condition) : [];
  const { hash, range } = index.schema;
  const named = (name: string | undefined) => parts.filter((part) => part.name === name);
  const [first, second] = [named(hash), named(range)];
  if (first.length === 0) validation(`Query condition missed key schema element: ${hash}`);
  if (first.length > 1 || second.length > 1) validation('KeyConditionExpressions must only contain one condition per key');
  if (first[0]?.operator !== '=') validation('Query key condition not supported');
  const stranger = parts.find(({ name }) => !keyNames(index.schema).includes(name));
  if (stranger) validation(`Query condition missed key schema element: ${range ?? hash}`);
  for (const { name, values } of parts) {
    if (values.some((value) => typeOf(value) !== table.typeOf(name)))
      invalidValue('Condition parameter type does not match schema type');
  }
  const [on] = second;
  return {
    hash: first[0]?.values[0] as Value,
    meets: on ? (item) => RANGE[on.operator]?.(at(item, [on.name]) as Value, on.values) ?? false : () => true,
  };
}

const unsupported = (): never => validation('Invalid operator used in KeyConditionExpression');

function partsOf(condition: Condition): Part[] {
  switch (condition.is) {
    case 'and':
      return [...partsOf(condition.first), ...partsOf(condition.second)];
    case 'compare':
      return [compareWith(condition)];
    case 'between':
      return [{ name: nameIn(condition.of), operator: 'BETWEEN', values: [valueIn(condition.low), valueIn(condition.high)] }];
    case 'begins_with':
      return [{ name: nameIn(condition.first), operator: 'begins_with', values: [valueIn(condition.second)] }];
    default:
      return unsupported();
  }
}

const TURNED: Readonly<Record<string, string>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** The key may stand on either side. */
function compareWith({ operator, first, second }: Condition & { is: 'compare' }): Part {
  if (operator === '<>') unsupported();
  if (first.is === 'value') return { name: nameIn(second), operator: TURNED[operator] as string, values: [first.value] };
  return { name: nameIn(first), operator, values: [valueIn(second)] };
}

function nameIn(operand: Operand): string {
  if (operand.is !== 'path' || operand.path.length !== 1) return unsupported();
  return operand.path[0];
}

const valueIn = (operand: Operand): Value => (operand.is === 'value' ? operand.value : unsupported());

/** A filter comes after the key condition, so it may not speak of the keys (DynamoDB guide, "Filter expressions for the query operation"). */
export function refuseKeysIn(filter: Condition | undefined, { schema }: Index): void {
  const named = new Set(filter ? namesIn(filter) : []);
  const key = keyNames(schema).find((name) => named.has(name));
  if (key) validation(`Filter Expression can only contain non-primary key attributes: Primary key attribute: ${key}`);
}

/** Every top-level attribute that a part of an expression speaks of. */
function namesIn(part: unknown): string[] {
  if (Array.isArray(part)) return part.flatMap(namesIn);
  if (typeof part !== 'object' || part === null || (part as Operand).is === 'value') return [];
  const { path, ...others } = part as { path?: readonly [string] };
  return [...(path ? [path[0]] : []), ...Object.values(others).flatMap(namesIn)];
}
