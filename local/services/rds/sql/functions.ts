import { createHash } from 'node:crypto';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Statement } from './statement.ts';

/**
 * SQLite's functions that ask the machine for the time or for chance, replaced: they answer from the statement that runs, so that a log of
 * statements, run again, gives the same rows. Also the few names by which PostgreSQL and MySQL clients ask for the same.
 */
export function replaceAmbient(database: DatabaseSync, running: () => Statement): void {
  const now = () => new Date(running().at);
  const own = { directOnly: false, deterministic: false } as const;
  const timestamp = () => now().toISOString().slice(0, 19).replace('T', ' ');
  for (const name of ['current_timestamp', 'now']) database.function(name, own, timestamp);
  database.function('current_date', own, () => now().toISOString().slice(0, 10));
  database.function('current_time', own, () => now().toISOString().slice(11, 19));
  for (const name of ['date', 'time', 'datetime', 'julianday', 'unixepoch', 'strftime'])
    database.function(name, { ...own, varargs: true }, (...given) => dated(name, given, now().toISOString()));
  const dice = diceOf(running);
  for (const name of ['random', 'rand']) database.function(name, own, () => dice().readUInt32BE(0) / 2 ** 32);
  for (const name of ['gen_random_uuid', 'uuid']) database.function(name, own, () => uuid(dice().toString('hex')));
  database.function('randomblob', own, (length) => dice().subarray(0, Math.min(32, Number(length))));
}

/** SQLite without replacements, to reckon with dates. */
const plain = new DatabaseSync(':memory:');

function dated(name: string, given: readonly SQLInputValue[], now: string): SQLInputValue {
  const all = given.length === (name === 'strftime' ? 1 : 0) ? [...given, 'now'] : given;
  const values = all.map((value) => (value === 'now' ? now.replace('Z', '') : value));
  const row = plain.prepare(`SELECT ${name}(${values.map(() => '?').join(', ')}) AS value`).get(...values);
  return (row?.['value'] ?? null) as SQLInputValue;
}

/** Thirty-two bytes a time, each from the statement's seed and how often it was asked. */
function diceOf(running: () => Statement): () => Buffer {
  let last: Statement | undefined;
  let count = 0;
  return () => {
    const statement = running();
    if (statement !== last) [last, count] = [statement, 0];
    return createHash('sha256').update(`${statement.seed}/${count++}`).digest();
  };
}

const uuid = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
