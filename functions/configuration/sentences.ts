import type { z } from 'zod';
import { nearest } from './nearest.ts';

/** What is wrong, and where: the path of keys down to it. `key`: the key itself is wrong, not its value. */
export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly of: 'key' | 'value';
  readonly sentence: string;
}

/** How to write what is missing or of the wrong type. */
const EXAMPLES: Readonly<Record<string, string>> = {
  account: 'account: "111122223333"',
  region: 'region: us-east-1',
  cluster: 'cluster: shop',
  namespaces: 'namespaces: [shop]',
  resources: 'resources: { tags: { app: shop } }',
  tags: 'tags: { app: shop }',
  arns: 'arns: ["arn:aws:dynamodb:us-east-1:111122223333:table/carts"]',
  freeze: 'freeze: { function: shop-freeze, leaseSeconds: 20 }',
  function: 'function: shop-freeze',
  leaseSeconds: 'leaseSeconds: 20',
  applications: 'applications: [shop]',
  schedule: 'schedule: cron(0 * * * ? *)',
  timezone: 'timezone: Europe/Berlin',
  on: 'on: [codepipeline-started]',
  vaults: 'vaults: [west]',
  keep: 'keep: { hourly: 24, daily: 14 }',
  maxSkew: 'maxSkew: 5s',
  materialise: 'materialise: monthly',
  snapshot: 'snapshot: daily',
  export: 'export: true',
  rpo: 'rpo: 90m',
  rto: 'rto: 4h',
  lock: 'lock: { mode: compliance, days: 14 }',
  mode: 'mode: compliance',
  days: 'days: 14',
  target: 'target: { cluster: shop-standby }',
};

const SECTIONS: Readonly<Record<string, string>> = {
  applications: 'applications: { shop: { account: "111122223333", region: us-east-1, … } }',
  policies: 'policies: { hourly: { applications: [shop], … } }',
  vaults: 'vaults: { west: { account: "111122223333", region: eu-west-1 } }',
};

const KIND_OF_VALUE: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list in [ ]',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

type Issue = z.core.$ZodIssue;

/** Says in one sentence what a schema found; `source` answers how the value at a path is written in the file. */
export function problemsOf(
  issues: readonly Issue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
  valueAt: (path: readonly PropertyKey[]) => unknown,
  source: (path: readonly PropertyKey[]) => string,
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const { path } = issue;
    const name = named(path);
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => ({ path: [...path, key], of: 'key', sentence: unknownKey([...path, key], keysAt(path)) }));
      case 'invalid_key':
        return [{ path, of: 'key', sentence: `"${String(path.at(-1))}" (${name}) ${issue.issues[0]?.message ?? 'is no name'}.` }];
      case 'invalid_type':
        return [{ path, of: 'value', sentence: wrongType(path, issue.expected, valueAt(path), source(path)) }];
      case 'invalid_value': {
        const words = issue.values.map(String);
        const meant = nearest(String(valueAt(path)), words);
        const missing = valueAt(path) === undefined;
        return [
          {
            path,
            of: 'value',
            sentence: missing
              ? `${named(path)} is missing; it must be ${either(words)}.`
              : `${name} is ${quoted(valueAt(path))} and must be ${either(words)}${meant ? `; did you mean ${meant}?` : '.'}`,
          },
        ];
      }
      default:
        return [{ path, of: 'value', sentence: `${name} ${complaint(valueAt(path), issue.message)}.`.replace(/\?\.$/, '?') }];
    }
  });
}

/** `applications.shop.region`, as a person would point at it. */
export const named = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? 'the file'
    : path
        .map((part) => (typeof part === 'number' ? `[${part}]` : String(part)))
        .join('.')
        .replaceAll('.[', '[');

export const quoted = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : JSON.stringify(value));

const either = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

function unknownKey(path: readonly PropertyKey[], known: readonly string[]): string {
  const key = String(path.at(-1));
  const meant = nearest(key, known);
  return `${named(path)} is not a key that is known here; ${meant ? `did you mean ${meant}?` : `known are ${either(known)}.`}`;
}

function wrongType(path: readonly PropertyKey[], expected: string, value: unknown, source: string): string {
  const key = [...path].reverse().find((part) => typeof part === 'string') ?? '';
  const example = path.length === 1 ? SECTIONS[String(key)] : EXAMPLES[String(key)];
  const fix = example ? `; write it such as ${example}` : '';
  if (value === undefined) return `${named(path)} is missing${fix || `; it must be ${KIND_OF_VALUE[expected] ?? expected}`}.`;
  if (value === null) return `${named(path)} is empty${fix || `; it must be ${KIND_OF_VALUE[expected] ?? expected}`}.`;
  if (expected === 'string' && typeof value !== 'object' && (!example || key === 'account')) {
    return `${named(path)} is ${typeof value === 'number' ? 'a number' : `the word ${source}`} here and must be text; put it in quotes: "${source}".`;
  }
  return `${named(path)} is ${what(value)} and must be ${KIND_OF_VALUE[expected] ?? expected}${fix}.`;
}

function what(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return `${typeof value === 'string' ? 'the text ' : ''}${quoted(value)}`;
}

/** Messages of the schema begin with a verb; the value goes before it where it is short enough to help. */
function complaint(value: unknown, message: string): string {
  if (typeof value === 'object' || value === undefined) return message;
  if (message.startsWith('is ')) return `${quoted(value)} ${message}`;
  return message.startsWith('must ') ? `is ${quoted(value)} and ${message}` : `is ${quoted(value)}, which ${message}`;
}
