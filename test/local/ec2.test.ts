import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Disk, PAGE } from '../../local/services/ec2/disk.ts';
import { service as ec2 } from '../../local/services/ec2/index.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { type Place, World } from '../../local/world/world.ts';

const HOME: Place = { account: '111111111111', region: 'us-east-1' };
const WEST: Place = { account: '111111111111', region: 'eu-west-1' };
const OTHER: Place = { account: '222222222222', region: 'us-east-1' };
const services = new Map([ec2, kms].map((service) => [service.name, service]));
const MINUTE = 60_000;
const DAY = 86_400_000;

function setUp(seed: string | number = 'ec2') {
  const world = new World(services, { seed, latency: [0, 0] });
  const settle = <T>(work: Promise<T>): Promise<T> => world.clock.settle(work);
  const call = (operation: string, input: object = {}, place = HOME, service = 'ec2'): Promise<any> =>
    settle(world.call({ place, service, operation, input }));
  const state = (place = HOME) => world.state<Ec2State>('ec2', place);
  const wait = (millis: number) => world.clock.advance(millis);
  /** A volume that is available. */
  const volume = async (input: object = {}, place = HOME): Promise<string> => {
    const { VolumeId } = await call('CreateVolume', { AvailabilityZone: `${place.region}a`, Size: 1, ...input }, place);
    await wait(MINUTE);
    return VolumeId;
  };
  const write = (id: string, text: string, at = 0, place = HOME) => {
    const disk = state(place).disk(id);
    disk.write(at, Buffer.from(text));
    return disk;
  };
  const read = (id: string, length: number, at = 0, place = HOME) =>
    Buffer.from(state(place).disk(id).read(at, length)).toString();
  /** A snapshot that is completed. */
  const snapshot = async (VolumeId: string, input: object = {}, place = HOME): Promise<string> => {
    const { SnapshotId } = await call('CreateSnapshot', { VolumeId, ...input }, place);
    await wait(20 * MINUTE);
    return SnapshotId;
  };
  const described = async (id: string, place = HOME) =>
    (await call('DescribeSnapshots', { SnapshotIds: [id] }, place)).Snapshots[0];
  const instance = async (input: object = {}, place = HOME): Promise<string> => {
    const { Instances } = await call('RunInstances', { ImageId: 'ami-1', MinCount: 1, MaxCount: 1, ...input }, place);
    await wait(MINUTE);
    return Instances[0].InstanceId;
  };
  const attached = async (InstanceId: string, input: object = {}): Promise<string> => {
    const VolumeId = await volume(input);
    await call('AttachVolume', { VolumeId, InstanceId, Device: `/dev/${VolumeId}` });
    await wait(MINUTE);
    return VolumeId;
  };
  const key = async (place = HOME): Promise<string> => (await call('CreateKey', {}, place, 'kms')).KeyMetadata.Arn;
  return { world, call, state, wait, volume, write, read, snapshot, described, instance, attached, key };
}

const refusedWith = (code: string) => ({ code });

describe('a disk', () => {
  const page = fc.nat({ max: 5 });
  const step = fc.oneof(
    fc.record({ does: fc.constant('write' as const), page, value: fc.integer({ min: 1, max: 255 }) }),
    fc.record({ does: fc.constant('flush' as const) }),
    fc.record({ does: fc.constant('snapshot' as const), lucky: fc.array(page) }),
    fc.record({ does: fc.constant('leave' as const), lucky: fc.array(page) }),
  );

  test('keeps what was flushed or written back, and snapshots never change', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let disk = new Disk(6 * PAGE);
        let volume = Array(6).fill(0);
        let seen = [...volume];
        const snapshots: { pages: ReadonlyMap<number, Uint8Array>; held: number[] }[] = [];
        const writeBack = (lucky: readonly number[]) => {
          volume = volume.map((value, at) => (lucky.includes(at) ? seen[at] : value));
        };
        for (const one of steps) {
          if (one.does === 'write') {
            disk.write(one.page * PAGE, new Uint8Array(PAGE).fill(one.value));
            seen[one.page] = one.value;
          } else if (one.does === 'flush') {
            disk.flush();
            volume = [...seen];
          } else if (one.does === 'snapshot') {
            writeBack(one.lucky);
            snapshots.push({ pages: disk.snapshot((at) => one.lucky.includes(at)), held: [...volume] });
          } else {
            writeBack(one.lucky);
            const before = disk;
            disk = disk.leave('gone', (at) => one.lucky.includes(at));
            expect(() => before.read(0, 1)).toThrow('Input/output error: gone');
            seen = [...volume];
          }
          expect([...disk.read(0, 6 * PAGE)].filter((_, at) => at % PAGE === 0)).toEqual(seen);
        }
        for (const { pages, held } of snapshots) expect(held.map((_, at) => pages.get(at)?.[7] ?? 0)).toEqual(held);
      }),
    );
  });

  test('reads and writes across pages, zeroes where nothing was written, nothing outside', () => {
    const disk = new Disk(3 * PAGE);
    disk.write(PAGE - 2, Buffer.from('abcd'));
    expect(Buffer.from(disk.read(PAGE - 3, 6)).toString()).toBe('\0abcd\0');
    expect(disk.dirtyPages).toEqual([0, 1]);
    expect(() => disk.write(3 * PAGE - 1, new Uint8Array(2))).toThrow(RangeError);
    expect(() => disk.read(-1, 1)).toThrow(RangeError);
  });
});

