import { validation } from './refusals.ts';

/** Sign, digits and exponent, so that 38 digits compare and add without loss (DynamoDB guide, "Data types: Number"). */
interface Decimal {
  /** Without trailing zeroes, so that their count is the number's precision. */
  readonly units: bigint;
  /** The value is units × 10^scale. */
  readonly scale: number;
}

const NUMBER = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,6}))?$/;
const PRECISION = 38;
/** The greatest magnitude is just below 10^126, the smallest 10^-130. */
const GREATEST = 126;
const SMALLEST = -130;

function decimal(text: string): Decimal {
  const match = NUMBER.exec(text.trim());
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (!match || whole + fraction === '') return validation('The parameter cannot be converted to a numeric value: ' + text);
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return { units: 0n, scale: 0 };
  return inRange({ units: BigInt(sign + kept), scale: Number(exponent) - fraction.length + digits.length - kept.length });
}

function inRange(number: Decimal): Decimal {
  const digits = digitsOf(number.units).length;
  if (digits > PRECISION) validation('Attempting to store more than 38 significant digits in a Number');
  const magnitude = digits + number.scale;
  if (magnitude > GREATEST)
    validation('Number overflow. Attempting to store a number with magnitude larger than supported range');
  if (magnitude <= SMALLEST)
    validation('Number underflow. Attempting to store a number with magnitude smaller than supported range');
  return number;
}

const digitsOf = (units: bigint): string => (units < 0n ? -units : units).toString();

const aligned = (a: Decimal, b: Decimal): [bigint, bigint, number] => {
  const scale = Math.min(a.scale, b.scale);
  return [a.units * 10n ** BigInt(a.scale - scale), b.units * 10n ** BigInt(b.scale - scale), scale];
};

const SMALL = /^(?:0|-?[1-9]\d{0,14})$/;

export function compareNumbers(a: string, b: string): number {
  if (SMALL.test(a) && SMALL.test(b)) return Number(a) - Number(b);
  const [x, y] = aligned(decimal(a), decimal(b));
  return x < y ? -1 : x > y ? 1 : 0;
}

export function addNumbers(a: string, b: string, sign: 1 | -1 = 1): string {
  const [x, y, scale] = aligned(decimal(a), decimal(b));
  const sum = sign === 1 ? x + y : x - y;
  return normalise(`${sum}e${scale}`);
}

/** Without superfluous zeroes and without an exponent, as DynamoDB gives numbers back. */
export function normalise(text: string): string {
  if (SMALL.test(text)) return text;
  const { units, scale } = decimal(text);
  const digits = digitsOf(units);
  const sign = units < 0n ? '-' : '';
  if (scale >= 0) return sign + digits + '0'.repeat(scale);
  const point = digits.length + scale;
  return point > 0 ? `${sign}${digits.slice(0, point)}.${digits.slice(point)}` : `${sign}0.${'0'.repeat(-point)}${digits}`;
}
