import type * as SDK from '@aws-sdk/client-ebs';
import { type Context, operations, refuse } from '../../world/service.ts';
import { GIB, type Snapshot } from '../ec2/records.ts';
import { fail, finishWithin, keep } from '../ec2/snapshots.ts';
import type { Ec2State } from '../ec2/state.ts';
import { BLOCK, digest, withBlocks } from './blocks.ts';
import { type EbsState, ec2, find, readable, usableKey, type Writing } from './state.ts';

/** Seconds from CompleteSnapshot to completion: AWS promises nothing, the seed decides. */
const COMPLETING = [5, 60] as const;
/** EBS direct API, StartSnapshot: GiB, and minutes of silence. */
const LARGEST = 65_536;
const TIMEOUT = 60;
const TIMEOUTS = [10, 4320] as const;
const AWS_MANAGED = 'alias/aws/ebs';

const invalid = (message: string, Reason: string): never => refuse('ValidationException', message, { Reason });

type Start = SDK.StartSnapshotCommandInput;

/** The key to write under, or undefined: the parent decides where there is one, else the request, else the default (EBS guide, "Encryption outcomes for EBS direct APIs"). */
function keyFor({ Encrypted, KmsKeyArn }: Start, parent: Snapshot | undefined, context: Context<EbsState>): string | undefined {
  const { encryptionByDefault, defaultKey } = ec2(context);
  if (parent) {
    if (Encrypted !== undefined || KmsKeyArn)
      invalid('A snapshot with a parent is encrypted as its parent is.', 'INVALID_PARAMETER_VALUE');
    if (!parent.encrypted && encryptionByDefault)
      invalid('Encryption by default is on, and the parent snapshot is not encrypted; copy it first.', 'INVALID_PARAMETER_VALUE');
    return parent.key;
  }
  if (Encrypted === false && encryptionByDefault) invalid('Encryption by default is on.', 'INVALID_PARAMETER_VALUE');
  if (!(Encrypted || encryptionByDefault)) {
    if (KmsKeyArn) invalid('KmsKeyArn is for snapshots with Encrypted.', 'INVALID_PARAMETER_VALUE');
    return undefined;
  }
  return usableKey(KmsKeyArn ?? defaultKey ?? AWS_MANAGED, ['GenerateDataKeyWithoutPlaintext', 'CreateGrant'], context);
}

function refuseSize(size: number, parent: Snapshot | undefined): void {
  if (size < 1 || size > LARGEST) invalid(`The volume size is 1 to ${LARGEST} GiB, not ${size}.`, 'INVALID_VOLUME_SIZE');
  if (parent && size < parent.size)
    invalid("The volume size cannot be smaller than the parent snapshot's.", 'INVALID_VOLUME_SIZE');
}

function start(input: Start, context: Context<EbsState>): Snapshot {
  const { VolumeSize: size = 0, ParentSnapshotId, Tags = [], Description = '', Timeout: timeout = TIMEOUT } = input;
  const { state, now, id } = context;
  const parent = ParentSnapshotId === undefined ? undefined : readable(ParentSnapshotId, context);
  refuseSize(size, parent);
  if (timeout < TIMEOUTS[0] || timeout > TIMEOUTS[1])
    invalid(`The timeout is ${TIMEOUTS[0]} to ${TIMEOUTS[1]} minutes, not ${timeout}.`, 'INVALID_PARAMETER_VALUE');
  const key = keyFor(input, parent, context);
  const snapshot = keep(
    {
      volume: 'vol-ffffffff',
      size,
      description: Description,
      encrypted: key !== undefined,
      key,
      pages: new Map(),
      lineage: parent?.lineage ?? id('lineage'),
      tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key as string, Value ?? ''])),
    },
    context.world.context<Ec2State>({ place: context, service: 'ec2', caller: context.caller }),
  );
  state.writing.set(snapshot.id, { base: parent?.pages ?? new Map(), blocks: new Map(), timeout, touchedAt: now().getTime() });
  giveUpLater(snapshot, timeout * 60, context);
  return snapshot;
}

/** What is neither written to nor completed for long enough is cancelled (EBS direct API, StartSnapshot). */
function giveUpLater(snapshot: Snapshot, seconds: number, context: Context<EbsState>): void {
  const { state, after, now } = context;
  after(seconds, () => {
    const open = state.writing.get(snapshot.id);
    if (!open) return;
    const left = open.touchedAt + open.timeout * 60_000 - now().getTime();
    if (left > 0) return giveUpLater(snapshot, left / 1000, context);
    state.writing.delete(snapshot.id);
    fail(snapshot, 'The snapshot was not completed within its timeout.');
  });
}

