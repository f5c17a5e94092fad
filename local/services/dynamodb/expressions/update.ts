import { addNumbers } from '../number.ts';
import { elements, type Item, stored, typeOf, type Value } from '../value.ts';
import { there, wrongType } from './condition.ts';
import type { Operand, Parser } from './parser.ts';
import { at, type Path, refuseOverlaps, without, withValue } from './path.ts';

/** What an update expression asks for, by clause. */
export interface Update {
  readonly set: readonly { readonly path: Path; readonly value: Operand }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: Value }[];
  readonly delete: readonly { readonly path: Path; readonly value: Value }[];
}

export function parseUpdate(parser: Parser): Update {
  const update = {
    set: [] as { path: Path; value: Operand }[],
    remove: [] as Path[],
    add: [] as { path: Path; value: Value }[],
    delete: [] as { path: Path; value: Value }[],
  };
  const clauses: Readonly<Record<string, () => unknown>> = {
    SET: () => update.set.push(assignment(parser)),
    REMOVE: () => update.remove.push(parser.path()),
    ADD: () => update.add.push({ path: parser.path(), value: setOrNumber(parser, 'ADD', ['N', 'SS', 'NS', 'BS']) }),
    DELETE: () => update.delete.push({ path: parser.path(), value: setOrNumber(parser, 'DELETE', ['SS', 'NS', 'BS']) }),
  };
  const seen = new Set<string>();
  while (!parser.done) {
    const clause = parser.word();
    const action = clauses[clause];
    if (!action) return parser.syntax();
    if (seen.has(clause)) parser.wrong(`The "${clause}" section can only be used once in an update expression;`);
    parser.take();
    seen.add(clause);
    do action();
    while (parser.skip(','));
  }
  refuseOverlaps(pathsOf(update), parser);
  return update;
}

/** Every path that an update touches. */
export const pathsOf = (update: Update): Path[] => [
  ...update.remove,
  ...[...update.set, ...update.add, ...update.delete].map(({ path }) => path),
];

function assignment(parser: Parser): { path: Path; value: Operand } {
  const path = parser.path();
  parser.take('=');
  const first = parser.operand();
  const sign = parser.skip('+') ? 1 : parser.skip('-') ? -1 : undefined;
  return { path, value: sign === undefined ? first : { is: 'sum', first, second: parser.operand(), sign } };
}

function setOrNumber(parser: Parser, operator: string, types: readonly string[]): Value {
  const value = parser.value();
  if (!types.includes(typeOf(value))) {
    const type = NAMES[typeOf(value)];
    parser.wrong(`Incorrect operand type for operator or function; operator: ${operator}, operand type: ${type}`);
  }
  return value;
}

/** How refusals call types. */
const NAMES: Readonly<Record<string, string>> = {
  S: 'STRING',
  N: 'NUMBER',
  B: 'BINARY',
  BOOL: 'BOOLEAN',
  NULL: 'NULL',
  L: 'LIST',
  M: 'MAP',
  SS: 'STRING_SET',
  NS: 'NUMBER_SET',
  BS: 'BINARY_SET',
};

/**
 * The item after an update. Every right side sees the item as it was before, and list indexes mean the list as it was (DynamoDB guide,
 * "Update expressions").
 */
export function updated(update: Update, before: Item): Item {
  let item = before;
  for (const { path, value } of update.set.toSorted((a, b) => lastIndex(a.path) - lastIndex(b.path)))
    item = withValue(item, path, stored(there(value, before), path.length));
  for (const { path, value } of update.add) item = withValue(item, path, added(at(before, path), stored(value)));
  for (const { path, value } of update.delete) {
    const present = at(before, path);
    const left = present && less(present, value);
    if (left) item = withValue(item, path, left);
    else if (present) item = without(item, path);
  }
  const inwardFirst = update.remove.toSorted((a, b) => b.length - a.length || lastIndex(b) - lastIndex(a));
  for (const path of inwardFirst) item = without(item, path);
  return item;
}

/** Where in a list a path ends: later elements are appended after earlier ones, and removed before them. */
const lastIndex = (path: Path): number => {
  const last = path.at(-1);
  return typeof last === 'number' ? last : -1;
};

function added(present: Value | undefined, value: Value): Value {
  if (value.N !== undefined) return { N: addNumbers(present ? (present.N ?? wrongType()) : '0', value.N) };
  if (!present) return value;
  if (typeOf(present) !== typeOf(value)) return wrongType();
  if (value.SS) return { SS: [...new Set([...(present.SS as string[]), ...value.SS])] };
  if (value.NS) return { NS: [...new Set([...(present.NS as string[]), ...value.NS])] };
  const known = new Set(elements(present));
  const news = (value.BS as Uint8Array[]).filter((bytes) => !known.has(Buffer.from(bytes).toString('base64')));
  return { BS: [...(present.BS as Uint8Array[]), ...news] };
}

/** A set without some elements; undefined where none is left, as no set may be empty. */
function less(present: Value, value: Value): Value | undefined {
  const type = typeOf(present) as 'SS' | 'NS' | 'BS';
  if (type !== typeOf(value)) return wrongType();
  const gone = new Set(elements(value));
  const names = elements(present);
  const left = (present[type] as readonly unknown[]).filter((_, i) => !gone.has(names[i] as string));
  return left.length > 0 ? ({ [type]: left } as unknown as Value) : undefined;
}
