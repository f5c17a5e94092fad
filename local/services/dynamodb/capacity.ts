import type * as SDK from '@aws-sdk/client-dynamodb';
import type { Table } from './table.ts';
import { type Item, sizeOf } from './value.ts';

type Wanted = SDK.ReturnConsumedCapacity | undefined;

const blocks = (bytes: number, size: number): number => Math.max(1, Math.ceil(bytes / size));

/** Write units of a write: one for each KiB of the larger of both images (DynamoDB guide, "Read and write operations"). */
export const writeUnits = (before: Item | undefined, after: Item | undefined): number =>
  blocks(Math.max(before ? sizeOf(before) : 0, after ? sizeOf(after) : 0), 1024);

/** Read units of so many bytes read together: one for each 4 KiB, half where a stale answer would do. */
export const readUnits = (bytes: number, consistent: boolean | undefined): number => blocks(bytes, 4096) / (consistent ? 1 : 2);

/** What an answer says of one table, where it was asked to say it. */
export const consumed = (wanted: Wanted, table: Table, units: () => number): { ConsumedCapacity?: SDK.ConsumedCapacity } =>
  told(wanted) ? { ConsumedCapacity: { TableName: table.name, CapacityUnits: units() } } : {};

/** The same for several tables. */
export function consumedByTable(
  wanted: Wanted,
  each: readonly { readonly table: Table; readonly units: () => number }[],
): { ConsumedCapacity?: SDK.ConsumedCapacity[] } {
  if (!told(wanted)) return {};
  const byTable = Map.groupBy(each, ({ table }) => table.name);
  return {
    ConsumedCapacity: [...byTable].map(([TableName, uses]) => ({
      TableName,
      CapacityUnits: uses.reduce((sum, { units }) => sum + units(), 0),
    })),
  };
}

const told = (wanted: Wanted): boolean => wanted === 'TOTAL' || wanted === 'INDEXES';