describe('volumes', () => {
  test('become available after a while, with what their type brings', async () => {
    const { call, wait } = setUp();
    const made = await call('CreateVolume', { AvailabilityZone: 'us-east-1b', Size: 100 });
    expect(made).toMatchObject({ State: 'creating', VolumeType: 'gp2', Iops: 300, Encrypted: false, Size: 100 });
    await wait(MINUTE);
    const { Volumes } = await call('DescribeVolumes', { VolumeIds: [made.VolumeId] });
    expect(Volumes[0]).toMatchObject({ State: 'available', AvailabilityZone: 'us-east-1b', Attachments: [] });
    const byId = await call('CreateVolume', { AvailabilityZoneId: 'use1-az3', Size: 4, VolumeType: 'gp3' });
    expect(byId).toMatchObject({ AvailabilityZone: 'us-east-1c', Iops: 3000, Throughput: 125 });
  });

  test.each([
    ['another region’s zone', { AvailabilityZone: 'eu-west-1a' }, 'InvalidZone.NotFound'],
    ['no zone', { AvailabilityZone: undefined }, 'MissingParameter'],
    ['neither size nor snapshot', { Size: undefined }, 'MissingParameter'],
    ['a small st1', { VolumeType: 'st1', Size: 100 }, 'InvalidParameterValue'],
    ['an io2 without IOPS', { VolumeType: 'io2', Size: 4 }, 'MissingParameter'],
    ['IOPS for a gp2', { Iops: 500 }, 'InvalidParameterCombination'],
    ['too many IOPS', { VolumeType: 'gp3', Iops: 90_000 }, 'InvalidParameterValue'],
    ['throughput for an io1', { VolumeType: 'io1', Size: 4, Iops: 100, Throughput: 200 }, 'InvalidParameterCombination'],
    ['a shared gp3', { VolumeType: 'gp3', MultiAttachEnabled: true }, 'InvalidParameterCombination'],
    ['a key without encryption', { KmsKeyId: 'alias/aws/ebs' }, 'InvalidParameterDependency'],
    ['a snapshot that is not there', { SnapshotId: 'snap-0123456789abcdef0' }, 'InvalidSnapshot.NotFound'],
    ['tags for another type', { TagSpecifications: [{ ResourceType: 'snapshot' }] }, 'InvalidParameterValue'],
  ])('are refused: %s', async (_, input, code) => {
    const { call, state } = setUp();
    const asked = call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1, ...input });
    await expect(asked).rejects.toMatchObject({ code });
    expect(state().volumes.size).toBe(0);
  });

  test('are made once for a token, and never for the same token with other words', async () => {
    const { call, state } = setUp();
    const input = { AvailabilityZone: 'us-east-1a', Size: 1, ClientToken: 't' };
    const first = await call('CreateVolume', input);
    expect((await call('CreateVolume', input)).VolumeId).toBe(first.VolumeId);
    await expect(call('CreateVolume', { ...input, Size: 2 })).rejects.toMatchObject(refusedWith('IdempotentParameterMismatch'));
    expect(state().volumes.size).toBe(1);
  });

  test('are found by filters, in pages', async () => {
    const { call } = setUp();
    for (let i = 0; i < 12; i++) {
      const TagSpecifications = [{ ResourceType: 'volume', Tags: [{ Key: 'app', Value: i % 2 ? 'shop' : 'shop-test' }] }];
      await call('CreateVolume', { AvailabilityZone: `us-east-1${i < 6 ? 'a' : 'b'}`, Size: 1 + i, TagSpecifications });
    }
    const count = async (...Filters: [string, ...string[]][]) =>
      (await call('DescribeVolumes', { Filters: Filters.map(([Name, ...Values]) => ({ Name, Values })) })).Volumes.length;
    expect(await count(['tag:app', 'shop'])).toBe(6);
    expect(await count(['tag:app', 'shop*'], ['availability-zone', 'us-east-1a'])).toBe(6);
    expect(await count(['tag:app', 's?op', 'other'])).toBe(6);
    expect(await count(['tag-key', 'app'], ['size', '3', '4'])).toBe(2);
    expect(await count(['tag:none', '*'])).toBe(0);
    await expect(count(['colour', 'red'])).rejects.toMatchObject(refusedWith('InvalidParameterValue'));
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page: any = await call('DescribeVolumes', { MaxResults: 5, ...(NextToken ? { NextToken } : {}) });
      expect(page.Volumes.length).toBeLessThanOrEqual(5);
      seen.push(...page.Volumes.map(({ VolumeId }: any) => VolumeId));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(new Set(seen).size).toBe(12);
    await expect(call('DescribeVolumes', { MaxResults: 4 })).rejects.toMatchObject(refusedWith('InvalidParameterValue'));
    await expect(call('DescribeVolumes', { MaxResults: 5, VolumeIds: [seen[0]] })).rejects.toMatchObject(
      refusedWith('InvalidParameterCombination'),
    );
  });

  test('grow while they are used, and never shrink', async () => {
    const { call, wait, volume, write, state } = setUp();
    const VolumeId = await volume({ VolumeType: 'gp3' });
    const disk = write(VolumeId, 'kept');
    await expect(call('ModifyVolume', { VolumeId, Size: 0 })).rejects.toMatchObject(refusedWith('InvalidParameterValue'));
    await call('ModifyVolume', { VolumeId, Size: 3, Iops: 5000 });
    await expect(call('ModifyVolume', { VolumeId, Size: 4 })).rejects.toMatchObject(refusedWith('IncorrectModificationState'));
    await wait(2 * 60 * MINUTE);
    const { VolumesModifications } = await call('DescribeVolumesModifications', { VolumeIds: [VolumeId] });
    expect(VolumesModifications[0]).toMatchObject({ ModificationState: 'completed', OriginalSize: 1, TargetSize: 3 });
    expect(state().volume(VolumeId)).toMatchObject({ size: 3, iops: 5000, throughput: 125 });
    disk.write(2 * 2 ** 30, Buffer.from('beyond'));
    expect(Buffer.from(disk.read(0, 4)).toString()).toBe('kept');
  });

  test('a dry run of anything does nothing', async () => {
    const { call, state, volume } = setUp();
    const VolumeId = await volume();
    for (const [operation, input] of [
      ['CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 }],
      ['CreateSnapshot', { VolumeId }],
      ['DeleteVolume', { VolumeId }],
      ['DescribeVolumes', {}],
    ] as const) {
      await expect(call(operation, { ...input, DryRun: true })).rejects.toMatchObject({ code: 'DryRunOperation', status: 412 });
    }
    expect([state().volumes.size, state().snapshots.size]).toEqual([1, 0]);
  });
});

