import { createHash, createPublicKey, verify } from 'node:crypto';
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs';
import * as EC2 from '@aws-sdk/client-ec2';
import * as KMS from '@aws-sdk/client-kms';
import {
  GetResourcesCommand,
  ResourceGroupsTaggingAPIClient,
  UntagResourcesCommand,
} from '@aws-sdk/client-resource-groups-tagging-api';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeEach, describe, expect, test } from 'vitest';
import { service as ebs } from '../../local/services/ebs/index.ts';
import { service as ec2 } from '../../local/services/ec2/index.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import { service as kms } from '../../local/services/kms/index.ts';
import { service as sts } from '../../local/services/sts/index.ts';
import { service as tagging } from '../../local/services/tagging/index.ts';
import { requestHandler } from '../../local/wire/handler.ts';
import { World } from '../../local/world/world.ts';

const HOME = { account: '111122223333', region: 'us-east-1' };
const WEST = { account: '111122223333', region: 'eu-west-1' };
const OTHER = { account: '444455556666', region: 'us-east-1' };
const BLOCK = 512 * 1024;
const MINUTE = 60_000;

let world: World;
beforeEach(() => {
  world = new World(new Map([ec2, ebs, kms, sts, tagging].map((service) => [service.name, service])), {
    seed: 'by hand',
    patience: 3,
  });
});

type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string };

/** The real clients of a place, over the wire but without a socket. */
function clients({ account, region } = HOME, credentials: Credentials = { accessKeyId: account, secretAccessKey: 'none' }) {
  const options = { region, credentials, requestHandler: requestHandler(world) as any, maxAttempts: 1 };
  return {
    ec2: new EC2.EC2Client(options),
    ebs: new EBSClient(options),
    kms: new KMS.KMSClient(options),
    sts: new STSClient(options),
    tagging: new ResourceGroupsTaggingAPIClient(options),
  };
}

const wait = (minutes: number) => world.clock.advance(minutes * MINUTE);
/** A block no page of which is like another. */
function filled(text: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  for (let at = 0; at < BLOCK; at += 4096) block.write(`${text}@${at}`, at);
  return block;
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64');

/** Blocks in, by hand; answers the completed snapshot. */
async function written(
  blocks: Readonly<Record<number, Buffer>>,
  at = HOME,
  more: { Encrypted?: boolean; KmsKeyArn?: string } = {},
) {
  const { ebs } = clients(at);
  const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...more }));
  for (const [index, BlockData] of Object.entries(blocks)) {
    const put = { BlockData, DataLength: BLOCK, Checksum: sha256(BlockData), ChecksumAlgorithm: 'SHA256' as const };
    await ebs.send(new PutSnapshotBlockCommand({ SnapshotId, BlockIndex: Number(index), ...put }));
  }
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: Object.keys(blocks).length }));
  await wait(5);
  return SnapshotId as string;
}

/** Blocks out, by hand: what each holds, its checksum checked. */
async function read(SnapshotId: string, at = HOME): Promise<Record<number, string>> {
  const { ebs } = clients(at);
  const { Blocks = [], BlockSize } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }));
  expect(BlockSize).toBe(BLOCK);
  const found: Record<number, string> = {};
  for (const { BlockIndex, BlockToken } of Blocks) {
    const answer = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken }));
    const bytes = await answer.BlockData!.transformToByteArray();
    expect([answer.DataLength, answer.Checksum, answer.ChecksumAlgorithm]).toEqual([BLOCK, sha256(bytes), 'SHA256']);
    const text = String.fromCharCode(bytes[0] as number);
    expect(filled(text).equals(bytes)).toBe(true);
    found[BlockIndex as number] = text;
  }
  return found;
}

const snapshotOf = async (id: string, at = HOME) =>
  (await clients(at).ec2.send(new EC2.DescribeSnapshotsCommand({ SnapshotIds: [id] }))).Snapshots![0]!;

