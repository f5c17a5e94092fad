import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-ebs';
import { type Context, defineService, operations, refuse } from '../../world/service.ts';
import { PAGE, type Pages, readPages } from '../ec2/disk.ts';
import { type Ec2State, GIB, type Snapshot } from '../ec2/state.ts';

/** The direct APIs read and write blocks of 512 KiB (EBS direct APIs guide). */
const BLOCK = 512 * 1024;
const PER_BLOCK = BLOCK / PAGE;
const TOKEN_DAYS = 7;

/** Snapshots that are being written block by block, with what has been put so far. */
export class EbsState {
  readonly writing = new Map<string, { readonly blocks: Map<number, Uint8Array>; readonly base: Pages; readonly token: string | undefined; readonly asked: string }>();
}

const ec2 = ({ peer }: Context<EbsState>): Ec2State => peer<Ec2State>('ec2');

function find(id: string | undefined, context: Context<EbsState>): Snapshot {
  const snapshot = ec2(context).snapshots.get(id ?? '');
  return snapshot ?? refuse('ResourceNotFoundException', `The snapshot '${id}' does not exist.`, { status: 404, Reason: 'SNAPSHOT_NOT_FOUND' });
}

function readable(id: string | undefined, context: Context<EbsState>): Snapshot {
  const snapshot = find(id, context);
  if (snapshot.state !== 'completed') refuse('ValidationException', `The snapshot '${id}' is not completed.`, { Reason: 'INVALID_SNAPSHOT_STATE' });
  return snapshot;
}

const blocksOf = (pages: Pages): number[] => [...new Set([...pages.keys()].map((page) => Math.floor(page / PER_BLOCK)))].sort((a, b) => a - b);
const block = (pages: Pages, index: number): Uint8Array => readPages((page) => pages.get(page), index * BLOCK, BLOCK);
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');
const tokenFor = (snapshot: Snapshot, index: number): string => createHash('sha256').update(`${snapshot.id}/${index}`).digest('base64');

function page<T extends { BlockIndex?: number | undefined }>(all: readonly T[], { MaxResults = 10_000, NextToken, StartingBlockIndex = 0 }: { MaxResults?: number | undefined; NextToken?: string | undefined; StartingBlockIndex?: number | undefined }) {
  const from = NextToken === undefined ? StartingBlockIndex : Number(Buffer.from(NextToken, 'base64').toString());
  const rest = all.filter(({ BlockIndex = 0 }) => BlockIndex >= from);
  const next = rest[MaxResults];
  return { blocks: rest.slice(0, MaxResults), ...(next ? { NextToken: Buffer.from(String(next.BlockIndex)).toString('base64') } : {}) };
}

const common = (snapshot: Snapshot, now: Date) => ({ VolumeSize: snapshot.size, BlockSize: BLOCK, ExpiryTime: new Date(now.getTime() + TOKEN_DAYS * 86_400_000) });

const reads = operations<typeof SDK, EbsState>()({
  ListSnapshotBlocks({ SnapshotId, ...paging }, context) {
    const snapshot = readable(SnapshotId, context);
    const all = blocksOf(snapshot.pages).map((BlockIndex) => ({ BlockIndex, BlockToken: tokenFor(snapshot, BlockIndex) }));
    const { blocks, ...next } = page(all, paging);
    return { Blocks: blocks, ...common(snapshot, context.now()), ...next };
  },

  ListChangedBlocks({ FirstSnapshotId, SecondSnapshotId, ...paging }, context) {
    const second = readable(SecondSnapshotId, context);
    const first = FirstSnapshotId === undefined ? undefined : readable(FirstSnapshotId, context);
    if (first && first.lineage !== second.lineage) refuse('ValidationException', 'The snapshots are unrelated.', { Reason: 'UNRELATED_SNAPSHOTS' });
    const before: Pages = first?.pages ?? new Map();
    const indices = [...new Set([...blocksOf(before), ...blocksOf(second.pages)])].sort((a, b) => a - b);
    const changed = indices.filter((index) => {
      for (let at = index * PER_BLOCK; at < (index + 1) * PER_BLOCK; at++) if (before.get(at) !== second.pages.get(at)) return true;
      return false;
    });
    const all = changed.map((BlockIndex) => ({
      BlockIndex,
      ...(first && blocksOf(before).includes(BlockIndex) ? { FirstBlockToken: tokenFor(first, BlockIndex) } : {}),
      SecondBlockToken: tokenFor(second, BlockIndex),
    }));
    const { blocks, ...next } = page(all, paging);
    return { ChangedBlocks: blocks, ...common(second, context.now()), ...next };
  },

  GetSnapshotBlock({ SnapshotId, BlockIndex = 0, BlockToken }, context) {
    const snapshot = readable(SnapshotId, context);
    if (BlockToken !== tokenFor(snapshot, BlockIndex)) refuse('ValidationException', 'The block token is invalid.', { Reason: 'INVALID_BLOCK_TOKEN' });
    const bytes = block(snapshot.pages, BlockIndex);
    return { BlockData: bytes, DataLength: bytes.length, Checksum: digest(bytes), ChecksumAlgorithm: 'SHA256' };
  },
});

