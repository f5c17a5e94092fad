import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { compareText } from '../utf8.ts';
import { compareNumbers, normalise } from './number.ts';
import { invalidValue, validation } from './refusals.ts';

export type Value = AttributeValue;
export type Item = Readonly<Record<string, Value>>;
export type ScalarType = 'S' | 'N' | 'B';

/** The member that a value bears: `S`, `N`, `L`, … */
export const typeOf = (value: Value): string => {
  for (const type in value) if ((value as unknown as Record<string, unknown>)[type] !== undefined) return type;
  return '?';
};

/** The order of two values of one scalar type; undefined where they have none. */
export function compare(a: Value, b: Value): number | undefined {
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.S !== undefined && b.S !== undefined) return compareText(a.S, b.S);
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(a.B, b.B);
  return undefined;
}

export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined || typeOf(a) !== typeOf(b)) return false;
  if (a.S !== undefined) return a.S === b.S;
  if (a.BOOL !== undefined) return a.BOOL === b.BOOL;
  if (a.NULL !== undefined) return true;
  if (a.L && b.L) return a.L.length === b.L.length && a.L.every((value, i) => equal(value, b.L?.[i]));
  if (a.M && b.M) {
    const other = b.M;
    const names = Object.keys(a.M);
    return names.length === Object.keys(other).length && names.every((name) => equal(member(a.M, name), member(other, name)));
  }
  if (a.N !== undefined || a.B !== undefined) return compare(a, b) === 0;
  const [mine, others] = [elements(a), new Set(elements(b))];
  return mine.length === others.size && mine.every((element) => others.has(element));
}

/** A member of a map that is its own, whatever it is called. */
export const member = (map: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  map && Object.hasOwn(map, name) ? map[name] : undefined;

/** A set as its elements in canonical text, so that membership can be asked. */
export const elements = ({ SS, NS, BS }: Value): string[] => SS ?? NS?.map(normalise) ?? BS?.map(base64) ?? [];
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** A key attribute as text under which items are found; its type is part of it. */
export function keyText(value: Value | undefined): string {
  if (value?.S !== undefined) return `S${value.S}`;
  if (value?.N !== undefined) return `N${normalise(value.N)}`;
  if (value?.B !== undefined) return `B${base64(value.B)}`;
  return validation('The provided key element does not match the schema');
}

const DEEPEST = 32;

/** A value as it is stored; refuses what DynamoDB would not store (API reference, AttributeValue). */
export function stored(value: Value, depth = 1): Value {
  if (depth > DEEPEST) validation('Nesting Levels have exceeded supported limits');
  if (Object.values(value).filter((part) => part !== undefined).length !== 1) {
    validation(
      'Supplied AttributeValue is empty or has more than one datatypes set, must contain exactly one of the supported datatypes',
    );
  }
  if (value.N !== undefined) return { N: normalise(value.N) };
  if (value.L) return { L: value.L.map((inner) => stored(inner, depth + 1)) };
  if (value.M) return { M: storedItem(value.M, depth + 1) };
  if (value.NULL === false) invalidValue('Null attribute value types must have the value of true');
  if (value.SS ?? value.NS ?? value.BS) return storedSet(value);
  return value;
}

export const storedItem = (item: Item, depth = 1): Record<string, Value> =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, stored(value, depth)]));

const SETS: Readonly<Record<string, string>> = { SS: 'string', NS: 'number', BS: 'binary' };

function storedSet(set: Value): Value {
  const kept = elements(set);
  if (kept.length === 0) invalidValue(`An ${SETS[typeOf(set)]} set  may not be empty`);
  if (new Set(kept).size < kept.length) invalidValue(`Input collection [${kept.join(', ')}] contains duplicates.`);
  return set.NS ? { NS: kept } : set;
}

/** About how many bytes an item takes (DynamoDB guide, "Item sizes and formats"). */
export function sizeOf(item: Item): number {
  let size = 0;
  for (const name in item) size += Buffer.byteLength(name) + sizeOfValue(item[name] as Value);
  return size;
}

function sizeOfValue(value: Value): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.B !== undefined) return value.B.length;
  if (value.M) return 3 + sizeOf(value.M) + Object.keys(value.M).length;
  if (value.L) return 3 + value.L.reduce((sum, inner) => sum + 1 + sizeOfValue(inner), 0);
  if (value.NS) return value.NS.reduce((sum, number) => sum + Math.ceil(number.length / 2) + 1, 0);
  if (value.BS) return value.BS.reduce((sum, bytes) => sum + bytes.length, 0);
  return value.SS ? value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0) : 1;
}
