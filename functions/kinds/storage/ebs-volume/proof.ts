import { createHash } from 'node:crypto';
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs';
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { sha256 } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { ownTags, tagMap } from '../../scope.ts';
import { volumeArn, volumeIdOf } from './volume.ts';

const ec2 = calls('ec2', EC2Client);
const ebs = calls('ebs', EBSClient);

const BLOCK = 512 * 1024;
/** EBS takes no two snapshots of a volume within 15 seconds (EC2 API, error codes). */
const BETWEEN_SNAPSHOTS_MILLIS = 16_000;

const seeding = {
  start: ebs.again(StartSnapshotCommand),
  put: ebs.again(PutSnapshotBlockCommand),
  complete: ebs.again(CompleteSnapshotCommand),
  snapshots: ec2.read(DescribeSnapshotsCommand),
  createVolume: ec2.again(CreateVolumeCommand),
  volumes: ec2.read(DescribeVolumesCommand),
  deleteSnapshot: ec2.again(DeleteSnapshotCommand),
  run: ec2.again(RunInstancesCommand),
  instances: ec2.read(DescribeInstancesCommand),
  attach: ec2.again(AttachVolumeCommand),
};
type Seeding = Door<typeof seeding>;

/** Two volumes of one instance and one that is attached nowhere: both ways to take snapshots are gone. */
async function seed(aws: Seeding, { name, tags }: Seed, scene: Scene): Promise<Seeded> {
  const zone = `${scene.here.region}a`;
  const made = await Promise.all(
    ['journal', 'tables', 'spare'].map((part) => volumeWith(aws, `${name}-${part}`, zone, tags, scene)),
  );
  const { Instances } = await aws.run({
    ClientToken: sha256(`${name}-host`).slice(0, 36),
    ImageId: 'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
    InstanceType: 't3.nano',
    MinCount: 1,
    MaxCount: 1,
    Placement: { AvailabilityZone: zone },
  });
  const InstanceId = Instances![0]!.InstanceId!;
  await waitFor(scene.clock, `Instance ${InstanceId}`, async () => {
    const { Reservations } = await aws.instances({ InstanceIds: [InstanceId] });
    return Reservations?.[0]?.Instances?.[0]?.State?.Name === 'running' || undefined;
  });
  await aws.attach({ InstanceId, VolumeId: made[0]!, Device: '/dev/sdf' });
  await aws.attach({ InstanceId, VolumeId: made[1]!, Device: '/dev/sdg' });
  return { ids: made.map((id) => volumeArn(scene.here, id)) };
}

/** No API writes to a volume, but one writes to a snapshot, and a volume is made of that. */
async function volumeWith(aws: Seeding, name: string, zone: string, tags: Seed['tags'], { clock }: Scene): Promise<string> {
  const { SnapshotId } = await aws.start({ VolumeSize: 1, ClientToken: name });
  const blocks = [0, 1, 7].map((BlockIndex) => ({ BlockIndex, BlockData: contentOf(`${name}/${BlockIndex}`) }));
  for (const { BlockIndex, BlockData } of blocks) {
    await aws.put({
      SnapshotId,
      BlockIndex,
      BlockData,
      DataLength: BLOCK,
      Checksum: createHash('sha256').update(BlockData).digest('base64'),
      ChecksumAlgorithm: 'SHA256',
    });
  }
  await aws.complete({ SnapshotId, ChangedBlocksCount: blocks.length });
  await completed(aws, SnapshotId!, clock);
  const { VolumeId } = await aws.createVolume({
    SnapshotId,
    AvailabilityZone: zone,
    VolumeType: 'gp3',
    Iops: 4000,
    Throughput: 200,
    ClientToken: sha256(name),
    TagSpecifications: [
      { ResourceType: 'volume', Tags: Object.entries({ ...tags, part: name }).map(([Key, Value]) => ({ Key, Value })) },
    ],
  });
  await waitFor(clock, `Volume ${VolumeId}`, async () => (await describe(aws, VolumeId!))?.State === 'available' || undefined);
  await aws.deleteSnapshot({ SnapshotId: SnapshotId! });
  return VolumeId!;
}

