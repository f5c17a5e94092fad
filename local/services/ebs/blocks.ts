import { createHash } from 'node:crypto';
import { refuse } from '../../world/service.ts';
import { PAGE, type Pages, readPages } from '../ec2/disk.ts';
import type { Snapshot } from '../ec2/records.ts';

/** The direct APIs read and write blocks of 512 KiB (EBS guide, "EBS direct APIs"). */
export const BLOCK = 512 * 1024;
const PER_BLOCK = BLOCK / PAGE;

export const digest = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('base64');

/** The blocks that hold anything, in order. */
export const blocksOf = (pages: Pages): number[] =>
  [...new Set([...pages.keys()].map((page) => Math.floor(page / PER_BLOCK)))].sort((a, b) => a - b);

export const blockAt = (pages: Pages, index: number): Uint8Array => readPages((page) => pages.get(page), index * BLOCK, BLOCK);

/** The blocks with a page that was written since: pages are never changed, so another page is another write. */
export function changedBlocks(before: Pages, after: Pages): number[] {
  const differs = (index: number) => {
    for (let page = index * PER_BLOCK; page < (index + 1) * PER_BLOCK; page++)
      if (before.get(page) !== after.get(page)) return true;
    return false;
  };
  return [...new Set([...blocksOf(before), ...blocksOf(after)])].sort((a, b) => a - b).filter(differs);
}

export function withBlocks(base: Pages, blocks: ReadonlyMap<number, Uint8Array>): Pages {
  const pages = new Map(base);
  for (const [index, bytes] of blocks) {
    for (let at = 0; at < PER_BLOCK; at++) pages.set(index * PER_BLOCK + at, bytes.subarray(at * PAGE, (at + 1) * PAGE));
  }
  return pages;
}

/** Opaque to callers: a token is good for one block of one snapshot. */
export const tokenFor = (snapshot: Snapshot, index: number): string =>
  Buffer.from(digest(`${snapshot.id}/${index}`), 'base64').toString('base64url');

interface Paging {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
  readonly StartingBlockIndex?: number | undefined;
}

/** EBS direct API, ListSnapshotBlocks: 100 to 10,000. */
const FEWEST = 100;
const MOST = 10_000;

/** One page of blocks. A token wins over the first block that is asked for. */
export function page<T extends { readonly BlockIndex: number }>(
  all: readonly T[],
  { MaxResults = MOST, NextToken, StartingBlockIndex = 0 }: Paging,
): { blocks: T[]; NextToken?: string } {
  if (MaxResults < FEWEST || MaxResults > MOST)
    refuse('ValidationException', `MaxResults is ${FEWEST} to ${MOST}, not ${MaxResults}.`, {
      Reason: 'INVALID_PARAMETER_VALUE',
    });
  const from = NextToken === undefined ? StartingBlockIndex : Number(Buffer.from(NextToken, 'base64').toString() || Number.NaN);
  if (Number.isNaN(from)) refuse('ValidationException', 'The page token is invalid.', { Reason: 'INVALID_PAGE_TOKEN' });
  const rest = all.filter(({ BlockIndex }) => BlockIndex >= from);
  const next = rest[MaxResults];
  return {
    blocks: rest.slice(0, MaxResults),
    ...(next ? { NextToken: Buffer.from(String(next.BlockIndex)).toString('base64') } : {}),
  };
}