describe('attachments', () => {
  test('need the same zone, a running instance and a free volume', async () => {
    const { call, volume, instance, wait } = setUp();
    const InstanceId = await instance({ Placement: { AvailabilityZone: 'us-east-1a' } });
    const [here, there] = [await volume(), await volume({ AvailabilityZone: 'us-east-1b' })];
    const attach = (VolumeId: string, id = InstanceId) => call('AttachVolume', { VolumeId, InstanceId: id, Device: '/dev/sdf' });
    await expect(attach(there)).rejects.toMatchObject(refusedWith('InvalidVolume.ZoneMismatch'));
    expect(await attach(here)).toMatchObject({ State: 'attaching', InstanceId });
    await expect(attach(here)).rejects.toMatchObject(refusedWith('VolumeInUse'));
    await expect(call('DeleteVolume', { VolumeId: here })).rejects.toMatchObject(refusedWith('VolumeInUse'));
    await wait(MINUTE);
    const { Volumes } = await call('DescribeVolumes', { Filters: [{ Name: 'attachment.instance-id', Values: [InstanceId] }] });
    expect(Volumes.map(({ State, Attachments }: any) => [State, Attachments[0].State])).toEqual([
      ['in-use', 'attached'],
      ['in-use', 'attached'],
    ]);
    const spare = await volume();
    await expect(attach(spare, 'i-none')).rejects.toMatchObject(refusedWith('InvalidInstanceID.NotFound'));
    const { Instances } = await call('RunInstances', { ImageId: 'ami-1', MinCount: 1, MaxCount: 1 });
    await expect(attach(spare, Instances[0].InstanceId)).rejects.toMatchObject(refusedWith('IncorrectState'));
  });

  test('an io2 can be attached to several instances, others to one', async () => {
    const { call, volume, instance, wait } = setUp();
    const VolumeId = await volume({ VolumeType: 'io2', Size: 4, Iops: 100, MultiAttachEnabled: true });
    const ids = [await instance(), await instance()];
    for (const InstanceId of ids) await call('AttachVolume', { VolumeId, InstanceId, Device: '/dev/sdf' });
    await expect(call('DetachVolume', { VolumeId })).rejects.toMatchObject(refusedWith('MissingParameter'));
    await call('DetachVolume', { VolumeId, InstanceId: ids[0] });
    await wait(MINUTE);
    const { Volumes } = await call('DescribeVolumes', { VolumeIds: [VolumeId] });
    expect(Volumes[0]).toMatchObject({ State: 'in-use', Attachments: [{ InstanceId: ids[1] }] });
  });

  test('what a host had not flushed when its volume was detached is lost or not, page by page; its disk is gone', async () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { call, wait, instance, attached, write, read } = setUp(seed);
      const VolumeId = await attached(await instance());
      write(VolumeId, 'flushed').flush();
      const disk = write(VolumeId, 'cached!');
      expect(Buffer.from(disk.read(0, 7)).toString()).toBe('cached!');
      await call('DetachVolume', { VolumeId });
      await wait(MINUTE);
      expect(() => disk.read(0, 1)).toThrow(/Input\/output error: vol-\w+ was detached from i-/);
      expect(() => disk.flush()).toThrow(/Input\/output error/);
      outcomes.add(read(VolumeId, 7));
    }
    expect(outcomes).toEqual(new Set(['flushed', 'cached!']));
  });

  test('nobody reads a volume that is not there yet, or no more', async () => {
    const { call, volume, state } = setUp();
    const { VolumeId } = await call('CreateVolume', { AvailabilityZone: 'us-east-1a', Size: 1 });
    expect(() => state().disk(VolumeId)).toThrow(/is creating; nobody can read or write it/);
    const id = await volume();
    const disk = state().disk(id);
    await call('DeleteVolume', { VolumeId: id });
    expect(() => disk.write(0, new Uint8Array(1))).toThrow(/was deleted/);
    expect(() => state().disk(id)).toThrow(/There is no volume/);
    await expect(call('DeleteVolume', { VolumeId: id })).rejects.toMatchObject(refusedWith('InvalidVolume.NotFound'));
  });
});

describe('instances', () => {
  test('have a root, and take with them what is to go with them', async () => {
    const { call, wait, state, instance, attached } = setUp();
    const InstanceId = await instance({
      BlockDeviceMappings: [
        { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 20 } },
        { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 5, DeleteOnTermination: false, Encrypted: true } },
      ],
      TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'of', Value: 'node' }] }],
    });
    const data = await attached(InstanceId);
    const { Reservations } = await call('DescribeInstances', { InstanceIds: [InstanceId] });
    const [{ Instances }] = Reservations;
    expect(Instances[0].State.Name).toBe('running');
    expect(Instances[0].BlockDeviceMappings).toHaveLength(3);
    const sizes = [...state().volumes.values()].map(({ size, tags, encrypted }) => [size, tags['of'], encrypted]);
    expect(sizes).toEqual([
      [20, 'node', false],
      [5, 'node', true],
      [1, undefined, false],
    ]);
    const { TerminatingInstances } = await call('TerminateInstances', { InstanceIds: [InstanceId] });
    expect(TerminatingInstances[0]).toMatchObject({
      PreviousState: { Name: 'running' },
      CurrentState: { Name: 'shutting-down' },
    });
    await wait(MINUTE);
    expect([...state().volumes.values()].map(({ size, state }) => [size, state])).toEqual([
      [5, 'available'],
      [1, 'available'],
    ]);
    expect(state().disk(data).size).toBe(2 ** 30);
  });

  test('run once for a token', async () => {
    const { call, state } = setUp();
    const input = { ImageId: 'ami-1', MinCount: 2, MaxCount: 3, ClientToken: 'node' };
    const first = await call('RunInstances', input);
    const again = await call('RunInstances', input);
    expect(again.ReservationId).toBe(first.ReservationId);
    expect(state().instances.size).toBe(3);
    const { Reservations } = await call('DescribeInstances', {});
    expect(Reservations.map(({ Instances }: any) => Instances.length)).toEqual([3]);
  });
});