const newKey = async (at = HOME): Promise<string> =>
  (await clients(at).kms.send(new KMS.CreateKeyCommand({}))).KeyMetadata!.Arn as string;

describe('bytes, with the SDK’s own clients', () => {
  const CONTENT = { 0: filled('a'), 3: filled('b'), 2047: filled('z') };
  const SEEN = { 0: 'a', 3: 'b', 2047: 'z' };

  test('go in as blocks, through a volume, a snapshot and a copy in another region, and come out the same', async () => {
    const [key, keyThere] = [await newKey(), await newKey(WEST)];
    const raw = await written(CONTENT, HOME, { Encrypted: true, KmsKeyArn: key });
    const here = clients().ec2;
    const volume = await here.send(
      new EC2.CreateVolumeCommand({
        AvailabilityZone: 'us-east-1b',
        SnapshotId: raw,
        VolumeType: 'gp3',
        TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'app', Value: 'shop & co' }] }],
      }),
    );
    expect(volume).toMatchObject({ State: 'creating', Size: 1, Encrypted: true, KmsKeyId: key, Iops: 3000, Throughput: 125 });
    await wait(1);
    const disk = world.state<Ec2State>('ec2', HOME).disk(volume.VolumeId!);
    disk.write(7 * BLOCK, filled('h'));
    disk.flush();

    const taken = await here.send(new EC2.CreateSnapshotCommand({ VolumeId: volume.VolumeId }));
    expect(taken).toMatchObject({ State: 'pending', Progress: '0%', OwnerId: HOME.account });
    const copying = clients(WEST).ec2.send(
      new EC2.CopySnapshotCommand({ SourceRegion: HOME.region, SourceSnapshotId: taken.SnapshotId }),
    );
    await expect(copying).rejects.toMatchObject({ name: 'IncorrectState' });
    await wait(16);
    const { SnapshotId: copy } = await clients(WEST).ec2.send(
      new EC2.CopySnapshotCommand({
        SourceRegion: HOME.region,
        SourceSnapshotId: taken.SnapshotId,
        Encrypted: true,
        KmsKeyId: keyThere,
      }),
    );
    disk.write(0, filled('!'));
    disk.flush();
    await wait(16);
    expect(await snapshotOf(copy!, WEST)).toMatchObject({
      State: 'completed',
      Progress: '100%',
      VolumeId: 'vol-ffffffff',
      KmsKeyId: keyThere,
    });
    expect(await read(copy!, WEST)).toEqual({ ...SEEN, 7: 'h' });
    expect(await read(raw)).toEqual(SEEN);
    await expect(snapshotOf(copy!)).rejects.toMatchObject({ name: 'InvalidSnapshot.NotFound' });
  });

  test('are another account’s to copy once they are shared, and only with the key', async () => {
    const key = await newKey();
    const id = await written(CONTENT, HOME, { Encrypted: true, KmsKeyArn: key });
    const [own, theirs] = [clients(), clients(OTHER)];
    await expect(snapshotOf(id, OTHER)).rejects.toMatchObject({ name: 'InvalidSnapshot.NotFound' });
    await own.ec2.send(
      new EC2.ModifySnapshotAttributeCommand({
        SnapshotId: id,
        Attribute: 'createVolumePermission',
        OperationType: 'add',
        UserIds: [OTHER.account],
      }),
    );
    const KmsKeyId = await newKey(OTHER);
    const copied = async () => {
      const { SnapshotId } = await theirs.ec2.send(
        new EC2.CopySnapshotCommand({ SourceRegion: HOME.region, SourceSnapshotId: id, Encrypted: true, KmsKeyId }),
      );
      await wait(16);
      return snapshotOf(SnapshotId!, OTHER);
    };
    expect(await copied()).toMatchObject({ State: 'error', StateMessage: 'Given key ID is not accessible' });
    await expect(read(id, OTHER)).rejects.toMatchObject({ name: 'AccessDeniedException', Reason: 'DEPENDENCY_ACCESS_DENIED' });

    await own.kms.send(
      new KMS.CreateGrantCommand({
        KeyId: key,
        GranteePrincipal: `arn:aws:iam::${OTHER.account}:root`,
        Operations: ['Decrypt', 'DescribeKey', 'CreateGrant', 'ReEncryptFrom'],
      }),
    );
    const copy = await copied();
    expect(copy).toMatchObject({ State: 'completed', OwnerId: OTHER.account, KmsKeyId });
    expect(await read(copy.SnapshotId!, OTHER)).toEqual(SEEN);
    expect(await read(id, OTHER)).toEqual(SEEN);
    await own.ec2.send(new EC2.DeleteSnapshotCommand({ SnapshotId: id }));
    expect(await read(copy.SnapshotId!, OTHER)).toEqual(SEEN);
  });

  test('that are damaged on their way are refused', async () => {
    const { ebs } = clients();
    const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }));
    const put = (more: object) =>
      ebs.send(
        new PutSnapshotBlockCommand({
          SnapshotId,
          BlockIndex: 0,
          BlockData: filled('a'),
          DataLength: BLOCK,
          Checksum: sha256(filled('a')),
          ChecksumAlgorithm: 'SHA256',
          ...more,
        }),
      );
    await expect(put({ Checksum: sha256(filled('b')) })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(put({ BlockIndex: 2048 })).rejects.toMatchObject({ Reason: 'INVALID_BLOCK' });
    await expect(put({ BlockData: Buffer.alloc(10), DataLength: 10, Checksum: sha256(Buffer.alloc(10)) })).rejects.toMatchObject({
      Reason: 'INVALID_BLOCK',
    });
    await put({});
    await expect(ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 2 }))).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(read(SnapshotId!)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('a host', () => {
  const running = async (): Promise<{ instance: string; volume: string }> => {
    const { ec2 } = clients();
    const AvailabilityZone = 'us-east-1a';
    const volume = await ec2.send(new EC2.CreateVolumeCommand({ AvailabilityZone, Size: 1 }));
    const { Instances } = await ec2.send(
      new EC2.RunInstancesCommand({ ImageId: 'ami-1', MinCount: 1, MaxCount: 1, Placement: { AvailabilityZone } }),
    );
    await wait(1);
    const instance = Instances![0]!.InstanceId as string;
    await ec2.send(new EC2.AttachVolumeCommand({ VolumeId: volume.VolumeId, InstanceId: instance, Device: '/dev/sdf' }));
    await wait(1);
    return { instance, volume: volume.VolumeId as string };
  };
  const statuses = async (IncludeAllInstances = false) =>
    ((await clients().ec2.send(new EC2.DescribeInstanceStatusCommand({ IncludeAllInstances }))).InstanceStatuses ?? []).map(
      ({ InstanceState, InstanceStatus }) => [InstanceState?.Name, InstanceStatus?.Status],
    );
  const disk = (volume: string) => world.state<Ec2State>('ec2', HOME).disk(volume);
  const PAGES = 64;
  const dirty = (volume: string) => {
    for (let page = 0; page < PAGES; page++) disk(volume).write(page * 4096, Buffer.from('x'));
  };
  const kept = (volume: string) =>
    Array.from({ length: PAGES }, (_, page) => disk(volume).read(page * 4096, 1)[0]).filter((byte) => byte === 'x'.charCodeAt(0))
      .length;

  test('that is stopped writes back what it has, keeps its volumes, and can be started again', async () => {
    const { instance, volume } = await running();
    expect(await statuses()).toEqual([['running', 'ok']]);
    dirty(volume);
    const before = disk(volume);
    const { ec2 } = clients();
    const { StoppingInstances } = await ec2.send(new EC2.StopInstancesCommand({ InstanceIds: [instance] }));
    expect(StoppingInstances![0]).toMatchObject({
      PreviousState: { Name: 'running' },
      CurrentState: { Name: 'stopping', Code: 64 },
    });
    await wait(1);
    expect(() => before.read(0, 1)).toThrow(/was stopped/);
    expect(kept(volume)).toBe(PAGES);
    expect([await statuses(), await statuses(true)]).toEqual([[], [['stopped', 'not-applicable']]]);
    const { Volumes } = await ec2.send(new EC2.DescribeVolumesCommand({ VolumeIds: [volume] }));
    expect(Volumes![0]!.Attachments![0]).toMatchObject({ InstanceId: instance, State: 'attached' });
    await ec2.send(new EC2.StartInstancesCommand({ InstanceIds: [instance] }));
    await wait(1);
    expect(await statuses()).toEqual([['running', 'ok']]);
    await ec2.send(new EC2.TerminateInstancesCommand({ InstanceIds: [instance] }));
    await expect(ec2.send(new EC2.StartInstancesCommand({ InstanceIds: [instance] }))).rejects.toMatchObject({
      name: 'IncorrectInstanceState',
    });
  });

  test('that is forced to stop loses some of it', async () => {
    const { instance, volume } = await running();
    dirty(volume);
    await clients().ec2.send(new EC2.StopInstancesCommand({ InstanceIds: [instance], Force: true }));
    await wait(1);
    expect(kept(volume)).toBeGreaterThan(0);
    expect(kept(volume)).toBeLessThan(PAGES);
  });
});

describe('keys, with the SDK’s own clients', () => {
  test('sign what node verifies, from a message and from its digest', async () => {
    const { kms } = clients();
    const { KeyMetadata } = await kms.send(new KMS.CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }));
    await kms.send(new KMS.CreateAliasCommand({ AliasName: 'alias/seal', TargetKeyId: KeyMetadata!.KeyId }));
    const message = Buffer.from('a restore point');
    const digest = createHash('sha256').update(message).digest();
    const common = { KeyId: 'alias/seal', SigningAlgorithm: 'ECDSA_SHA_256' as const };
    const { PublicKey } = await kms.send(new KMS.GetPublicKeyCommand({ KeyId: 'alias/seal' }));
    const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' });
    for (const input of [{ Message: message }, { Message: digest, MessageType: 'DIGEST' as const }]) {
      const { Signature } = await kms.send(new KMS.SignCommand({ ...common, ...input }));
      expect(verify('sha256', message, key, Signature!)).toBe(true);
      expect(verify('sha256', Buffer.from('another'), key, Signature!)).toBe(false);
      const wrong = { ...common, Message: Buffer.from('another'), Signature };
      await expect(kms.send(new KMS.VerifyCommand(wrong))).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' });
    }
  });

  test('open what they sealed, bound to its context, in their own region', async () => {
    const { kms } = clients();
    const KeyId = await newKey();
    const EncryptionContext = { application: 'shop' };
    const { Plaintext, CiphertextBlob } = await kms.send(
      new KMS.GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext }),
    );
    const opened = await kms.send(new KMS.DecryptCommand({ CiphertextBlob, EncryptionContext }));
    expect([opened.KeyId, Buffer.from(opened.Plaintext!)]).toEqual([KeyId, Buffer.from(Plaintext!)]);
    const refusing = (input: object, at = HOME) =>
      expect(clients(at).kms.send(new KMS.DecryptCommand({ CiphertextBlob, EncryptionContext, ...input }))).rejects;
    await refusing({ EncryptionContext: { application: 'bank' } }).toMatchObject({ name: 'InvalidCiphertextException' });
    await refusing({ KeyId: await newKey() }).toMatchObject({ name: 'IncorrectKeyException' });
    await refusing({}, WEST).toMatchObject({ name: 'AccessDeniedException' });
    await refusing({ KeyId: await newKey(WEST) }, WEST).toMatchObject({ name: 'IncorrectKeyException' });
    await refusing({}, OTHER).toMatchObject({ name: 'AccessDeniedException' });
    await refusing({ DryRun: true }).toMatchObject({ name: 'DryRunOperationException' });
    await kms.send(new KMS.DisableKeyCommand({ KeyId }));
    await refusing({}).toMatchObject({ name: 'DisabledException' });
    await kms.send(new KMS.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await refusing({}).toMatchObject({ name: 'KMSInvalidStateException' });
    await world.clock.advance(8 * 24 * 60 * MINUTE);
    await refusing({}).toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('who calls', () => {
  test('is the role that was assumed, in its account, until its time is over', async () => {
    const { Credentials } = await clients().sts.send(
      new AssumeRoleCommand({
        RoleArn: `arn:aws:iam::${OTHER.account}:role/dr/restore`,
        RoleSessionName: 'me',
        DurationSeconds: 900,
      }),
    );
    const { AccessKeyId, SecretAccessKey, SessionToken } = Credentials!;
    const keys = { accessKeyId: AccessKeyId!, secretAccessKey: SecretAccessKey!, sessionToken: SessionToken! };
    const session = clients(WEST, keys);
    const identity = () => session.sts.send(new GetCallerIdentityCommand({}));
    expect(await identity()).toMatchObject({
      Account: OTHER.account,
      Arn: `arn:aws:sts::${OTHER.account}:assumed-role/restore/me`,
    });
    await session.ec2.send(new EC2.CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 1 }));
    const volumes = async (at: typeof HOME) =>
      (await clients(at).ec2.send(new EC2.DescribeVolumesCommand({}))).Volumes?.length ?? 0;
    expect([await volumes({ ...OTHER, region: 'eu-west-1' }), await volumes(WEST)]).toEqual([1, 0]);
    await wait(15);
    await expect(identity()).rejects.toMatchObject({ name: expect.stringMatching(/^ExpiredToken/) });
  });
});

