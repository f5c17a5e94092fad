import { gzipSync } from 'node:zlib';
import { type BasicType, type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { Database } from '../sql/database.ts';
import type { Value } from '../sql/statement.ts';

/** One table of a database, as it goes into an export. */
export interface ExportedTable {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly original: string; readonly exported: string }[];
  readonly parquet: Uint8Array;
}

/** Characters that Parquet does not take in a column's name: such columns are left out (RDS guide, "Exporting DB snapshot data", "Limitations"). */
const NOT_IN_NAMES = /[,;{}()\n\t= ]/;

/** Every table of an image as Parquet, GZIP-compressed pages; and what was left out, in sentences. */
export function tablesOf(image: Uint8Array): { tables: ExportedTable[]; warnings: string[] } {
  const database = new Database(image);
  const ask = (sql: string) => database.run({ sql, parameters: {}, at: 0, seed: 'export' }).rows;
  const warnings: string[] = [];
  const names = ask(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
  ).map(([name]) => String(name));
  const tables = names.flatMap((name) => {
    if (name.includes('/')) {
      warnings.push(`Table ${name} was left out: its name has a slash.`);
      return [];
    }
    const all = ask(`SELECT name, type FROM pragma_table_info(${quoted(name)})`).map(([column, type]) => ({
      name: String(column),
      original: String(type),
    }));
    const left = all.filter((column) => NOT_IN_NAMES.test(column.name));
    for (const column of left) warnings.push(`Column ${name}.${column.name} was left out: Parquet does not take its name.`);
    const kept = all.filter((column) => !left.includes(column));
    return [
      written(name, kept, ask(`SELECT ${kept.map((column) => identifier(column.name)).join(', ')} FROM ${identifier(name)}`)),
    ];
  });
  database.close();
  return { tables, warnings };
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function written(
  name: string,
  columns: readonly { name: string; original: string }[],
  rows: readonly (readonly Value[])[],
): ExportedTable {
  const sources = columns.map((column, i) =>
    sourceOf(
      column.name,
      column.original,
      rows.map((row) => row[i] as Value),
    ),
  );
  const buffer = parquetWriteBuffer({ columnData: sources, codec: 'GZIP', compressors: { GZIP: (bytes) => gzipSync(bytes) } });
  return {
    name,
    rows: rows.length,
    columns: columns.map((column, i) => ({ ...column, exported: EXPORTED[sources[i]?.type as string] ?? 'binary (UTF8)' })),
    parquet: new Uint8Array(buffer),
  };
}

const EXPORTED: Readonly<Record<string, string>> = {
  INT64: 'int64',
  DOUBLE: 'double',
  BYTE_ARRAY: 'binary',
  STRING: 'binary (UTF8)',
};

/** SQLite says of a column what it prefers, and takes anything: a column whose values are not all of that type goes as text. */
function sourceOf(name: string, original: string, values: readonly Value[]): ColumnSource {
  const type = typeFor(
    original,
    values.filter((value) => value !== null),
  );
  return { name, data: values.map((value) => (value === null ? null : as(type, value))), type, nullable: true };
}

function typeFor(original: string, values: readonly Exclude<Value, null>[]): BasicType {
  if (/int/i.test(original) && values.every((value) => typeof value === 'bigint')) return 'INT64';
  if (/real|floa|doub/i.test(original) && values.every((value) => typeof value === 'number' || typeof value === 'bigint'))
    return 'DOUBLE';
  if (/blob|bytea|binary/i.test(original) && values.every((value) => value instanceof Uint8Array)) return 'BYTE_ARRAY';
  return 'STRING';
}

function as(type: BasicType, value: Exclude<Value, null>): unknown {
  if (type === 'DOUBLE') return Number(value);
  if (type === 'STRING') return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
  return value;
}
