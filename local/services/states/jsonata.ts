import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Random } from '../../world/random.ts';
import { EvaluationError } from './errors.ts';

/** What an expression can see: `$states` and the variables in scope. */
export type Bindings = Readonly<Record<string, unknown>>;

const compiled = new Map<string, jsonata.Expression>();

/** An expression is a whole string between `{%` and `%}` (Step Functions guide, "Transforming data with JSONata"). */
export const expressionIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? /^\{%([\s\S]*)%\}$/.exec(value)?.[1]?.trim() : undefined;

export function compile(expression: string): jsonata.Expression {
  let known = compiled.get(expression);
  if (!known) {
    known = jsonata(expression);
    compiled.set(expression, known);
  }
  return known;
}

/** The functions that Step Functions adds to JSONata (same page, "Functions provided by Step Functions"). */
const added = (random: Random) => ({
  partition: (array: unknown[], size: number) => {
    const parts: unknown[][] = [];
    for (let i = 0; i < array.length; i += size) parts.push(array.slice(i, i + size));
    return parts;
  },
  range: (from: number, to: number, by: number) => {
    const numbers: number[] = [];
    for (let n = from; by > 0 ? n <= to : n >= to; n += by) numbers.push(n);
    return Object.defineProperty(numbers, 'sequence', { value: true }); // as all of JSONata's, it is one value where it holds one
  },
  hash: (value: unknown, algorithm: string) =>
    createHash(algorithm.replace('-', '').toLowerCase())
      .update(typeof value === 'string' ? value : JSON.stringify(value))
      .digest('hex'),
  random: (seed?: number) => (seed === undefined ? random : random.stream(String(seed))).next(),
  uuid: () => random.uuid(),
  parse: (value: string) => JSON.parse(value) as unknown,
});

/** Evaluates a template: every expression in it, at any depth, becomes its value; all else is literal. `field` names it in errors. */
export async function evaluate(template: unknown, field: string, bindings: Bindings, random: Random): Promise<unknown> {
  const expression = expressionIn(template);
  if (expression !== undefined) return run(expression, field, bindings, random);
  if (Array.isArray(template)) {
    const values: unknown[] = [];
    for (const [i, item] of template.entries()) values.push(await evaluate(item, `${field}[${i}]`, bindings, random));
    return values;
  }
  if (typeof template === 'object' && template !== null) {
    const values: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(template)) values[key] = await evaluate(item, `${field}/${key}`, bindings, random);
    return values;
  }
  return template;
}

async function run(expression: string, field: string, bindings: Bindings, random: Random): Promise<unknown> {
  let value: unknown;
  try {
    value = await compile(expression).evaluate(undefined, { ...added(random), ...bindings });
  } catch (error) {
    const { code, message } = error as { code?: string; message?: string };
    throw new EvaluationError(
      `The JSONata expression '${expression}' specified for the field '${field}' threw an error during evaluation. ${[code, message].filter(Boolean).join(': ')}`,
      field,
    );
  }
  if (value === undefined) {
    throw new EvaluationError(
      `The JSONata expression '${expression}' specified for the field '${field}' returned nothing (undefined).`,
      field,
    );
  }
  if (typeof value === 'function' || (typeof value === 'object' && value !== null && '_jsonata_lambda' in value)) {
    throw new EvaluationError(
      `The JSONata expression '${expression}' specified for the field '${field}' returned a function.`,
      field,
    );
  }
  return JSON.parse(JSON.stringify(value)) as unknown;
}

export const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value);

/** Refuses a value of another type in the sentence that AWS uses for it. */
export function expectType(value: unknown, expected: string, template: unknown, field: string): void {
  const actual = typeOf(value);
  if (actual === expected) return;
  const expression = expressionIn(template);
  const subject =
    expression === undefined
      ? `The field '${field}'`
      : `The JSONata expression '${expression}' specified for the field '${field}'`;
  throw new EvaluationError(
    `${subject} returned an unexpected result type. Expected '${expected}', but was '${actual}' for value: ${JSON.stringify(value)}`,
    field,
  );
}

/** Seconds are whole and not negative, and AWS takes no more than these (Step Functions guide, "Wait workflow state"). */
export function expectSeconds(value: unknown, template: unknown, field: string): number {
  expectType(value, 'number', template, field);
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_SECONDS) return value as number;
  throw new EvaluationError(
    `The field '${field}' must be a whole number from 0 to ${MAX_SECONDS}, but was ${JSON.stringify(value)}`,
    field,
  );
}
const MAX_SECONDS = 99_999_999;
