import { bytesOf, type HttpRequest, type HttpResponse, textOf } from './message.ts';
import type { Problem } from './problem.ts';
import type { Protocol } from './protocols.ts';
import { membersOf, type Operation, type Shape, traitsOf } from './schema.ts';
import { base64, dateFromJson, dateToJson } from './text.ts';

/** Whether members go by their `jsonName` (restJson1) or by their own (AWS JSON). */
export type Names = 'jsonName' | 'member';

const keyOf = (name: string, member: Shape, names: Names): string =>
  names === 'jsonName' ? (traitsOf(member).jsonName ?? name) : name;

/** A value of a shape out of parsed JSON. What is null or absent is absent; only sparse lists and maps keep a null. */
export function fromJson(shape: Shape, json: unknown, names: Names): unknown {
  if (json === null || json === undefined || shape.isDocumentSchema()) return json;
  if (shape.isStructSchema()) return structFromJson(shape, json as Record<string, unknown>, names);
  if (shape.isListSchema()) return (json as unknown[]).map((item) => fromJson(shape.getValueSchema() as Shape, item, names));
  if (shape.isMapSchema()) return mapValues(json as object, (value) => fromJson(shape.getValueSchema() as Shape, value, names));
  if (shape.isTimestampSchema()) return dateFromJson(shape, json);
  if (shape.isBlobSchema()) return new Uint8Array(Buffer.from(json as string, 'base64'));
  if (shape.isNumericSchema()) return Number(json); // "NaN" and "Infinity" travel as text
  if (shape.isBigIntegerSchema()) return BigInt(json as string);
  return json;
}

function structFromJson(shape: Shape, json: Record<string, unknown>, names: Names): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, member] of membersOf(shape)) {
    const found = json[keyOf(name, member, names)];
    if (found !== null && found !== undefined) value[name] = fromJson(member, found, names);
  }
  return value;
}

/** A value of a shape as what `JSON.stringify` takes. */
export function toJson(shape: Shape, value: unknown, names: Names): unknown {
  if (value === null || value === undefined || shape.isDocumentSchema()) return value;
  if (shape.isStructSchema()) return structToJson(membersOf(shape), value as Record<string, unknown>, names);
  if (shape.isListSchema())
    return (value as unknown[]).map((item) => toJson(shape.getValueSchema() as Shape, item, names) ?? null);
  if (shape.isMapSchema())
    return mapValues(value as object, (item) => toJson(shape.getValueSchema() as Shape, item, names) ?? null);
  if (shape.isTimestampSchema()) return dateToJson(shape, value as Date);
  if (shape.isBlobSchema()) return base64(value as Uint8Array);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  return typeof value === 'bigint' ? Number(value) : value;
}

export function structToJson(
  members: readonly (readonly [string, Shape])[],
  value: Readonly<Record<string, unknown>>,
  names: Names,
): Record<string, unknown> {
  const json: Record<string, unknown> = {};
  for (const [name, member] of members) {
    if (value[name] !== undefined && value[name] !== null) json[keyOf(name, member, names)] = toJson(member, value[name], names);
  }
  return json;
}

/** `__proto__` is a key like any other here, so the copy is made of entries. */
const mapValues = (map: object, change: (value: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

/** The body of an error in both JSON protocols. Where a model spells `Message`, so does the body. */
export function errorToJson({ name, message, shape, fields }: Problem, names: Names): string {
  const members = shape ? membersOf(shape) : [];
  const spelled = members.find(([member]) => member.toLowerCase() === 'message')?.[0] ?? 'message';
  return JSON.stringify({ __type: name, ...structToJson(members, fields, names), [spelled]: message });
}

/** Query-compatible services repeat the code that the query protocol would give (Smithy, "AWS query compatible"). */
export const queryErrorHeader = ({ queryCompatible, code, type }: Problem): Record<string, string> =>
  queryCompatible ? { 'x-amzn-query-error': `${code};${type}` } : {};

/** AWS JSON 1.0 and 1.1: everything in one JSON body, the operation in `X-Amz-Target` (Smithy, "AWS JSON protocol"). */
export function awsJson(version: '1.0' | '1.1'): Protocol {
  const type = { 'content-type': `application/x-amz-json-${version}` };
  return {
    decode: ({ input }: Operation, { body }: HttpRequest) =>
      (fromJson(input, JSON.parse(textOf(body) || '{}'), 'member') ?? {}) as Record<string, unknown>,
    encode: ({ output }: Operation, value): HttpResponse => ({
      status: 200,
      headers: type,
      body: bytesOf(JSON.stringify(structToJson(membersOf(output), value, 'member'))),
    }),
    refuse: (problem): HttpResponse => ({
      status: problem.status,
      headers: { ...type, 'x-amzn-errortype': problem.name, ...queryErrorHeader(problem) },
      body: bytesOf(errorToJson(problem, 'member')),
    }),
  };
}
