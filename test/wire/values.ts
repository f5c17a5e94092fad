import fc, { type Arbitrary } from 'fast-check';
import { membersOf, requiredOf, type Shape, traitsOf } from '../../local/wire/schema.ts';
import { HTTP_DATE } from '../../local/wire/text.ts';

/** Where a value travels, as far as it decides what can travel there. */
type Where = 'body' | 'header' | 'label' | 'status';

export interface Taste {
  /** Members that a client or its middleware fills in or judges by itself, so that no value is free. */
  readonly without: (name: string) => boolean;
  /** Values that must have a form of their own, such as a bucket's name. */
  readonly fixed: Readonly<Record<string, Arbitrary<unknown>>>;
  /** Whether an empty list can be told from none. */
  readonly emptyLists: boolean;
}

/** Deep enough for lists of structures in structures; a schema may go round in circles. */
const DEPTH = 5;

/** Values of a structure: what is required is there, of the rest some. */
export function valuesOf(shape: Shape, taste: Taste, depth = DEPTH): Arbitrary<Record<string, unknown>> {
  const members = membersOf(shape).filter(([name]) => !taste.without(name));
  const required = requiredOf(shape);
  const shown = members.filter(([name, member]) => depth > 0 || required.includes(name) || isShallow(member, shape));
  const values = Object.fromEntries(
    shown.map(([name, member]) => [
      name,
      (member.isStringSchema() && taste.fixed[name]) || oneOf(member, taste, depth - 1, whereIs(member)),
    ]),
  );
  if (shape.isUnionSchema())
    return fc.oneof(...Object.entries(values).map(([name, value]) => value.map((one) => ({ [name]: one }))));
  const always = shown.filter(([name, member]) => required.includes(name) || isNeverAbsent(member));
  return fc.record(values, { requiredKeys: always.map(([name]) => name) });
}

/** A token that is not given is made up by the client, a stream is at least empty, S3 always sends its payloads, and a status is never absent. */
const isNeverAbsent = (member: Shape): boolean => {
  const { httpPayload, httpResponseCode } = traitsOf(member);
  return member.isIdempotencyToken() || member.isStreaming() || Boolean(httpPayload || httpResponseCode);
};

function oneOf(shape: Shape, taste: Taste, depth: number, where: Where): Arbitrary<unknown> {
  if (shape.isStructSchema()) return valuesOf(shape, taste, depth);
  if (shape.isListSchema()) return listOf(shape, taste, depth, where);
  if (shape.isMapSchema()) return mapOf(shape, taste, depth, where);
  if (shape.isTimestampSchema()) return timestamps(shape, where);
  if (shape.isBooleanSchema()) return fc.boolean();
  if (shape.isNumericSchema())
    return where === 'status' ? fc.constantFrom(200, 202) : fc.integer({ min: -1_000_000, max: 2 ** 40 });
  if (shape.isBlobSchema()) return fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => new Uint8Array(bytes));
  if (shape.isDocumentSchema()) return fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.oneof(fc.integer(), fc.boolean()));
  return traitsOf(shape).mediaType === 'application/json' ? fc.constantFrom('{"a":[1,"é"]}', '[]') : strings(where);
}

function listOf(shape: Shape, taste: Taste, depth: number, where: Where): Arbitrary<unknown> {
  const item = shape.getValueSchema() as Shape;
  if (depth < 0 && !isSimple(item))
    return taste.emptyLists ? fc.constant([]) : fc.array(oneOf(item, taste, depth, where), { minLength: 1, maxLength: 1 });
  return fc.array(oneOf(item, taste, depth, where), { minLength: taste.emptyLists ? 0 : 1, maxLength: 3 });
}

function mapOf(shape: Shape, taste: Taste, depth: number, where: Where): Arbitrary<unknown> {
  const value = shape.getValueSchema() as Shape;
  const keys =
    where === 'header' ? fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/) : fc.oneof(KEYS, fc.constantFrom('a b', '<&>', 'é'));
  const maxKeys = depth < 0 && !isSimple(value) ? 0 : 3;
  return fc.dictionary(keys, oneOf(value, taste, depth, where), {
    minKeys: Math.min(maxKeys, taste.emptyLists ? 0 : 1),
    maxKeys,
  });
}

function timestamps(shape: Shape, where: Where): Arbitrary<Date> {
  const whole = where === 'header' || shape.getSchema() === HTTP_DATE;
  const milliseconds = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2090, 0, 1) });
  return milliseconds.map((at) => new Date(whole ? Math.floor(at / 1000) * 1000 : at));
}

const KEYS = fc.stringMatching(/^[A-Za-z0-9:_-]{1,9}$/);
/** What needs escaping somewhere: in XML, in forms, in JSON, in paths. */
const AWKWARD = [
  'a&b',
  '<tag/>',
  'x="1"',
  "it's",
  '100%',
  'a+b',
  'a=b&c=d',
  'line\nbreak',
  'tab\there',
  'ümläut',
  '日本語',
  '😀',
  '#?;,/',
  'null',
  'true',
  '007',
  '1e3',
];
const VISIBLE = fc.stringMatching(/^[!-+.-~](?:[ -+.-~]{0,12}[!-+.-~])?$/);

function strings(where: Where): Arbitrary<string> {
  if (where === 'header') return VISIBLE;
  if (where === 'label') return fc.oneof(KEYS, fc.constantFrom('a b', 'a+b', 'arn:aws:x:y/z', 'ümläut', '50%'));
  return fc.oneof(KEYS, fc.constantFrom(...AWKWARD), VISIBLE);
}

function whereIs(member: Shape): Where {
  const { httpLabel, httpHeader, httpPrefixHeaders, httpResponseCode } = traitsOf(member);
  if (httpResponseCode) return 'status';
  if (httpLabel) return 'label';
  return httpHeader || httpPrefixHeaders !== undefined ? 'header' : 'body';
}

const isSimple = (shape: Shape): boolean => !shape.isStructSchema() && !shape.isListSchema() && !shape.isMapSchema();

/** A union is one of its members, so where no deeper ones are wanted, its lists of simple things must do. */
const isShallow = (member: Shape, of: Shape): boolean =>
  isSimple(member) || (of.isUnionSchema() && member.isListSchema() && isSimple(member.getValueSchema() as Shape));

/** Without what has nothing in it: neither a form nor XML can tell an empty structure from none. */
export function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned).filter((one) => !isEmpty(one));
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  const kept = Object.entries(value)
    .map(([key, one]) => [key, pruned(one)] as const)
    .filter(([, one]) => one !== undefined && one !== null && !isEmpty(one));
  return Object.fromEntries(kept);
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Date) &&
  !(value instanceof Uint8Array) &&
  Object.keys(value as object).length === 0;
