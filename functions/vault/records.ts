import { Permanent } from '../aws/errors.ts';

/** The schemas of the records that this code can read, by version. A reader refuses what a later version wrote rather than guess. */
const KNOWN_SCHEMAS = [1];

/** Takes a record as what it was written as; refuses versions that this code does not know. Records without a version (progress) pass. */
export function parseRecord<T>(value: unknown, where: string): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Permanent(`${where} is not a record.`);
  const { schema, code } = value as { schema?: unknown; code?: unknown };
  if (schema !== undefined && !KNOWN_SCHEMAS.includes(schema as number)) {
    throw new Permanent(
      `${where} was written by a later version (schema ${String(schema)}, code ${String(code)}); deploy that version to read it.`,
    );
  }
  return value as T;
}
