import type { Shape } from './schema.ts';

/** Smithy's formats of a timestamp, numbered as the SDK's schemas number them; a shape without one takes its protocol's. */
export const DATE_TIME = 5;
export const HTTP_DATE = 6;
export const EPOCH_SECONDS = 7;

const formatOf = (shape: Shape, otherwise: number): number => {
  const schema = shape.getSchema();
  return typeof schema === 'number' && schema >= DATE_TIME && schema <= EPOCH_SECONDS ? schema : otherwise;
};

/** A simple value as its text says, in headers, labels, queries and XML. */
export function fromText(shape: Shape, text: string, timestamps: number): unknown {
  if (shape.isTimestampSchema()) return dateIn(text, formatOf(shape, timestamps));
  if (shape.isBooleanSchema()) return text === 'true';
  if (shape.isNumericSchema()) return Number(text);
  if (shape.isBigIntegerSchema()) return BigInt(text);
  if (shape.isBlobSchema()) return new Uint8Array(Buffer.from(text, 'base64'));
  return text;
}

export function toText(shape: Shape, value: unknown, timestamps: number): string {
  if (shape.isTimestampSchema()) return dateOut(value as Date, formatOf(shape, timestamps));
  if (shape.isBlobSchema()) return base64(value as Uint8Array | string);
  return String(value);
}

/** A timestamp in JSON: a number unless the shape asks for text. */
export function dateToJson(shape: Shape, value: Date): number | string {
  const format = formatOf(shape, EPOCH_SECONDS);
  return format === EPOCH_SECONDS ? value.getTime() / 1000 : dateOut(value, format);
}

export const dateFromJson = (shape: Shape, value: unknown): Date => dateIn(String(value), formatOf(shape, EPOCH_SECONDS));

export const base64 = (value: Uint8Array | string): string => Buffer.from(value as Uint8Array).toString('base64');

function dateIn(text: string, format: number): Date {
  const date = format === EPOCH_SECONDS ? new Date(Math.round(Number(text) * 1000)) : new Date(text);
  if (Number.isNaN(date.getTime())) throw new RangeError(`"${text}" is not a timestamp.`);
  return date;
}

function dateOut(date: Date, format: number): string {
  if (format === HTTP_DATE) return date.toUTCString();
  if (format === EPOCH_SECONDS) return String(date.getTime() / 1000);
  return date.toISOString().replace('.000Z', 'Z');
}