function contentOf(text: string): Uint8Array {
  const bytes = Buffer.alloc(BLOCK);
  for (let at = 0; at < BLOCK; at += 4096) bytes.write(`${text}@${at}`, at);
  return bytes;
}

const describe = async (aws: Pick<Seeding, 'volumes'>, VolumeId: string) =>
  (await aws.volumes({ VolumeIds: [VolumeId] }).catch(when('InvalidVolume.NotFound', () => undefined)))?.Volumes?.[0];

const completed = (aws: Pick<Seeding, 'snapshots'>, id: string, clock: Scene['clock']) =>
  waitFor(
    clock,
    `Snapshot ${id}`,
    async () => (await aws.snapshots({ SnapshotIds: [id] })).Snapshots?.[0]?.State === 'completed' || undefined,
  );

const reading = {
  volumes: ec2.read(DescribeVolumesCommand),
  createSnapshot: ec2.again(CreateSnapshotCommand),
  snapshots: ec2.read(DescribeSnapshotsCommand),
  deleteSnapshot: ec2.again(DeleteSnapshotCommand),
  list: ebs.read(ListSnapshotBlocksCommand),
  block: ebs.read(GetSnapshotBlockCommand),
};

/** Every byte, through a snapshot of its own, and the settings and tags that a restore keeps. */
async function fingerprint(aws: Door<typeof reading>, arn: string, { clock }: Scene): Promise<string> {
  const VolumeId = volumeIdOf(arn);
  const volume = await describe(aws, VolumeId);
  await clock.sleep(BETWEEN_SNAPSHOTS_MILLIS);
  const { SnapshotId } = await aws.createSnapshot({ VolumeId, Description: 'Stillpoint looks at this volume' });
  await completed(aws, SnapshotId!, clock);
  const hash = createHash('sha256');
  let NextToken: string | undefined;
  do {
    const page = await aws.list({ SnapshotId, ...(NextToken ? { NextToken } : {}) });
    for (const { BlockIndex, BlockToken } of page.Blocks ?? []) {
      const bytes = await (await aws.block({ SnapshotId, BlockIndex, BlockToken })).BlockData!.transformToByteArray();
      if (bytes.some((byte) => byte !== 0)) hash.update(`${BlockIndex}\n`).update(bytes);
    }
    NextToken = page.NextToken;
  } while (NextToken);
  await aws.deleteSnapshot({ SnapshotId: SnapshotId! });
  const tags = ownTags(tagMap(volume?.Tags)).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  return JSON.stringify([volume?.Size, volume?.VolumeType, volume?.Iops, volume?.Throughput, tags, hash.digest('hex')]);
}

const destroying = {
  volumes: ec2.read(DescribeVolumesCommand),
  detach: ec2.again(DetachVolumeCommand),
  remove: ec2.again(DeleteVolumeCommand),
};

export default proof({
  seed: verb(seeding, seed),
  /** Bytes are changed only by hosts; what can be changed from outside are tags. */
  mutate: verb({ tag: ec2.again(CreateTagsCommand) }, async (aws, arn) => {
    await aws.tag({ Resources: [volumeIdOf(arn)], Tags: [{ Key: 'part', Value: 'changed' }] });
  }),
  fingerprint: verb(reading, fingerprint),
  destroy: verb(destroying, async (aws, arn, { clock }) => {
    const VolumeId = volumeIdOf(arn);
    const attached = (await describe(aws, VolumeId))?.State === 'in-use';
    if (attached) await aws.detach({ VolumeId });
    await waitFor(
      clock,
      `The detaching of ${VolumeId}`,
      async () => (await describe(aws, VolumeId))?.State !== 'in-use' || undefined,
    );
    await aws.remove({ VolumeId }).catch(when('InvalidVolume.NotFound', () => undefined));
  }),
  foreign: verb(
    { createSnapshot: ec2.again(CreateSnapshotCommand), snapshots: ec2.read(DescribeSnapshotsCommand) },
    async (aws, arn, { clock }) => {
      await clock.sleep(BETWEEN_SNAPSHOTS_MILLIS);
      const { SnapshotId } = await aws.createSnapshot({ VolumeId: volumeIdOf(arn), Description: 'made by someone else' });
      await completed(aws, SnapshotId!, clock);
      return SnapshotId!;
    },
  ),
});