describe('snapshots', () => {
  test('hold what was flushed when the call was accepted, and complete later', async () => {
    const { call, volume, write, read, described, wait } = setUp();
    const VolumeId = await volume();
    write(VolumeId, 'before', 8192).flush();
    const made = await call('CreateSnapshot', { VolumeId, Description: 'mine' });
    expect(made).toMatchObject({ State: 'pending', VolumeId, VolumeSize: 1, OwnerId: HOME.account, Description: 'mine' });
    write(VolumeId, 'after!', 8192).flush();
    await expect(call('CreateVolume', { AvailabilityZone: 'us-east-1a', SnapshotId: made.SnapshotId })).rejects.toMatchObject(
      refusedWith('IncorrectState'),
    );
    await wait(30_000);
    expect((await described(made.SnapshotId)).Progress).toMatch(/^[1-9]\d?%$/);
    await wait(20 * MINUTE);
    expect(await described(made.SnapshotId)).toMatchObject({ State: 'completed', Progress: '100%' });
    await call('DeleteVolume', { VolumeId });
    const back = await volume({ SnapshotId: made.SnapshotId, Size: 2, AvailabilityZone: 'us-east-1c' });
    expect(read(back, 6, 8192)).toBe('before');
    await expect(volume({ SnapshotId: made.SnapshotId, Size: 0 })).rejects.toMatchObject(refusedWith('InvalidParameterValue'));
  });

  test('hold of a host’s cache what the host happened to write back, whole pages of it', async () => {
    const kinds = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { volume, write, read, snapshot } = setUp(seed);
      const VolumeId = await volume();
      write(VolumeId, 'old', 0).flush();
      write(VolumeId, 'new', 0);
      write(VolumeId, 'new', PAGE);
      const back = await volume({ SnapshotId: await snapshot(VolumeId) });
      kinds.add(`${read(back, 3)} ${read(back, 3, PAGE).replaceAll('\0', '-')}`);
    }
    expect([...kinds].sort()).toEqual(['new ---', 'new new', 'old ---', 'old new']);
  });

  test('of one volume are 15 seconds apart, and five at a time', async () => {
    const { call, volume, wait } = setUp();
    const VolumeId = await volume();
    const take = () => call('CreateSnapshot', { VolumeId });
    const { SnapshotId } = await take();
    await call('DeleteSnapshot', { SnapshotId });
    await wait(14_000);
    await expect(take()).rejects.toMatchObject(refusedWith('SnapshotCreationPerVolumeRateExceeded'));
    for (let i = 0; i < 3; i++) {
      await wait(15_000);
      await take();
    }
    const st1 = await volume({ VolumeType: 'st1', Size: 125 });
    await call('CreateSnapshot', { VolumeId: st1 });
    await wait(16_000);
    await expect(call('CreateSnapshot', { VolumeId: st1 })).rejects.toMatchObject(refusedWith('ConcurrentSnapshotLimitExceeded'));
  });

  test('no sixth is begun while five are pending', async () => {
    const { state, call, volume, wait } = setUp();
    const VolumeId = await volume();
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      await call('CreateSnapshot', { VolumeId }).catch(({ code }) => {
        expect(code).toBe('ConcurrentSnapshotLimitExceeded');
        refused++;
      });
      const pending = [...state().snapshots.values()].filter((one) => one.state === 'pending').length;
      expect(pending).toBeLessThanOrEqual(5);
      await wait(15_000);
    }
    expect(refused).toBeGreaterThan(0);
  });

  test('of an instance are taken together or not at all', async () => {
    const { call, state, wait, instance, attached, write, read, volume } = setUp();
    const InstanceId = await instance();
    const [one, two, three] = [await attached(InstanceId), await attached(InstanceId), await attached(InstanceId)];
    write(two, 'together').flush();
    await call('CreateTags', { Resources: [two], Tags: [{ Key: 'role', Value: 'data' }] });
    const input = (more: object) => ({ InstanceSpecification: { InstanceId, ...more }, CopyTagsFromSource: 'volume' });
    const all = await call('CreateSnapshots', input({}));
    expect(all.Snapshots).toHaveLength(4);
    expect(new Set(all.Snapshots.map(({ StartTime }: any) => StartTime.getTime())).size).toBe(1);
    const ofTwo = all.Snapshots.find(({ VolumeId }: any) => VolumeId === two);
    expect(ofTwo).toMatchObject({ State: 'pending', Tags: [{ Key: 'role', Value: 'data' }] });
    await wait(20 * MINUTE);
    expect(read(await volume({ SnapshotId: ofTwo.SnapshotId }), 8)).toBe('together');

    const some = await call('CreateSnapshots', input({ ExcludeBootVolume: true, ExcludeDataVolumeIds: [three] }));
    expect(some.Snapshots.map(({ VolumeId }: any) => VolumeId)).toEqual([one, two]);
    const before = state().snapshots.size;
    await expect(call('CreateSnapshots', input({}))).rejects.toMatchObject(refusedWith('SnapshotCreationPerVolumeRateExceeded'));
    expect(state().snapshots.size).toBe(before);
    for (const [more, code] of [
      [{ ExcludeDataVolumeIds: ['vol-elsewhere'] }, 'InvalidParameterValue'],
      [{ ExcludeBootVolume: true, ExcludeDataVolumeIds: [one, two, three] }, 'InvalidParameterCombination'],
      [{ InstanceId: 'i-none' }, 'InvalidInstanceID.NotFound'],
      [{ ExcludeDataVolumeIds: Array(41).fill(one) }, 'InvalidParameterValue'],
    ] as const) {
      await expect(call('CreateSnapshots', input(more))).rejects.toMatchObject(refusedWith(code));
    }
  });

  test('show up by id at once, by filter a little later', async () => {
    const { call, state, volume, wait } = setUp();
    state().visibilityLagSeconds = [2, 3];
    const VolumeId = await volume();
    const { SnapshotId } = await call('CreateSnapshot', { VolumeId });
    const byFilter = () => call('DescribeSnapshots', { Filters: [{ Name: 'volume-id', Values: [VolumeId] }] });
    expect((await byFilter()).Snapshots).toEqual([]);
    expect((await call('DescribeSnapshots', { SnapshotIds: [SnapshotId] })).Snapshots).toHaveLength(1);
    await wait(3_000);
    expect((await byFilter()).Snapshots).toHaveLength(1);
  });

  test('are found by tags, state, time and owner', async () => {
    const { call, volume, snapshot } = setUp();
    const VolumeId = await volume();
    const TagSpecifications = [{ ResourceType: 'snapshot', Tags: [{ Key: 'stillpoint:cut', Value: 'c1' }] }];
    const tagged = await snapshot(VolumeId, { TagSpecifications });
    const plain = await snapshot(VolumeId);
    await call('CreateSnapshot', { VolumeId });
    const find = async (OwnerIds: string[], ...Filters: [string, string][]) =>
      (
        await call('DescribeSnapshots', { OwnerIds, Filters: Filters.map(([Name, Value]) => ({ Name, Values: [Value] })) })
      ).Snapshots.map(({ SnapshotId }: any) => SnapshotId);
    expect(await find(['self'], ['tag:stillpoint:cut', 'c1'])).toEqual([tagged]);
    expect(await find(['self'], ['tag-key', 'stillpoint:*'])).toEqual([tagged]);
    expect(await find([HOME.account], ['status', 'completed'])).toEqual([tagged, plain]);
    expect(await find(['self'], ['start-time', '2026-11-22T03:0*'])).toEqual([tagged]);
    expect(await find(['amazon'])).toEqual([]);
    await expect(call('DescribeSnapshots', { SnapshotIds: [plain, 'snap-none'] })).rejects.toMatchObject(
      refusedWith('InvalidSnapshot.NotFound'),
    );
  });

  test('cost pages that are shared, not copied', async () => {
    const { state, volume, snapshot, write } = setUp();
    const VolumeId = await volume();
    for (let page = 0; page < 100; page++) write(VolumeId, 'x', page * PAGE);
    state().disk(VolumeId).flush();
    const [first, second] = [await snapshot(VolumeId), await snapshot(VolumeId)];
    write(VolumeId, 'y').flush();
    const third = await snapshot(VolumeId);
    const pages = (id: string) => state().snapshot(id).pages;
    expect(pages(second)).toBe(pages(first));
    expect([...pages(third)].filter(([page, bytes]) => pages(first).get(page) !== bytes)).toHaveLength(1);
  });
});

