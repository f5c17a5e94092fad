import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { service as ebs } from '../../local/services/ebs/index.ts';
import { service as ec2 } from '../../local/services/ec2/index.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { type Place, World } from '../../local/world/world.ts';

const HOME: Place = { account: '111111111111', region: 'us-east-1' };
const OTHER: Place = { account: '222222222222', region: 'us-east-1' };
const services = new Map([ebs, ec2, kms].map((service) => [service.name, service]));
const BLOCK = 524_288;
const MINUTE = 60_000;

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
const blockOf = (text: string): Buffer => Buffer.alloc(BLOCK, text);

function setUp() {
  const world = new World(services, { seed: 'ebs', latency: [0, 0] });
  const call = (operation: string, input: object = {}, place = HOME, service = 'ebs'): Promise<any> =>
    world.clock.settle(world.call({ place, service, operation, input }));
  const ofEc2 = (operation: string, input: object = {}, place = HOME) => call(operation, input, place, 'ec2');
  const wait = (millis: number) => world.clock.advance(millis);
  const put = (SnapshotId: string, BlockIndex: number, BlockData: Uint8Array, more: object = {}) => {
    const checked = { DataLength: BlockData.length, Checksum: sha256(BlockData).toString('base64'), ChecksumAlgorithm: 'SHA256' };
    return call('PutSnapshotBlock', { SnapshotId, BlockIndex, BlockData, ...checked, ...more });
  };
  /** A completed snapshot with these blocks. */
  const written = async (blocks: Readonly<Record<number, string>>, input: object = {}): Promise<string> => {
    const { SnapshotId } = await call('StartSnapshot', { VolumeSize: 1, ...input });
    for (const [index, text] of Object.entries(blocks)) await put(SnapshotId, Number(index), blockOf(text));
    await call('CompleteSnapshot', { SnapshotId, ChangedBlocksCount: Object.keys(blocks).length });
    await wait(2 * MINUTE);
    return SnapshotId;
  };
  const volume = async (input: object): Promise<string> => {
    const { VolumeId } = await ofEc2('CreateVolume', { AvailabilityZone: 'us-east-1a', ...input });
    await wait(MINUTE);
    return VolumeId;
  };
  const snapshot = async (VolumeId: string): Promise<string> => {
    const { SnapshotId } = await ofEc2('CreateSnapshot', { VolumeId });
    await wait(20 * MINUTE);
    return SnapshotId;
  };
  const disk = (id: string) => world.state<Ec2State>('ec2', HOME).disk(id);
  const indices = async (SnapshotId: string) =>
    (await call('ListSnapshotBlocks', { SnapshotId })).Blocks.map(({ BlockIndex }: any) => BlockIndex);
  const read = async (SnapshotId: string, BlockIndex: number): Promise<Buffer> => {
    const { Blocks } = await call('ListSnapshotBlocks', { SnapshotId, StartingBlockIndex: BlockIndex });
    const { BlockData } = await call('GetSnapshotBlock', { SnapshotId, BlockIndex, BlockToken: Blocks[0].BlockToken });
    return Buffer.from(BlockData);
  };
  const refused = (work: Promise<unknown>, code: string, Reason?: string) =>
    expect(work).rejects.toMatchObject({ code, ...(Reason ? { fields: { Reason } } : {}) });
  return { world, call, ofEc2, wait, put, written, volume, snapshot, disk, indices, read, refused };
}

