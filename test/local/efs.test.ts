import { expect, test } from 'vitest';
import type { EfsState } from '../../local/services/elasticfilesystem/state.ts';
import { loadServices, World } from '../../local/world/world.ts';

const services = await loadServices();
const HERE = { account: '111122223333', region: 'us-east-1' };

function setUp() {
  const world = new World(services, { seed: 'efs', latency: [0, 0] });
  const call = (operation: string, input: object = {}, service = 'elasticfilesystem') =>
    world.clock.settle(world.call({ place: HERE, service, operation, input }));
  const refused = (operation: string, input: object) => call(operation, input).then(String, ({ code }) => code);
  const efs = () => world.state<EfsState>('elasticfilesystem', HERE);
  const make = async (input: object = {}) => {
    const { FileSystemId } = await call('CreateFileSystem', { CreationToken: `t${efs().fileSystems.size}`, ...input });
    await world.clock.advance(60_000);
    return FileSystemId as string;
  };
  return { world, call, refused, efs, make };
}

test('a file system comes to be, one for each token, and is found by page, id and token', async () => {
  const { call, refused, make } = setUp();
  const made = await call('CreateFileSystem', { CreationToken: 'one', Tags: [{ Key: 'Name', Value: 'uploads' }] });
  expect(made).toMatchObject({
    LifeCycleState: 'creating',
    Name: 'uploads',
    PerformanceMode: 'generalPurpose',
    Encrypted: false,
  });
  expect(await refused('CreateFileSystem', { CreationToken: 'one' })).toBe('FileSystemAlreadyExists');
  expect(await refused('CreateAccessPoint', { FileSystemId: made.FileSystemId })).toBe('IncorrectFileSystemLifeCycleState');
  const second = await make();
  const first = await call('DescribeFileSystems', { MaxItems: 1 });
  const rest = await call('DescribeFileSystems', { MaxItems: 1, Marker: first.NextMarker });
  expect([first, rest].map(({ FileSystems }) => FileSystems[0].FileSystemId)).toEqual([made.FileSystemId, second]);
  expect(rest.NextMarker).toBeUndefined();
  expect((await call('DescribeFileSystems', { CreationToken: 'one' })).FileSystems).toHaveLength(1);
  expect(await refused('DescribeFileSystems', { FileSystemId: 'fs-0123' })).toBe('FileSystemNotFound');
});

test('its id follows from its token, whatever the seed, and is never given twice', async () => {
  const made = async (seed: string) => {
    const world = new World(services, { seed });
    const ids: string[] = [];
    for (const place of [HERE, { ...HERE, region: 'eu-west-1' }]) {
      const call = (operation: string, input: object): Promise<any> =>
        world.clock.settle(world.call({ place, service: 'elasticfilesystem', operation, input }));
      const { FileSystemId } = await call('CreateFileSystem', { CreationToken: 'uploads' });
      await call('DeleteFileSystem', { FileSystemId });
      await world.clock.advance(60_000);
      ids.push(FileSystemId, (await call('CreateFileSystem', { CreationToken: 'uploads' })).FileSystemId);
    }
    return ids;
  };
  const ids = await made('one');
  expect(new Set(ids).size).toBe(4);
  expect(ids.every((id) => /^fs-0[0-9a-f]{16}$/.test(id))).toBe(true);
  expect(await made('two')).toEqual(ids);
});

test('is encrypted under a key that can be used', async () => {
  const { call, refused } = setUp();
  const { KeyMetadata } = await call('CreateKey', {}, 'kms');
  const input = { Encrypted: true, KmsKeyId: KeyMetadata.KeyId };
  expect(await call('CreateFileSystem', { CreationToken: 'a', ...input })).toMatchObject({ KmsKeyId: KeyMetadata.Arn });
  expect(await refused('CreateFileSystem', { CreationToken: 'b', KmsKeyId: KeyMetadata.KeyId })).toBe('BadRequest');
  await call('DisableKey', { KeyId: KeyMetadata.KeyId }, 'kms');
  expect(await refused('CreateFileSystem', { CreationToken: 'c', ...input })).toBe('BadRequest');
});