describe('copies', () => {
  const source = async (stand: ReturnType<typeof setUp>, input: object = {}, more: object = {}) => {
    const VolumeId = await stand.volume(input);
    stand.write(VolumeId, 'copied').flush();
    return stand.snapshot(VolumeId, more);
  };
  const copy = (SourceSnapshotId: string, more: object = {}) => ({ SourceRegion: HOME.region, SourceSnapshotId, ...more });

  test('are pulled into the region that asks, without tags or volume', async () => {
    const stand = setUp();
    const { call, wait, described, volume, read } = stand;
    const TagSpecifications = [{ ResourceType: 'snapshot', Tags: [{ Key: 'a', Value: 'b' }] }];
    const original = await source(stand, {}, { TagSpecifications });
    const { SnapshotId } = await call('CopySnapshot', copy(original), WEST);
    expect(await described(SnapshotId, WEST)).toMatchObject({
      State: 'pending',
      VolumeId: 'vol-ffffffff',
      Tags: [],
      Encrypted: false,
    });
    await wait(20 * MINUTE);
    const back = await volume({ SnapshotId }, WEST);
    expect(read(back, 6, 0, WEST)).toBe('copied');
    await expect(call('CopySnapshot', copy('snap-none'), WEST)).rejects.toMatchObject(refusedWith('InvalidSnapshot.NotFound'));
    await expect(call('CopySnapshot', copy(original, { Encrypted: false }), WEST)).rejects.toMatchObject(
      refusedWith('InvalidParameterValue'),
    );
  });

  test('are refused from a region that is dark, and fail where it goes dark meanwhile', async () => {
    const stand = setUp();
    const { call, wait, described, world } = stand;
    const original = await source(stand);
    const { SnapshotId } = await call('CopySnapshot', copy(original), WEST);
    world.dark.add(HOME.region);
    await expect(call('CopySnapshot', copy(original), WEST)).rejects.toMatchObject(refusedWith('Unavailable'));
    await wait(20 * MINUTE);
    expect(await described(SnapshotId, WEST)).toMatchObject({ State: 'error', StateMessage: 'us-east-1 became unavailable' });
  });

  test('are 20 at a time into one region', async () => {
    const stand = setUp();
    const { call, wait } = stand;
    const original = await source(stand);
    for (let i = 0; i < 20; i++) await call('CopySnapshot', copy(original), WEST);
    await expect(call('CopySnapshot', copy(original), WEST)).rejects.toMatchObject(refusedWith('ResourceLimitExceeded'));
    await wait(20 * MINUTE);
    await call('CopySnapshot', copy(original), WEST);
  });

  test('are encrypted under a key of their own region, and end in error where a key cannot be used', async () => {
    const stand = setUp();
    const { call, wait, described, key } = stand;
    const [home, west] = [await key(), await key(WEST)];
    const original = await source(stand, { Encrypted: true, KmsKeyId: home });
    const states = async (more: object) => {
      const { SnapshotId } = await call('CopySnapshot', copy(original, more), WEST);
      await wait(20 * MINUTE);
      const { State, KmsKeyId, StateMessage } = await described(SnapshotId, WEST);
      return [State, KmsKeyId, StateMessage];
    };
    expect(await states({ Encrypted: true, KmsKeyId: west })).toEqual(['completed', west, undefined]);
    expect(await states({})).toEqual(['completed', expect.stringMatching(/^arn:aws:kms:eu-west-1:/), undefined]);
    const broken = ['error', undefined, 'Given key ID is not accessible'];
    expect(await states({ Encrypted: true, KmsKeyId: home })).toEqual(broken);
    expect(await states({ Encrypted: true, KmsKeyId: 'alias/none' })).toEqual(broken);
    await call('DisableKey', { KeyId: west }, WEST, 'kms');
    expect(await states({ Encrypted: true, KmsKeyId: west })).toEqual(broken);
    await call('DisableKey', { KeyId: home }, HOME, 'kms');
    expect((await states({}))[0]).toBe('error');
  });

  test('within a time that was asked for', async () => {
    const stand = setUp();
    const { call, wait, described } = stand;
    const original = await source(stand);
    await expect(call('CopySnapshot', copy(original, { CompletionDurationMinutes: 20 }), WEST)).rejects.toMatchObject(
      refusedWith('InvalidParameterValue'),
    );
    const { SnapshotId } = await call('CopySnapshot', copy(original, { CompletionDurationMinutes: 15 }), WEST);
    await wait(15 * MINUTE);
    expect((await described(SnapshotId, WEST)).State).toBe('completed');
  });
});