describe('bytes that are put', () => {
  test('become a volume’s, and zeroes lie between', async () => {
    const { written, volume, disk, indices, read } = setUp();
    const id = await written({ 1: 'one', 1000: 'last' });
    expect(await indices(id)).toEqual([1, 1000]);
    const bytes = disk(await volume({ SnapshotId: id }));
    expect(Buffer.from(bytes.read(BLOCK, BLOCK)).equals(blockOf('one'))).toBe(true);
    expect(Buffer.from(bytes.read(1000 * BLOCK, 4)).toString()).toBe('last');
    expect(bytes.read(0, BLOCK).every((byte) => byte === 0)).toBe(true);
    expect((await read(id, 1000)).equals(blockOf('last'))).toBe(true);
  });

  test('lie over those of a parent', async () => {
    const { written, read } = setUp();
    const parent = await written({ 0: 'old', 1: 'kept' });
    const child = await written({ 0: 'new' }, { ParentSnapshotId: parent });
    expect((await read(child, 0)).equals(blockOf('new'))).toBe(true);
    expect((await read(child, 1)).equals(blockOf('kept'))).toBe(true);
    expect((await read(parent, 0)).equals(blockOf('old'))).toBe(true);
  });

  test('are checked: length, checksum, place, count and the checksum over all', async () => {
    const { call, put, refused, wait } = setUp();
    const { SnapshotId, BlockSize, Status } = await call('StartSnapshot', { VolumeSize: 1 });
    expect([BlockSize, Status]).toEqual([BLOCK, 'pending']);
    const bytes = blockOf('x');
    await refused(put(SnapshotId, 0, Buffer.alloc(4096)), 'ValidationException', 'INVALID_BLOCK');
    await refused(put(SnapshotId, 0, bytes, { Checksum: sha256(blockOf('y')).toString('base64') }), 'ValidationException');
    await refused(put(SnapshotId, 2048, bytes), 'ValidationException', 'INVALID_BLOCK');
    await refused(put('snap-none', 0, bytes), 'ResourceNotFoundException', 'SNAPSHOT_NOT_FOUND');
    await put(SnapshotId, 7, bytes);
    await put(SnapshotId, 2, blockOf('z'));
    const complete = (more: object) => call('CompleteSnapshot', { SnapshotId, ChangedBlocksCount: 2, ...more });
    await refused(complete({ ChangedBlocksCount: 1 }), 'ValidationException', 'INVALID_PARAMETER_VALUE');
    const over = (...blocks: Buffer[]) => sha256(Buffer.concat(blocks.map(sha256))).toString('base64');
    const linear = { ChecksumAlgorithm: 'SHA256', ChecksumAggregationMethod: 'LINEAR' };
    await refused(complete({ Checksum: over(bytes, blockOf('z')), ...linear }), 'ValidationException');
    expect(await complete({ Checksum: over(blockOf('z'), bytes), ...linear })).toEqual({ Status: 'pending' });
    await refused(put(SnapshotId, 3, bytes), 'ValidationException', 'INVALID_SNAPSHOT_ID');
    await wait(2 * MINUTE);
    expect(await complete({})).toEqual({ Status: 'completed' });
  });

  test('are begun once for a token, also after they were completed', async () => {
    const { call, written, refused } = setUp();
    const input = { ClientToken: 't', Description: 'mine' };
    const id = await written({ 0: 'a' }, input);
    expect((await call('StartSnapshot', { VolumeSize: 1, ...input })).SnapshotId).toBe(id);
    await refused(call('StartSnapshot', { VolumeSize: 2, ...input }), 'ConflictException');
  });

  test('are given up after a silence', async () => {
    const { call, ofEc2, put, wait, refused } = setUp();
    const { SnapshotId } = await call('StartSnapshot', { VolumeSize: 1, Timeout: 10 });
    const state = async () => (await ofEc2('DescribeSnapshots', { SnapshotIds: [SnapshotId] })).Snapshots[0].State;
    await wait(9 * MINUTE);
    await put(SnapshotId, 0, blockOf('a'));
    await wait(9 * MINUTE);
    expect(await state()).toBe('pending');
    await wait(2 * MINUTE);
    expect(await state()).toBe('error');
    await refused(put(SnapshotId, 0, blockOf('a')), 'ValidationException');
  });
});

