import { arnAt } from '../../../aws/arn.ts';
import type { Place } from '../../../domain.ts';
import { sha256 } from '../../../vault/layout.ts';

/** The types of RDS's ARNs of what we take and make (Service Authorization Reference, "Amazon RDS"). */
export type ArnType = 'db' | 'snapshot' | 'cluster' | 'cluster-snapshot';

export const rdsArn = (place: Place, type: ArnType, name: string): string => arnAt(place, 'rds', `${type}:${name}`);
export const isRdsArn = (arn: string, type: ArnType): boolean =>
  new RegExp(`^arn:[^:]+:rds:[^:]*:[^:]*:${type}:[^:]+$`).test(arn);
export const nameIn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1);

/** Names are what makes RDS's creating calls repeatable, so they follow from what the thing is for (aws.md §3.1). */
export const nameFor = (prefix: string, ...parts: readonly string[]): string =>
  `${prefix}${sha256(parts.join('\n')).slice(0, DIGITS)}`;
export const isNameFor = (prefix: string, name: string): boolean =>
  name.startsWith(prefix) && new RegExp(`^[0-9a-f]{${DIGITS}}$`).test(name.slice(prefix.length));
const DIGITS = 24;

/**
 * An identifier has up to 63 characters, no hyphen last and none twice (RDS API, DBInstanceIdentifier). One that has to be cut bears a digest,
 * so that two never become one.
 */
export function restoredName(name: string, restore: string): string {
  const room = LONGEST - 1 - restore.length;
  const kept = name.length <= room ? name : `${name.slice(0, room - 7)}-${sha256(name).slice(0, 6)}`;
  return `${kept}-${restore}`.replaceAll(/-{2,}/g, '-').replace(/-$/, '');
}
const LONGEST = 63;

const DAY_MILLIS = 86_400_000;
export const daysAfter = (at: string, days: number): string => new Date(Date.parse(at) + days * DAY_MILLIS).toISOString();
