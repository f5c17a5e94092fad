import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { refuse } from '../../world/service.ts';

export type Item = Readonly<Record<string, AttributeValue>>;
export type Value = AttributeValue;

export const validation = (message: string): never => refuse('ValidationException', message);

export const typeOf = (value: Value): string =>
  Object.keys(value).find((key) => (value as unknown as Record<string, unknown>)[key] !== undefined) ?? '?';

/** A number of DynamoDB: sign, digits and exponent, so that 38 digits compare and add without loss (DynamoDB guide, "Data types"). */
interface Decimal {
  readonly units: bigint;
  /** The value is units × 10^scale. */
  readonly scale: number;
}

function decimal(text: string): Decimal {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text.trim());
  const [, sign, whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (!match || whole + fraction === '') return validation('The parameter cannot be converted to a numeric value');
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  if (digits.replace(/0+$/, '').length > 38) validation('Attempting to store more than 38 significant digits in a Number');
  return { units: BigInt(sign + digits), scale: Number(exponent) - fraction.length };
}

const aligned = (a: Decimal, b: Decimal): [bigint, bigint, number] => {
  const scale = Math.min(a.scale, b.scale);
  return [a.units * 10n ** BigInt(a.scale - scale), b.units * 10n ** BigInt(b.scale - scale), scale];
};

export function compareNumbers(a: string, b: string): number {
  const [x, y] = aligned(decimal(a), decimal(b));
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addNumbers(a: string, b: string, sign: 1 | -1 = 1): string {
  const [x, y, scale] = aligned(decimal(a), decimal(b));
  return write({ units: sign === 1 ? x + y : x - y, scale });
}

/** Without superfluous zeroes, as DynamoDB gives numbers back. */
export const normalise = (text: string): string => write(decimal(text));

function write({ units, scale }: Decimal): string {
  if (units === 0n) return '0';
  const negative = units < 0n;
  let digits = (negative ? -units : units).toString();
  let at = scale;
  while (digits.endsWith('0')) {
    digits = digits.slice(0, -1);
    at++;
  }
  const sign = negative ? '-' : '';
  if (at >= 0) return sign + digits + '0'.repeat(at);
  const point = digits.length + at;
  return point > 0 ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}` : `${sign}0.${'0'.repeat(-point)}${digits}`;
}

/** The order of two values of one type; undefined where they have none. */
export function compare(a: Value, b: Value): number | undefined {
  if (a.N !== undefined && b.N !== undefined) return compareNumbers(a.N, b.N);
  if (a.S !== undefined && b.S !== undefined) return Buffer.compare(Buffer.from(a.S), Buffer.from(b.S));
  if (a.B !== undefined && b.B !== undefined) return Buffer.compare(Buffer.from(a.B), Buffer.from(b.B));
  return undefined;
}

export function equal(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined || typeOf(a) !== typeOf(b)) return false;
  if (a.N !== undefined) return compareNumbers(a.N, b.N as string) === 0;
  if (a.L) return a.L.length === b.L!.length && a.L.every((value, i) => equal(value, b.L![i]));
  if (a.M)
    return (
      Object.keys(a.M).length === Object.keys(b.M!).length && Object.entries(a.M).every(([key, value]) => equal(value, b.M![key]))
    );
  if (a.SS || a.NS || a.BS) return a.SS || a.NS ? sameSet(elements(a), elements(b)) : sameSet(elements(a), elements(b));
  return compare(a, b) === 0 || (a.BOOL !== undefined && a.BOOL === b.BOOL) || a.NULL === true;
}

/** A set as its elements in canonical text, so that membership can be asked. */
export const elements = ({ SS, NS, BS }: Value): string[] =>
  SS ?? NS?.map(normalise) ?? BS?.map((bytes) => Buffer.from(bytes).toString('base64')) ?? [];
const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((element) => b.includes(element));

/** A key attribute in text by which items are found; the type is part of it. */
export const keyText = (value: Value | undefined): string => {
  if (value?.S !== undefined) return `S${value.S}`;
  if (value?.N !== undefined) return `N${normalise(value.N)}`;
  if (value?.B !== undefined) return `B${Buffer.from(value.B).toString('base64')}`;
  return validation('One or more parameter values are not valid. A key attribute must be of type S, N or B.');
};

/** Numbers as they are stored; refuses what DynamoDB would not store. */
export function stored(value: Value): Value {
  if (value.N !== undefined) return { N: normalise(value.N) };
  if (value.L) return { L: value.L.map(stored) };
  if (value.M) return { M: Object.fromEntries(Object.entries(value.M).map(([key, inner]) => [key, stored(inner)])) };
  for (const set of [value.SS, value.NS, value.BS]) {
    if (set?.length === 0) validation('One or more parameter values were invalid: An number set  may not be empty');
  }
  if (value.NS) return { NS: value.NS.map(normalise) };
  if (Object.keys(value).length !== 1)
    validation('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
  return value;
}

/** About how many bytes an item takes (DynamoDB guide, "Item sizes and formats"). */
export function sizeOf(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOfValue(value), 0);
}

function sizeOfValue(value: Value): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.B !== undefined) return value.B.length;
  if (value.N !== undefined) return Math.ceil(value.N.length / 2) + 1;
  if (value.M) return 3 + sizeOf(value.M) + Object.keys(value.M).length;
  if (value.L) return 3 + value.L.reduce((sum, inner) => sum + 1 + sizeOfValue(inner), 0);
  return elements(value).reduce((sum, element) => sum + element.length, 1);
}