describe('bytes that are read', () => {
  test('are those of a volume’s snapshot, by tokens of its own', async () => {
    const { call, volume, snapshot, disk, refused, world } = setUp();
    const VolumeId = await volume({ Size: 1 });
    disk(VolumeId).write(3 * BLOCK + 100, Buffer.from('hello'));
    disk(VolumeId).flush();
    const [first, second] = [await snapshot(VolumeId), await snapshot(VolumeId)];
    const listed = await call('ListSnapshotBlocks', { SnapshotId: first });
    expect(listed).toMatchObject({ BlockSize: BLOCK, VolumeSize: 1, Blocks: [{ BlockIndex: 3 }] });
    expect(listed.ExpiryTime.getTime()).toBe(world.clock.now() + 7 * 86_400_000);
    const [{ BlockToken }] = listed.Blocks;
    const block = await call('GetSnapshotBlock', { SnapshotId: first, BlockIndex: 3, BlockToken });
    expect(Buffer.from(block.BlockData.subarray(100, 105)).toString()).toBe('hello');
    expect(block).toMatchObject({
      DataLength: BLOCK,
      Checksum: sha256(block.BlockData).toString('base64'),
      ChecksumAlgorithm: 'SHA256',
    });
    for (const [SnapshotId, BlockIndex] of [
      [first, 4],
      [second, 3],
    ])
      await refused(
        call('GetSnapshotBlock', { SnapshotId, BlockIndex, BlockToken }),
        'ValidationException',
        'INVALID_BLOCK_TOKEN',
      );
  });

  test('are of completed snapshots only', async () => {
    const { call, ofEc2, volume, refused } = setUp();
    const { SnapshotId } = await ofEc2('CreateSnapshot', { VolumeId: await volume({ Size: 1 }) });
    await refused(call('ListSnapshotBlocks', { SnapshotId }), 'ValidationException', 'INVALID_SNAPSHOT_ID');
    await refused(call('ListSnapshotBlocks', { SnapshotId: 'snap-none' }), 'ResourceNotFoundException', 'SNAPSHOT_NOT_FOUND');
  });

  test('come in pages of a hundred or more', async () => {
    const { call, volume, snapshot, disk, refused } = setUp();
    const VolumeId = await volume({ Size: 1 });
    for (let i = 0; i < 250; i++) disk(VolumeId).write(i * BLOCK, Buffer.from([1]));
    disk(VolumeId).flush();
    const SnapshotId = await snapshot(VolumeId);
    await refused(call('ListSnapshotBlocks', { SnapshotId, MaxResults: 99 }), 'ValidationException');
    await refused(call('ListSnapshotBlocks', { SnapshotId, NextToken: '!' }), 'ValidationException', 'INVALID_PAGE_TOKEN');
    const sizes: number[] = [];
    const seen = new Set<number>();
    let NextToken: string | undefined;
    do {
      const page: any = await call('ListSnapshotBlocks', { SnapshotId, MaxResults: 100, ...(NextToken ? { NextToken } : {}) });
      sizes.push(page.Blocks.length);
      for (const { BlockIndex } of page.Blocks) seen.add(BlockIndex);
      NextToken = page.NextToken;
    } while (NextToken);
    expect([sizes, seen.size]).toEqual([[100, 100, 50], 250]);
  });

  test('say which blocks were written between two snapshots of one lineage', async () => {
    const { call, volume, snapshot, disk, written, refused } = setUp();
    const VolumeId = await volume({ Size: 1 });
    const write = (at: number, text: string) => {
      disk(VolumeId).write(at * BLOCK, Buffer.from(text));
      disk(VolumeId).flush();
    };
    write(0, 'kept');
    write(1, 'before');
    const FirstSnapshotId = await snapshot(VolumeId);
    write(1, 'after');
    write(9, 'fresh');
    const SecondSnapshotId = await snapshot(VolumeId);
    const { ChangedBlocks } = await call('ListChangedBlocks', { FirstSnapshotId, SecondSnapshotId });
    expect(ChangedBlocks.map(({ BlockIndex, FirstBlockToken }: any) => [BlockIndex, FirstBlockToken !== undefined])).toEqual([
      [1, true],
      [9, false],
    ]);
    const { SecondBlockToken: BlockToken } = ChangedBlocks[0];
    const { BlockData } = await call('GetSnapshotBlock', { SnapshotId: SecondSnapshotId, BlockIndex: 1, BlockToken });
    expect(Buffer.from(BlockData.subarray(0, 5)).toString()).toBe('after');
    const all = await call('ListChangedBlocks', { SecondSnapshotId });
    expect(all.ChangedBlocks.map(({ BlockIndex }: any) => BlockIndex)).toEqual([0, 1, 9]);
    const other = await written({ 0: 'else' });
    await refused(
      call('ListChangedBlocks', { FirstSnapshotId: other, SecondSnapshotId }),
      'ValidationException',
      'UNRELATED_SNAPSHOTS',
    );
  });

  test('of another account are read when they are shared', async () => {
    const { call, ofEc2, written, refused } = setUp();
    const SnapshotId = await written({ 0: 'shared' });
    await refused(call('ListSnapshotBlocks', { SnapshotId }, OTHER), 'ResourceNotFoundException');
    await ofEc2('ModifySnapshotAttribute', { SnapshotId, OperationType: 'add', UserIds: [OTHER.account] });
    expect((await call('ListSnapshotBlocks', { SnapshotId }, OTHER)).Blocks).toHaveLength(1);
    await refused(call('CompleteSnapshot', { SnapshotId, ChangedBlocksCount: 1 }, OTHER), 'ResourceNotFoundException');
  });
});