describe('tags', () => {
  test('find what bears them, page by page, of this place alone', async () => {
    const tagged = (shop: string) => [{ ResourceType: 'volume' as const, Tags: [{ Key: 'shop', Value: shop }] }];
    const made: string[] = [];
    for (const shop of ['a', 'b', 'c']) {
      const input = { AvailabilityZone: 'us-east-1a', Size: 1, TagSpecifications: tagged(shop) };
      made.push((await clients().ec2.send(new EC2.CreateVolumeCommand(input))).VolumeId as string);
    }
    await clients(WEST).ec2.send(
      new EC2.CreateVolumeCommand({ AvailabilityZone: 'eu-west-1a', Size: 1, TagSpecifications: tagged('a') }),
    );
    const arnOf = (id: string | undefined) => `arn:aws:ec2:us-east-1:${HOME.account}:volume/${id}`;
    const found = async () => {
      const arns: (string | undefined)[] = [];
      for (let PaginationToken: string | undefined = ''; PaginationToken !== undefined; ) {
        const page: { PaginationToken?: string; ResourceTagMappingList?: { ResourceARN?: string }[] } =
          await clients().tagging.send(
            new GetResourcesCommand({
              TagFilters: [{ Key: 'shop', Values: ['a', 'c'] }],
              ResourceTypeFilters: ['ec2:volume'],
              ResourcesPerPage: 1,
              PaginationToken,
            }),
          );
        arns.push(...(page.ResourceTagMappingList ?? []).map(({ ResourceARN }) => ResourceARN));
        PaginationToken = page.PaginationToken || undefined;
      }
      return arns.sort();
    };
    expect(await found()).toEqual([arnOf(made[0]), arnOf(made[2])].sort());
    const { FailedResourcesMap } = await clients().tagging.send(
      new UntagResourcesCommand({ ResourceARNList: [arnOf(made[0]), arnOf('vol-none')], TagKeys: ['shop'] }),
    );
    expect(Object.keys(FailedResourcesMap!)).toEqual([arnOf('vol-none')]);
    expect(await found()).toEqual([arnOf(made[2])]);
  });
});
