import type { Transport } from '../functions/aws/transport.ts';
import type { Ec2State } from '../local/services/ec2/state.ts';
import type { S3State } from '../local/services/s3/state.ts';
import type { Random } from '../local/world/random.ts';
import type { World } from '../local/world/world.ts';
import { type Content, readStores } from './shop/audit.ts';
import { openDoor } from './shop/door.ts';
import type { Shop } from './shop/shop.ts';

/** What independent backups of each resource left behind. */
export interface Baseline {
  readonly snapshot: string;
  /** The second that the table is to be restored to. */
  readonly tableAt: Date;
  readonly bucket: string;
}

/** The most that the start of one resource's backup lies behind the one before, in milliseconds. */
const JITTER = 60_000;

/**
 * How the same application is protected by what acts on resources: each has its own backup on the same schedule, one after the other, none
 * knowing of the others, and nobody holds the writers. Every backup by itself is perfect.
 */
export async function backUpEach(world: World, shop: Shop, random: Random, name: string): Promise<Baseline> {
  const { place, names } = shop;
  const call = (service: string, operation: string, input: object) => world.call({ place, service, operation, input });
  const pause = () => world.clock.sleep(random.between(0, JITTER));
  const created = await call('ec2', 'CreateSnapshot', { VolumeId: names.volume });
  await pause();
  const tableAt = new Date(Math.floor(world.clock.now() / 1000) * 1000);
  await pause();
  const bucket = `${name}-${place.region}`;
  await call('s3', 'CreateBucket', {
    Bucket: bucket,
    ...(place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region } }),
  });
  for (const key of world.state<S3State>('s3', place).asOf(names.bucket, new Date(world.clock.now())).keys()) {
    await call('s3', 'CopyObject', { Bucket: bucket, Key: key, CopySource: `${names.bucket}/${encodeURIComponent(key)}` }).catch(
      () => undefined,
    ); // gone meanwhile
  }
  return { snapshot: created.SnapshotId, tableAt, bucket };
}

/** Restores each resource from its own backup, and reads what the application would find. */
export async function restoreEach(
  world: World,
  transport: Transport,
  shop: Shop,
  { snapshot, tableAt, bucket }: Baseline,
  name: string,
): Promise<Content> {
  const { place, names } = shop;
  const call = (service: string, operation: string, input: object) => world.call({ place, service, operation, input });
  const until = async (ready: () => Promise<boolean>) => {
    while (!(await ready())) await world.clock.sleep(15_000);
  };
  await until(
    async () => (await call('ec2', 'DescribeSnapshots', { SnapshotIds: [snapshot] })).Snapshots[0].State === 'completed',
  );
  const { VolumeId } = await call('ec2', 'CreateVolume', {
    SnapshotId: snapshot,
    AvailabilityZone: `${place.region}a`,
    VolumeType: 'gp3',
  });
  await until(
    async () =>
      (await call('dynamodb', 'DescribeContinuousBackups', { TableName: names.table })).ContinuousBackupsDescription
        .PointInTimeRecoveryDescription.LatestRestorableDateTime >= tableAt,
  );
  const table = `${names.table}-${name}`;
  await call('dynamodb', 'RestoreTableToPointInTime', {
    SourceTableName: names.table,
    TargetTableName: table,
    RestoreDateTime: tableAt,
  });
  await until(async () => (await call('dynamodb', 'DescribeTable', { TableName: table })).Table.TableStatus === 'ACTIVE');
  await until(async () => (await call('ec2', 'DescribeVolumes', { VolumeIds: [VolumeId] })).Volumes[0].State === 'available');
  const clock = {
    now: () => world.clock.now(),
    sleep: (ms: number) => world.clock.sleep(ms),
    random: (digits: number) => world.random.hex(digits),
  };
  return readStores(
    await openDoor(transport, clock, place),
    { table, bucket },
    world.state<Ec2State>('ec2', place).disk(VolumeId),
  );
}