describe('encryption', () => {
  test('is the parent’s, the request’s or the default', async () => {
    const { call, ofEc2, written, refused } = setUp();
    const start = (more: object) => call('StartSnapshot', { VolumeSize: 1, ...more });
    const { KeyMetadata } = await call('CreateKey', {}, HOME, 'kms');
    const KmsKeyArn = KeyMetadata.Arn;
    expect(await start({})).toMatchObject({ SseType: 'none' });
    expect(await start({ Encrypted: true, KmsKeyArn })).toMatchObject({ SseType: 'sse-kms', KmsKeyArn });
    const parent = await written({ 0: 'a' }, { Encrypted: true, KmsKeyArn });
    expect(await start({ ParentSnapshotId: parent })).toMatchObject({ KmsKeyArn, ParentSnapshotId: parent });
    await refused(start({ ParentSnapshotId: parent, Encrypted: true }), 'ValidationException');
    await refused(start({ KmsKeyArn }), 'ValidationException');
    const plain = await written({ 0: 'a' });
    await ofEc2('EnableEbsEncryptionByDefault');
    expect((await start({})).KmsKeyArn).toMatch(/^arn:aws:kms:us-east-1:111111111111:key\//);
    await refused(start({ ParentSnapshotId: plain }), 'ValidationException');
    await refused(start({ Encrypted: false }), 'ValidationException');
  });

  test('needs its key to be read', async () => {
    const { call, written, refused } = setUp();
    const { KeyMetadata } = await call('CreateKey', {}, HOME, 'kms');
    const SnapshotId = await written({ 0: 'a' }, { Encrypted: true, KmsKeyArn: KeyMetadata.Arn });
    await call('DisableKey', { KeyId: KeyMetadata.KeyId }, HOME, 'kms');
    await refused(call('ListSnapshotBlocks', { SnapshotId }), 'ValidationException', 'INVALID_DEPENDENCY_REQUEST');
    const unknown = { VolumeSize: 1, Encrypted: true, KmsKeyArn: KeyMetadata.Arn.replace(/.{4}$/, 'none') };
    await refused(call('StartSnapshot', unknown), 'ResourceNotFoundException', 'DEPENDENCY_RESOURCE_NOT_FOUND');
  });
});