function beingWritten(id: string | undefined, context: Context<EbsState>): { snapshot: Snapshot; open: Writing } {
  const snapshot =
    ec2(context).snapshots.get(id ?? '') ??
    refuse('ResourceNotFoundException', `The snapshot '${id}' does not exist.`, { Reason: 'SNAPSHOT_NOT_FOUND' });
  const open =
    context.state.writing.get(snapshot.id) ??
    invalid(`The snapshot '${id}' is ${snapshot.state} and cannot be written to.`, 'INVALID_SNAPSHOT_ID');
  return { snapshot, open };
}

/** The checksum over the blocks' checksums, as bytes, in the order of their indices (EBS direct API, CompleteSnapshot). */
const linear = (blocks: ReadonlyMap<number, Uint8Array>): string =>
  digest(Buffer.concat([...blocks].sort(([a], [b]) => a - b).map(([, bytes]) => Buffer.from(digest(bytes), 'base64'))));

const described = ({ id, size, owner, startedAt, description, key, tags, state }: Snapshot) => ({
  SnapshotId: id,
  OwnerId: owner,
  Status: state as SDK.Status,
  StartTime: startedAt,
  VolumeSize: size,
  BlockSize: BLOCK,
  Description: description,
  Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  SseType: key ? ('sse-kms' as const) : ('none' as const),
  ...(key ? { KmsKeyArn: key } : {}),
});

export const writing = operations<typeof SDK, EbsState>()({
  /** The same token with the same words is the same snapshot (EBS guide, "Ensure idempotency in StartSnapshot API requests"). */
  StartSnapshot({ ClientToken, ...input }, context) {
    const { tokens } = context.state;
    const asked = JSON.stringify(Object.entries(input).sort());
    const known = ClientToken === undefined ? undefined : tokens.get(ClientToken);
    if (known && known.asked !== asked) refuse('ConflictException', 'The client token was used with other parameters.');
    const snapshot = known?.snapshot ?? start(input, context);
    if (ClientToken !== undefined) tokens.set(ClientToken, { asked, snapshot });
    const { ParentSnapshotId } = input;
    return { ...described(snapshot), ...(ParentSnapshotId ? { ParentSnapshotId } : {}) };
  },

  PutSnapshotBlock(
    { SnapshotId, BlockIndex = 0, BlockData = new Uint8Array(), DataLength, Checksum, ChecksumAlgorithm },
    context,
  ) {
    const { snapshot, open } = beingWritten(SnapshotId, context);
    if (BlockData.length !== BLOCK || DataLength !== BLOCK)
      invalid(`A block has ${BLOCK} bytes, not ${BlockData.length} (DataLength ${DataLength}).`, 'INVALID_BLOCK');
    if (ChecksumAlgorithm !== 'SHA256' || Checksum !== digest(BlockData))
      invalid('The checksum does not match the data.', 'INVALID_BLOCK');
    if (BlockIndex < 0 || (BlockIndex + 1) * BLOCK > snapshot.size * GIB)
      invalid(`Block ${BlockIndex} lies outside of a volume of ${snapshot.size} GiB.`, 'INVALID_BLOCK');
    open.blocks.set(BlockIndex, new Uint8Array(BlockData));
    open.touchedAt = context.now().getTime();
    return { Checksum, ChecksumAlgorithm };
  },

  /** Asked again, it says how far the snapshot is. */
  CompleteSnapshot({ SnapshotId, ChangedBlocksCount, Checksum, ChecksumAggregationMethod }, context) {
    const { written, writing } = context.state;
    if (written.has(SnapshotId ?? '')) return { Status: find(SnapshotId, context).state as SDK.Status };
    const { snapshot, open } = beingWritten(SnapshotId, context);
    if (ChangedBlocksCount !== open.blocks.size)
      invalid(`${open.blocks.size} blocks were put, not ${ChangedBlocksCount}.`, 'INVALID_PARAMETER_VALUE');
    if (Checksum !== undefined && (ChecksumAggregationMethod !== 'LINEAR' || Checksum !== linear(open.blocks)))
      invalid('The checksum over all blocks does not match.', 'INVALID_PARAMETER_VALUE');
    snapshot.pages = withBlocks(open.base, open.blocks);
    writing.delete(snapshot.id);
    written.add(snapshot.id);
    finishWithin(COMPLETING, snapshot, context);
    return { Status: 'pending' };
  },
});