const writes = operations<typeof SDK, EbsState>()({
  StartSnapshot({ VolumeSize = 0, ParentSnapshotId, Tags = [], Description = '', ClientToken, Encrypted = false, KmsKeyArn }, context) {
    const { state, now, account, id } = context;
    const asked = JSON.stringify({ VolumeSize, ParentSnapshotId, Tags, Description, Encrypted, KmsKeyArn });
    const known = ClientToken === undefined ? undefined : [...state.writing].find(([, { token }]) => token === ClientToken);
    if (known) {
      if (known[1].asked !== asked) refuse('ConflictException', 'The client token was used with other parameters.', { status: 409 });
      return started(find(known[0], context));
    }
    const parent = ParentSnapshotId === undefined ? undefined : readable(ParentSnapshotId, context);
    if (parent && parent.size > VolumeSize) refuse('ValidationException', "The volume size cannot be smaller than the parent snapshot's.", { Reason: 'INVALID_VOLUME_SIZE' });
    if (VolumeSize < 1) refuse('ValidationException', 'The volume size must be at least 1 GiB.', { Reason: 'INVALID_VOLUME_SIZE' });
    const made: Snapshot = {
      id: id('snap'),
      volume: 'vol-ffffffff',
      size: VolumeSize,
      startedAt: now(),
      description: Description,
      owner: account,
      encrypted: Encrypted || parent?.encrypted === true,
      key: KmsKeyArn ?? parent?.key,
      pages: new Map(),
      lineage: parent?.lineage ?? id('lineage'),
      visibleAt: now().getTime(),
      state: 'pending',
      tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key as string, Value ?? ''])),
      sharedWith: [],
    };
    ec2(context).snapshots.set(made.id, made);
    state.writing.set(made.id, { blocks: new Map(), base: parent?.pages ?? new Map(), token: ClientToken, asked });
    return { ...started(made), ...(ParentSnapshotId ? { ParentSnapshotId } : {}) };
  },

  PutSnapshotBlock({ SnapshotId = '', BlockIndex = 0, BlockData = new Uint8Array(), DataLength, Checksum, ChecksumAlgorithm }, context) {
    const open = context.state.writing.get(find(SnapshotId, context).id);
    if (!open) refuse('ValidationException', `The snapshot '${SnapshotId}' is not being written.`, { Reason: 'INVALID_SNAPSHOT_STATE' });
    if (BlockData.length !== BLOCK || (DataLength !== undefined && DataLength !== BLOCK)) refuse('ValidationException', `A block has ${BLOCK} bytes.`, { Reason: 'INVALID_BLOCK' });
    if (ChecksumAlgorithm !== 'SHA256' || Checksum !== digest(BlockData)) refuse('ValidationException', 'The checksum does not match the data.', { Reason: 'INVALID_CHECKSUM' });
    if (BlockIndex < 0 || (BlockIndex + 1) * BLOCK > find(SnapshotId, context).size * GIB) refuse('ValidationException', 'The block lies outside of the volume.', { Reason: 'INVALID_BLOCK' });
    open!.blocks.set(BlockIndex, new Uint8Array(BlockData));
    return { Checksum, ChecksumAlgorithm };
  },

  CompleteSnapshot({ SnapshotId = '', ChangedBlocksCount }, context) {
    const snapshot = find(SnapshotId, context);
    const open = context.state.writing.get(snapshot.id);
    if (!open) return { Status: snapshot.state === 'completed' ? 'completed' : 'pending' };
    if (ChangedBlocksCount !== undefined && ChangedBlocksCount !== open.blocks.size) {
      refuse('ValidationException', `${open.blocks.size} blocks were put, not ${ChangedBlocksCount}.`, { Reason: 'INVALID_PARAMETER_VALUE' });
    }
    const pages = new Map(open.base);
    for (const [index, bytes] of open.blocks) {
      for (let at = 0; at < PER_BLOCK; at++) pages.set(index * PER_BLOCK + at, bytes.subarray(at * PAGE, (at + 1) * PAGE));
    }
    Object.assign(snapshot, { pages });
    context.state.writing.delete(snapshot.id);
    context.after([5, 60], () => Object.assign(snapshot, { state: 'completed', completedAt: context.now() }));
    return { Status: 'pending' };
  },
});

const started = ({ id, size, owner, startedAt, description, key, tags }: Snapshot) => ({
  SnapshotId: id,
  OwnerId: owner,
  Status: 'pending' as const,
  StartTime: startedAt,
  VolumeSize: size,
  BlockSize: BLOCK,
  Description: description,
  Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  ...(key ? { KmsKeyArn: key } : {}),
});

export const service = defineService<EbsState>({
  name: 'ebs',
  sdk: () => import('@aws-sdk/client-ebs'),
  client: 'EBSClient',
  scope: 'region',
  state: () => new EbsState(),
  operations: { ...reads, ...writes },
});