test('has one mount target in each zone, all in one VPC, and is deleted only without them', async () => {
  const { world, call, refused, make } = setUp();
  const FileSystemId = await make();
  const network = async (CidrBlock: string, ...zones: string[]) => {
    const { Vpc } = await call('CreateVpc', { CidrBlock }, 'ec2');
    const subnet = async (zone: string) =>
      (await call('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock, AvailabilityZone: `us-east-1${zone}` }, 'ec2')).Subnet.SubnetId;
    const made: string[] = [];
    for (const zone of zones) made.push(await subnet(zone));
    return made;
  };
  const [a, twin, b] = await network('10.0.0.0/16', 'a', 'a', 'b');
  const [elsewhere] = await network('10.1.0.0/16', 'c');
  const { MountTargetId } = await call('CreateMountTarget', { FileSystemId, SubnetId: a });
  expect(await refused('CreateMountTarget', { FileSystemId, SubnetId: twin })).toBe('MountTargetConflict');
  expect(await refused('CreateMountTarget', { FileSystemId, SubnetId: elsewhere })).toBe('MountTargetConflict');
  expect(await refused('CreateMountTarget', { FileSystemId, SubnetId: 'subnet-0' })).toBe('SubnetNotFound');
  expect(await refused('CreateMountTarget', { FileSystemId, SubnetId: b, SecurityGroups: ['sg-0'] })).toBe(
    'SecurityGroupNotFound',
  );
  expect(await refused('DeleteFileSystem', { FileSystemId })).toBe('FileSystemInUse');
  await call('DeleteMountTarget', { MountTargetId });
  await world.clock.advance(60_000);
  await call('DeleteFileSystem', { FileSystemId });
  await world.clock.advance(60_000);
  expect(await refused('DescribeFileSystems', { FileSystemId })).toBe('FileSystemNotFound');
});

test('has access points, one for each token, settings and a policy', async () => {
  const { call, refused, make } = setUp();
  const FileSystemId = await make();
  const asked = { FileSystemId, ClientToken: 'ap', PosixUser: { Uid: 1, Gid: 2 }, RootDirectory: { Path: '/uploads' } };
  const { AccessPointId, AccessPointArn } = await call('CreateAccessPoint', asked);
  expect(await refused('CreateAccessPoint', asked)).toBe('AccessPointAlreadyExists');
  expect((await call('DescribeAccessPoints', { FileSystemId })).AccessPoints).toMatchObject([
    { AccessPointId, PosixUser: { Uid: 1, Gid: 2 } },
  ]);
  await call('TagResource', { ResourceId: AccessPointId, Tags: [{ Key: 'app', Value: 'shop' }] });
  const { ResourceTagMappingList } = await call(
    'GetResources',
    { ResourceTypeFilters: ['elasticfilesystem:access-point'] },
    'tagging',
  );
  expect(ResourceTagMappingList).toMatchObject([{ ResourceARN: AccessPointArn }]);
  await call('PutLifecycleConfiguration', { FileSystemId, LifecyclePolicies: [{ TransitionToIA: 'AFTER_7_DAYS' }] });
  expect((await call('DescribeLifecycleConfiguration', { FileSystemId })).LifecyclePolicies).toEqual([
    { TransitionToIA: 'AFTER_7_DAYS' },
  ]);
  expect(await refused('DescribeFileSystemPolicy', { FileSystemId })).toBe('PolicyNotFound');
  expect(await refused('PutFileSystemPolicy', { FileSystemId, Policy: '{' })).toBe('InvalidPolicyException');
  await call('PutBackupPolicy', { FileSystemId, BackupPolicy: { Status: 'ENABLED' } });
  expect((await call('DescribeBackupPolicy', { FileSystemId })).BackupPolicy).toEqual({ Status: 'ENABLED' });
  expect(await refused('UpdateFileSystem', { FileSystemId, ThroughputMode: 'provisioned' })).toBe('BadRequest');
});

test('its files have a history, and a walk takes each as it was at an instant of its own', async () => {
  const { world, efs, make } = setUp();
  const files = efs().files(await make());
  const text = (path: string, at?: number) => {
    const bytes = files.read(path, at);
    return bytes && Buffer.from(bytes).toString();
  };
  files.write('/a', 'one');
  const early = world.clock.now();
  await world.clock.advance(1000);
  files.write('a', 'two');
  files.write('/b/c', 'new');
  await world.clock.advance(1000);
  files.remove('/a');
  expect([text('/a', early), text('/a', early + 1000), text('/a')]).toEqual(['one', 'two', undefined]);
  expect([files.list(early), files.list()]).toEqual([['/a'], ['/b/c']]);
  const walked = files.walk(() => early + 500);
  expect([...walked].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])).toEqual([['/a', 'one']]);
  expect(() => files.write('/../x', '')).toThrow(RangeError);
  expect(() => files.read('/')).toThrow(RangeError);
});
