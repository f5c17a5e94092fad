import type * as SDK from '@aws-sdk/client-rds';
import { refuse } from '../../world/service.ts';

/** Pages hold 20 to 100 records (RDS API, MaxRecords). Markers are opaque to callers and an index to us. */
export function paged<T>(
  all: readonly T[],
  { MaxRecords = 100, Marker }: { MaxRecords?: number | undefined; Marker?: string | undefined },
): { page: T[]; Marker?: string } {
  if (MaxRecords < 20 || MaxRecords > 100)
    refuse('InvalidParameterValue', `Invalid value ${MaxRecords} for MaxRecords. Must be between 20 and 100`);
  const from = Marker ? Number(Buffer.from(Marker, 'base64').toString()) : 0;
  if (!Number.isInteger(from)) refuse('InvalidParameterValue', `Invalid Marker: ${Marker}`);
  const to = from + MaxRecords;
  return { page: all.slice(from, to), ...(to < all.length ? { Marker: Buffer.from(String(to)).toString('base64') } : {}) };
}

/** Filters are ANDed, their values ORed; one that is not known is refused (RDS API, Filter). */
export function passes(
  filters: readonly SDK.Filter[] | undefined,
  values: Readonly<Record<string, readonly (string | undefined)[]>>,
): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    const has = values[Name] ?? refuse('InvalidParameterValue', `Unrecognized filter name: ${Name}`);
    return has.some((value) => value !== undefined && Values.includes(value));
  });
}

/** An identifier as RDS wants it: letters, digits and hyphens, a letter first, no hyphen last or twice; kept in lower case. */
export function identifier(name: string | undefined, what: string, longest: number): string {
  const text = name ?? '';
  if (!/^[A-Za-z](-?[A-Za-z0-9])*$/.test(text) || text.length > longest) {
    refuse(
      'InvalidParameterValue',
      `The parameter ${what} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.`,
    );
  }
  return text.toLowerCase();
}
