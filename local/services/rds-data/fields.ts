import type * as SDK from '@aws-sdk/client-rds-data';
import { refuse } from '../../world/service.ts';
import type { Column } from '../rds/sql/database.ts';
import type { Value } from '../rds/sql/statement.ts';

/** A parameter's value as SQLite binds it. Booleans are 0 and 1 there; arrays it does not know. */
export function boundValue(field: SDK.Field | undefined): Value {
  if (!field || field.isNull) return null;
  if (field.booleanValue !== undefined) return field.booleanValue ? 1n : 0n;
  if (field.longValue !== undefined) return BigInt(field.longValue);
  if (field.doubleValue !== undefined) return field.doubleValue;
  if (field.stringValue !== undefined) return field.stringValue;
  if (field.blobValue !== undefined) return field.blobValue;
  return refuse('BadRequestException', 'Array parameters are not supported.'); // RDS Data API, SqlParameter
}

export const parametersOf = (parameters: readonly SDK.SqlParameter[] | undefined): Record<string, Value> =>
  Object.fromEntries((parameters ?? []).map(({ name = '', value }) => [name, boundValue(value)]));

/** What a column of a row holds; an integer beyond what JSON's numbers carry exactly goes as text. */
export function fieldOf(value: Value, { type }: Column): SDK.Field {
  if (value === null) return { isNull: true };
  if (typeof value === 'bigint') {
    if (/^bool/i.test(type ?? '')) return { booleanValue: value !== 0n };
    return Number.isSafeInteger(Number(value)) ? { longValue: Number(value) } : { stringValue: String(value) };
  }
  if (typeof value === 'number') return { doubleValue: value };
  return typeof value === 'string' ? { stringValue: value } : { blobValue: new Uint8Array(value) };
}

export const metadataOf = ({ name, table, type }: Column): SDK.ColumnMetadata => ({
  name,
  label: name,
  ...(type === null ? {} : { typeName: type.toLowerCase() }),
  ...(table === null ? {} : { tableName: table }),
});

const plain = (field: SDK.Field): unknown =>
  field.isNull
    ? null
    : (field.booleanValue ??
      field.longValue ??
      field.doubleValue ??
      field.stringValue ??
      Buffer.from(field.blobValue ?? []).toString('base64'));

/** Rows as objects in one JSON text (RDS Data API, RecordsFormatType JSON). */
export const asJson = (columns: readonly Column[], rows: readonly (readonly SDK.Field[])[]): string =>
  JSON.stringify(rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, plain(row[i] as SDK.Field)]))));
