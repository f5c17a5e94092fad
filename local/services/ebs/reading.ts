import type * as SDK from '@aws-sdk/client-ebs';
import { operations, refuse } from '../../world/service.ts';
import type { Pages } from '../ec2/disk.ts';
import type { Snapshot } from '../ec2/records.ts';
import { BLOCK, blockAt, blocksOf, changedBlocks, digest, page, tokenFor } from './blocks.ts';
import { type EbsState, readable } from './state.ts';

/** EBS direct API, ListSnapshotBlocks: how long block tokens are good. */
const TOKEN_DAYS = 7;

const about = ({ size }: Snapshot, now: Date) => ({
  VolumeSize: size,
  BlockSize: BLOCK,
  ExpiryTime: new Date(now.getTime() + TOKEN_DAYS * 86_400_000),
});

export const reading = operations<typeof SDK, EbsState>()({
  ListSnapshotBlocks({ SnapshotId, ...paging }, context) {
    const snapshot = readable(SnapshotId, context);
    const all = blocksOf(snapshot.pages).map((BlockIndex) => ({ BlockIndex, BlockToken: tokenFor(snapshot, BlockIndex) }));
    const { blocks, ...next } = page(all, paging);
    return { Blocks: blocks, ...about(snapshot, context.now()), ...next };
  },

  /** Without a first snapshot, all that the second holds. A first token is there only where the first holds the block. */
  ListChangedBlocks({ FirstSnapshotId, SecondSnapshotId, ...paging }, context) {
    const second = readable(SecondSnapshotId, context);
    const first = FirstSnapshotId === undefined ? undefined : readable(FirstSnapshotId, context);
    if (first && first.lineage !== second.lineage)
      refuse('ValidationException', 'The snapshots are unrelated.', { Reason: 'UNRELATED_SNAPSHOTS' });
    const before: Pages = first?.pages ?? new Map();
    const [held, holds] = [new Set(blocksOf(before)), new Set(blocksOf(second.pages))];
    const all = changedBlocks(before, second.pages).map((BlockIndex) => ({
      BlockIndex,
      ...(first && held.has(BlockIndex) ? { FirstBlockToken: tokenFor(first, BlockIndex) } : {}),
      ...(holds.has(BlockIndex) ? { SecondBlockToken: tokenFor(second, BlockIndex) } : {}),
    }));
    const { blocks, ...next } = page(all, paging);
    return { ChangedBlocks: blocks, ...about(second, context.now()), ...next };
  },

  GetSnapshotBlock({ SnapshotId, BlockIndex = 0, BlockToken }, context) {
    const snapshot = readable(SnapshotId, context);
    if (BlockToken !== tokenFor(snapshot, BlockIndex))
      refuse('ValidationException', 'The block token is invalid.', { Reason: 'INVALID_BLOCK_TOKEN' });
    const bytes = blockAt(snapshot.pages, BlockIndex);
    return { BlockData: bytes, DataLength: bytes.length, Checksum: digest(bytes), ChecksumAlgorithm: 'SHA256' };
  },
});
