import { refuse } from '../../../world/service.ts';

/** What a column holds: SQLite's storage classes. Integers are always `bigint`, so that none loses digits. */
export type Value = null | number | bigint | string | Uint8Array;

/** One statement with what it needs to give the same result whenever it is run again: its parameters, its time and its dice. */
export interface Statement {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, Value>>;
  /** What `now()` is, in milliseconds since the epoch. */
  readonly at: number;
  /** What `random()` and `gen_random_uuid()` begin with. */
  readonly seed: string;
}

/** What Data API clients may not say: transactions have calls of their own, and the rest reaches beyond the database. */
const FORBIDDEN =
  /^(begin|start|commit|end|rollback|savepoint|release|pragma|attach|detach|vacuum|copy|load|set|show|use|call|do|grant|revoke)\b/i;
/** What SQLite would take and mean something else by. */
const MISUNDERSTOOD: readonly { readonly words: RegExp; readonly fix: string }[] = [
  { words: /\b(big|small)?serial\b/i, fix: 'write INTEGER PRIMARY KEY, which counts by itself' },
  { words: /\bcreate\s+(temp|temporary)\b/i, fix: 'temporary tables are not modelled' },
];

/** One error for everything that a database says no to, with where to look. */
export function sqlError(why: string): never {
  return refuse('DatabaseErrorException', `ERROR: ${why} (the local AWS runs SQL on SQLite and knows only what SQLite knows)`);
}

/** A single statement without comments and closing semicolon; refuses several, and what no client may say. */
export function checked(sql: string): string {
  const bare = [...pieces(sql)].join('').trim().replace(/;$/, '').trim();
  if (bare === '') return refuse('BadRequestException', 'SQL is empty');
  const code = bare.replaceAll(QUOTED, "''");
  if (code.includes(';')) refuse('BadRequestException', "Multistatements aren't supported"); // RDS Data API, ExecuteStatement
  const word = FORBIDDEN.exec(code)?.[1];
  if (word) sqlError(`${word.toUpperCase()} cannot be run here; transactions begin with BeginTransaction`);
  for (const { words, fix } of MISUNDERSTOOD) {
    const found = words.exec(code)?.[0];
    if (found) sqlError(`"${found}" is not understood: ${fix}`);
  }
  return bare;
}

const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`/g;
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|[\s\S]/g;

function* pieces(sql: string): Generator<string> {
  for (const [piece] of sql.matchAll(TOKENS)) yield /^(--|\/\*)/.test(piece) ? ' ' : piece;
}