describe('sharing with another account', () => {
  const share = (SnapshotId: string, more: object) => ({ SnapshotId, Attribute: 'createVolumePermission', ...more });

  test('lets it see, restore and copy, but not delete or read the tags', async () => {
    const { call, volume, write, read, snapshot, described, wait } = setUp();
    const VolumeId = await volume();
    write(VolumeId, 'shared').flush();
    const id = await snapshot(VolumeId, { TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'a', Value: 'b' }] }] });
    await expect(described(id, OTHER)).rejects.toMatchObject(refusedWith('InvalidSnapshot.NotFound'));
    await call('ModifySnapshotAttribute', share(id, { OperationType: 'add', UserIds: [OTHER.account] }));
    expect(await described(id, OTHER)).toMatchObject({ OwnerId: HOME.account, Tags: [] });
    const seen = async (input: object) => (await call('DescribeSnapshots', input, OTHER)).Snapshots.length;
    expect([await seen({}), await seen({ OwnerIds: ['self'] }), await seen({ RestorableByUserIds: ['self'] })]).toEqual([
      1, 0, 1,
    ]);
    expect(read(await volume({ SnapshotId: id }, OTHER), 6, 0, OTHER)).toBe('shared');
    const { SnapshotId } = await call('CopySnapshot', { SourceRegion: HOME.region, SourceSnapshotId: id }, OTHER);
    await wait(20 * MINUTE);
    expect(await described(SnapshotId, OTHER)).toMatchObject({ OwnerId: OTHER.account, State: 'completed' });
    await expect(call('DeleteSnapshot', { SnapshotId: id }, OTHER)).rejects.toMatchObject(
      refusedWith('InvalidSnapshot.NotFound'),
    );
    expect((await call('DescribeSnapshotAttribute', share(id, {}))).CreateVolumePermissions).toEqual([{ UserId: OTHER.account }]);
    await call('ModifySnapshotAttribute', share(id, { CreateVolumePermission: { Remove: [{ UserId: OTHER.account }] } }));
    await expect(described(id, OTHER)).rejects.toMatchObject(refusedWith('InvalidSnapshot.NotFound'));
  });

  test('of what is encrypted needs a key whose policy lets it in', async () => {
    const { call, volume, snapshot, described, wait, key } = setUp();
    const ofAws = await snapshot(await volume({ Encrypted: true }));
    const add = { OperationType: 'add', UserIds: [OTHER.account] };
    await expect(call('ModifySnapshotAttribute', share(ofAws, add))).rejects.toMatchObject(refusedWith('OperationNotPermitted'));
    const KmsKeyId = await key();
    const id = await snapshot(await volume({ Encrypted: true, KmsKeyId }));
    await expect(call('ModifySnapshotAttribute', share(id, { OperationType: 'add', GroupNames: ['all'] }))).rejects.toMatchObject(
      refusedWith('OperationNotPermitted'),
    );
    await call('ModifySnapshotAttribute', share(id, add));
    const copied = async () => {
      const { SnapshotId } = await call('CopySnapshot', { SourceRegion: HOME.region, SourceSnapshotId: id }, OTHER);
      await wait(20 * MINUTE);
      return (await described(SnapshotId, OTHER)).State;
    };
    expect(await copied()).toBe('error');
    const policy = (Action: string[], Condition: object) => ({
      KeyId: KmsKeyId,
      Policy: JSON.stringify({
        Statement: [
          { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OTHER.account}:root` }, Action, Resource: '*', Condition },
        ],
      }),
    });
    const viaEc2 = { StringEquals: { 'kms:ViaService': 'ec2.us-east-1.amazonaws.com' } };
    await call('PutKeyPolicy', policy(['kms:DescribeKey', 'kms:Decrypt'], viaEc2), HOME, 'kms');
    expect(await copied()).toBe('error');
    await call(
      'PutKeyPolicy',
      policy(['kms:DescribeKey', 'kms:Decrypt', 'kms:CreateGrant', 'kms:ReEncryptFrom'], viaEc2),
      HOME,
      'kms',
    );
    expect(await copied()).toBe('completed');
  });

  test('with all makes it public', async () => {
    const { call, volume, snapshot, described } = setUp();
    const id = await snapshot(await volume());
    await call('ModifySnapshotAttribute', share(id, { CreateVolumePermission: { Add: [{ Group: 'all' }] } }));
    expect((await described(id, OTHER)).OwnerId).toBe(HOME.account);
    await call('ResetSnapshotAttribute', share(id, {}));
    await expect(described(id, OTHER)).rejects.toMatchObject(refusedWith('InvalidSnapshot.NotFound'));
  });
});

describe('locks', () => {
  const locked = async () => {
    const stand = setUp();
    const SnapshotId = await stand.snapshot(await stand.volume());
    const lock = (input: object) => stand.call('LockSnapshot', { SnapshotId, ...input });
    const remove = () => stand.call('DeleteSnapshot', { SnapshotId });
    const unlock = () => stand.call('UnlockSnapshot', { SnapshotId });
    return { ...stand, SnapshotId, lock, remove, unlock };
  };

  test('in governance mode keep a snapshot until they are taken off or end', async () => {
    const { lock, remove, unlock, wait, call, SnapshotId } = await locked();
    expect(await lock({ LockMode: 'governance', LockDuration: 2 })).toMatchObject({ LockState: 'governance', LockDuration: 2 });
    await expect(remove()).rejects.toMatchObject({
      code: 'OperationNotPermitted',
      message: expect.stringMatching(/locked until/),
    });
    await lock({ LockMode: 'governance', LockDuration: 1 });
    await wait(DAY + 1);
    const { Snapshots } = await call('DescribeLockedSnapshots', {});
    expect(Snapshots).toMatchObject([{ SnapshotId, LockState: 'expired' }]);
    await lock({ LockMode: 'governance', LockDuration: 1 });
    await unlock();
    await remove();
  });

  test('in compliance mode can only be made longer, once their cooling-off is over', async () => {
    const { lock, remove, unlock, wait } = await locked();
    const cooling = await lock({ LockMode: 'compliance', LockDuration: 9, CoolOffPeriod: 2 });
    expect(cooling).toMatchObject({ LockState: 'compliance-cooloff', CoolOffPeriod: 2 });
    await unlock();
    await lock({ LockMode: 'compliance', LockDuration: 9, CoolOffPeriod: 2 });
    await lock({ LockMode: 'compliance', LockDuration: 5, CoolOffPeriod: 2 });
    await wait(2 * 3_600_000);
    for (const attempt of [
      unlock,
      () => lock({ LockMode: 'compliance', LockDuration: 4 }),
      () => lock({ LockMode: 'governance', LockDuration: 9 }),
      () => lock({ LockMode: 'compliance', LockDuration: 9, CoolOffPeriod: 1 }),
    ])
      await expect(attempt()).rejects.toMatchObject(refusedWith('UnsupportedOperation'));
    await lock({ LockMode: 'compliance', LockDuration: 7 });
    await wait(6 * DAY);
    await expect(remove()).rejects.toMatchObject(refusedWith('OperationNotPermitted'));
    await wait(DAY + 1);
    await remove();
  });

  test('of a pending snapshot begin when it is completed, and end with it where it fails', async () => {
    const { call, volume, snapshot, wait, state } = setUp();
    const VolumeId = await volume();
    const original = await snapshot(VolumeId);
    const { SnapshotId } = await call('CreateSnapshot', { VolumeId });
    const doomed = { SourceRegion: HOME.region, SourceSnapshotId: original, Encrypted: true, KmsKeyId: 'alias/none' };
    const { SnapshotId: fails } = await call('CopySnapshot', doomed);
    const answer = await call('LockSnapshot', { SnapshotId, LockMode: 'compliance', LockDuration: 1 });
    expect(answer).toMatchObject({ LockState: 'compliance', LockDuration: 1 });
    expect(answer).not.toHaveProperty('LockExpiresOn');
    await call('LockSnapshot', { SnapshotId: fails, LockMode: 'compliance', LockDuration: 1 });
    await expect(call('DeleteSnapshot', { SnapshotId: fails })).rejects.toMatchObject(refusedWith('OperationNotPermitted'));
    await wait(20 * MINUTE);
    await call('DeleteSnapshot', { SnapshotId: fails });
    const { completedAt, lock } = state().snapshot(SnapshotId);
    expect(lock!.expiresAt.getTime() - completedAt!.getTime()).toBe(DAY);
  });

  test.each([
    ['no time', { LockMode: 'governance' }, 'InvalidParameterCombination'],
    ['two times', { LockMode: 'governance', LockDuration: 1, ExpirationDate: new Date(2e12) }, 'InvalidParameterCombination'],
    ['a time past', { LockMode: 'governance', ExpirationDate: new Date(0) }, 'InvalidParameterValue'],
    ['a cooling-off in governance mode', { LockMode: 'governance', LockDuration: 1, CoolOffPeriod: 1 }, 'InvalidParameterValue'],
    ['no day', { LockMode: 'compliance', LockDuration: 0 }, 'InvalidParameterValue'],
    ['no mode', { LockDuration: 1 }, 'InvalidParameterValue'],
  ])('are refused with %s', async (_, input, code) => {
    const { lock } = await locked();
    await expect(lock(input)).rejects.toMatchObject({ code });
  });
});

describe('encryption', () => {
  test('with a key that cannot be used is accepted, and the volume ends in error', async () => {
    const { call, volume, state, key } = setUp();
    const disabled = await key();
    await call('DisableKey', { KeyId: disabled }, HOME, 'kms');
    for (const KmsKeyId of ['alias/none', disabled, (await key(WEST)) as string]) {
      const id = await volume({ Encrypted: true, KmsKeyId });
      expect(state().volume(id)).toMatchObject({ state: 'error', encrypted: true });
      expect(() => state().disk(id)).toThrow(/is error/);
    }
  });

  test('stays with what was made from what was encrypted, under the same key', async () => {
    const { call, volume, snapshot, state, key } = setUp();
    const KmsKeyId = await key();
    const id = await snapshot(await volume({ Encrypted: true, KmsKeyId }));
    expect(state().snapshot(id)).toMatchObject({ encrypted: true, key: KmsKeyId });
    expect(state().volume(await volume({ SnapshotId: id }))).toMatchObject({ encrypted: true, key: KmsKeyId });
    await call('DisableKey', { KeyId: KmsKeyId }, HOME, 'kms');
    expect(state().volume(await volume({ SnapshotId: id })).state).toBe('error');
  });

  test('by default takes the default key', async () => {
    const { call, volume, state, key } = setUp();
    expect(await call('GetEbsEncryptionByDefault')).toEqual({ EbsEncryptionByDefault: false });
    await call('EnableEbsEncryptionByDefault');
    const ofAws = state().volume(await volume());
    expect([ofAws.encrypted, await call('GetEbsDefaultKmsKeyId')]).toEqual([true, { KmsKeyId: 'alias/aws/ebs' }]);
    const KmsKeyId = await key();
    await call('ModifyEbsDefaultKmsKeyId', { KmsKeyId });
    expect(state().volume(await volume()).key).toBe(KmsKeyId);
    await expect(call('ModifyEbsDefaultKmsKeyId', { KmsKeyId: 'alias/none' })).rejects.toMatchObject(
      refusedWith('InvalidParameterValue'),
    );
    await call('ResetEbsDefaultKmsKeyId');
    expect(state().volume(await volume()).key).toBe(ofAws.key);
  });

  test('needs its key to attach and to snapshot, not to read and write', async () => {
    const { call, volume, instance, attached, write, read, key } = setUp();
    const KmsKeyId = await key();
    const InstanceId = await instance();
    const [free, used] = [await volume({ Encrypted: true, KmsKeyId }), await attached(InstanceId, { Encrypted: true, KmsKeyId })];
    await call('DisableKey', { KeyId: KmsKeyId }, HOME, 'kms');
    write(used, 'still').flush();
    expect(read(used, 5)).toBe('still');
    const unusable = { code: 'InvalidKMSKey.InvalidState', message: expect.stringMatching(/is disabled/) };
    await expect(call('AttachVolume', { VolumeId: free, InstanceId, Device: '/dev/sdz' })).rejects.toMatchObject(unusable);
    await expect(call('CreateSnapshot', { VolumeId: used })).rejects.toMatchObject(unusable);
  });
});

describe('tags', () => {
  test('are changed on all resources or on none', async () => {
    const { call, volume, snapshot } = setUp();
    const VolumeId = await volume();
    const SnapshotId = await snapshot(VolumeId);
    const tag = (Resources: string[], Key: string, Value = 'v') => call('CreateTags', { Resources, Tags: [{ Key, Value }] });
    await tag([VolumeId, SnapshotId], 'one');
    for (const [missing, code] of [
      ['vol-none', 'InvalidVolume.NotFound'],
      ['snap-none', 'InvalidSnapshot.NotFound'],
      ['i-none', 'InvalidInstanceID.NotFound'],
      ['none', 'InvalidID'],
    ] as const)
      await expect(tag([VolumeId, missing], 'two')).rejects.toMatchObject({ code });
    await expect(tag([VolumeId], 'aws:mine')).rejects.toMatchObject(refusedWith('InvalidParameterValue'));
    const { Tags } = await call('DescribeTags', { Filters: [{ Name: 'key', Values: ['*'] }] });
    expect(Tags.map(({ ResourceType, Key }: any) => [ResourceType, Key])).toEqual([
      ['volume', 'one'],
      ['snapshot', 'one'],
    ]);
    await call('DeleteTags', { Resources: [VolumeId], Tags: [{ Key: 'one', Value: 'other' }] });
    await call('DeleteTags', { Resources: [SnapshotId], Tags: [{ Key: 'one' }] });
    const left = await call('DescribeTags', {});
    expect(left.Tags.map(({ ResourceId }: any) => ResourceId)).toEqual([VolumeId]);
  });

  test('are fifty at most', async () => {
    const { call, volume } = setUp();
    const VolumeId = await volume();
    const Tags = Array.from({ length: 50 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    await call('CreateTags', { Resources: [VolumeId], Tags });
    await call('CreateTags', { Resources: [VolumeId], Tags: [{ Key: 'k1', Value: 'changed' }] });
    await expect(call('CreateTags', { Resources: [VolumeId], Tags: [{ Key: 'k50', Value: '' }] })).rejects.toMatchObject(
      refusedWith('TagLimitExceeded'),
    );
  });
});

describe('places', () => {
  test('regions and zones', async () => {
    const { call } = setUp();
    const { AvailabilityZones } = await call(
      'DescribeAvailabilityZones',
      {},
      { account: HOME.account, region: 'ap-southeast-2' },
    );
    expect(AvailabilityZones.map(({ ZoneName, ZoneId }: any) => [ZoneName, ZoneId])).toEqual([
      ['ap-southeast-2a', 'apse2-az1'],
      ['ap-southeast-2b', 'apse2-az2'],
      ['ap-southeast-2c', 'apse2-az3'],
    ]);
    const { Regions } = await call('DescribeRegions', { Filters: [{ Name: 'region-name', Values: ['eu-*'] }] });
    expect(Regions.map(({ RegionName }: any) => RegionName)).toContain('eu-west-1');
    await expect(call('DescribeRegions', { RegionNames: ['mars-1'] })).rejects.toMatchObject(
      refusedWith('InvalidParameterValue'),
    );
  });

  test('networks are names that are checked', async () => {
    const { call, instance } = setUp();
    const { Vpc } = await call('CreateVpc', { CidrBlock: '10.0.0.0/16' });
    const { Subnet } = await call('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: '10.0.1.0/24', AvailabilityZone: 'us-east-1b' });
    const { GroupId } = await call('CreateSecurityGroup', { GroupName: 'web', Description: 'web', VpcId: Vpc.VpcId });
    await expect(call('CreateSecurityGroup', { GroupName: 'web', Description: 'web', VpcId: Vpc.VpcId })).rejects.toMatchObject(
      refusedWith('InvalidGroup.Duplicate'),
    );
    const InstanceId = await instance({ SubnetId: Subnet.SubnetId, SecurityGroupIds: [GroupId] });
    const { Reservations } = await call('DescribeInstances', { InstanceIds: [InstanceId] });
    expect(Reservations[0].Instances[0]).toMatchObject({ VpcId: Vpc.VpcId, Placement: { AvailabilityZone: 'us-east-1b' } });
    const { Subnets } = await call('DescribeSubnets', { Filters: [{ Name: 'vpc-id', Values: [Vpc.VpcId] }] });
    expect(Subnets).toHaveLength(1);
    await expect(call('DescribeVpcs', { VpcIds: ['vpc-none'] })).rejects.toMatchObject(refusedWith('InvalidVpcID.NotFound'));
  });

  test('ids of networks follow from what they are made of, whatever the seed, and none is given twice', async () => {
    const made = async (seed: string) => {
      const { call } = setUp(seed);
      const ids: string[] = [];
      for (const place of [HOME, WEST, HOME]) {
        const { Vpc } = await call('CreateVpc', { CidrBlock: '10.0.0.0/16' }, place);
        const { Subnet } = await call('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: '10.0.0.0/24' }, place);
        ids.push(Vpc.VpcId, Subnet.SubnetId);
      }
      return ids;
    };
    const ids = await made('one');
    expect(new Set(ids).size).toBe(6);
    expect(await made('two')).toEqual(ids);
  });

  test('what is not modelled says so', async () => {
    await expect(setUp().call('CreateImage', {})).rejects.toMatchObject({ code: 'NotImplemented', status: 501 });
  });

  test('one seed is one history', async () => {
    const history = async () => {
      const { volume, snapshot, described, write } = setUp('same');
      const VolumeId = await volume();
      write(VolumeId, 'cached');
      const { CompletionTime } = await described(await snapshot(VolumeId));
      return [VolumeId, CompletionTime.toISOString()];
    };
    expect(await history()).toEqual(await history());
  });
});
