import { arnAt } from '../../../aws/arn.ts';
import type { Place, Resource } from '../../../domain.ts';
import type { TableDefinition } from './definition.ts';

export const KIND = 'dynamodb-table';

/** What is known of a table from the time of the plan. */
export type TableFacts = {
  /** AWS's own id: another table of the same name has another. */
  readonly tableId: string;
  readonly streamArn: string | null;
  readonly recoveryDays: number;
  readonly items: number;
  readonly bytes: number;
  readonly definition: TableDefinition;
};

export const factsOf = (resource: Resource): TableFacts => resource.facts as unknown as TableFacts;

export const tableArn = (place: Place, table: string): string => arnAt(place, 'dynamodb', `table/${table}`);
export const isTableArn = (arn: string): boolean => /^arn:[^:]+:dynamodb:[^:]*:[^:]*:table\/[A-Za-z0-9_.-]+$/.test(arn);
export const tableNameOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1);

const DAY_MILLIS = 86_400_000;
export const daysAfter = (at: string, days: number): string => new Date(Date.parse(at) + days * DAY_MILLIS).toISOString();

/** A table's name has up to 255 characters (DynamoDB guide, "Naming rules"). */
export const restoredName = (name: string, restore: string): string => `${name.slice(0, 254 - restore.length)}-${restore}`;
