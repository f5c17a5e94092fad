import { createHash } from 'node:crypto';
import type { Clock } from '../../functions/aws/clock.ts';
import type { Place } from '../../functions/domain.ts';
import type { Random } from '../../local/world/random.ts';
import type { Cluster } from './cluster.ts';
import { type ShopDoor, type Site, until } from './door.ts';
import { COMPONENTS, type Component, manifests } from './manifests.ts';

/** What the shop is called in AWS, at home or where it was restored. */
export interface Names {
  readonly place: Place;
  readonly volume: string;
  readonly table: string;
  readonly bucket: string;
}

const TAGS = [{ Key: 'app', Value: 'shop' }];
const TAG_MAP = { app: 'shop' };
const KEY_ALIAS = 'alias/shop';

/** The ids under which restore points list the shop's resources. */
export const resourceIds = ({ place: { account, region }, volume, table, bucket }: Names) => ({
  database: `arn:aws:ec2:${region}:${account}:volume/${volume}`,
  table: `arn:aws:dynamodb:${region}:${account}:table/${table}`,
  bucket: `arn:aws:s3:::${bucket}`,
});

/** Makes the shop's key, volume, table and bucket, and waits until they can be used. */
export async function makeStores(aws: ShopDoor, clock: Clock, place: Place): Promise<Names & { readonly zone: string }> {
  const key = await makeKey(aws);
  const zone = `${place.region}a`;
  const bucket = `shop-media-${place.account}-${place.region}`;
  const [volume, table] = await Promise.all([
    makeVolume(aws, clock, zone, key),
    makeTable(aws, clock),
    makeBucket(aws, bucket, place.region),
  ]);
  return { place, volume, table, bucket, zone };
}

/** A key of the account's own: what the default key encrypts can be copied nowhere. */
export async function makeKey(aws: ShopDoor): Promise<string> {
  const { KeyMetadata } = await aws.createKey({ Description: 'The shop', Tags: [{ TagKey: 'app', TagValue: 'shop' }] });
  await aws.createAlias({ AliasName: KEY_ALIAS, TargetKeyId: KeyMetadata!.KeyId! });
  return KeyMetadata!.Arn!;
}

/** A volume of the node on which the shop's database runs. */
async function makeVolume(aws: ShopDoor, clock: Clock, zone: string, key: string): Promise<string> {
  const [{ Instances = [] }, { VolumeId }] = await Promise.all([
    aws.runInstances({
      ImageId: 'ami-0a1b2c3d4e5f60718',
      InstanceType: 'm6i.large',
      MinCount: 1,
      MaxCount: 1,
      Placement: { AvailabilityZone: zone },
      ClientToken: 'shop-node',
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'Name', Value: 'shop-node' }] }],
    }),
    aws.createVolume({
      AvailabilityZone: zone,
      Size: 1,
      VolumeType: 'gp3',
      Encrypted: true,
      KmsKeyId: key,
      ClientToken: 'shop-ledger',
      TagSpecifications: [{ ResourceType: 'volume', Tags: [...TAGS, { Key: 'Name', Value: 'shop-ledger' }] }],
    }),
  ]);
  const InstanceId = Instances[0]!.InstanceId!;
  await until(clock, 5, async () => {
    const { Volumes = [] } = await aws.describeVolumes({ VolumeIds: [VolumeId!] });
    return Volumes[0]?.State === 'available' || undefined;
  });
  await until(clock, 5, async () => {
    const { Reservations = [] } = await aws.describeInstances({ InstanceIds: [InstanceId] });
    return Reservations[0]?.Instances?.[0]?.State?.Name === 'running' || undefined;
  });
  await aws.attachVolume({ InstanceId, VolumeId: VolumeId!, Device: '/dev/sdf' });
  return VolumeId!;
}

async function makeTable(aws: ShopDoor, clock: Clock): Promise<string> {
  const TableName = 'shop-carts';
  await aws.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'kind', AttributeType: 'S' },
    ],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-kind',
        KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'KEYS_ONLY' },
      },
    ],
    Tags: TAGS,
  });
  await until(clock, 2, async () => (await aws.describeTable({ TableName })).Table?.TableStatus === 'ACTIVE' || undefined);
  await aws.updateContinuousBackups({ TableName, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } });
  await aws.updateTimeToLive({ TableName, TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true } });
  return TableName;
}

async function makeBucket(aws: ShopDoor, Bucket: string, region: string): Promise<void> {
  await aws.createBucket({
    Bucket,
    ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } }),
  });
  await aws.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  await aws.putBucketTagging({ Bucket, Tagging: { TagSet: TAGS } });
}

/** Makes a cluster and waits until it is active. */
export async function makeCluster({ aws, clock, place }: Site, { name }: Cluster): Promise<void> {
  await aws.createCluster({
    name,
    version: '1.33',
    roleArn: `arn:aws:iam::${place.account}:role/shop-cluster`,
    resourcesVpcConfig: { subnetIds: ['subnet-0a1b2c3d4e5f60718'] },
    tags: TAG_MAP,
  });
  await until(clock, 30, async () => (await aws.describeCluster({ name })).cluster?.status === 'ACTIVE' || undefined);
}

/** Pushes the shop's images at home, from where ECR replicates them to the standby region; answers them by digest. */
export async function pushImages({ aws, clock, place }: Site, standby: Site): Promise<Record<Component, string>> {
  await aws.putReplicationConfiguration({
    replicationConfiguration: {
      rules: [{ destinations: [{ region: standby.place.region, registryId: standby.place.account }] }],
    },
  });
  const pushed = COMPONENTS.map(async (component) => {
    const repositoryName = `shop/${component}`;
    await aws.createRepository({ repositoryName, imageTagMutability: 'IMMUTABLE', tags: TAGS });
    const config = await pushLayer(
      aws,
      repositoryName,
      JSON.stringify({ architecture: 'amd64', os: 'linux', config: { Cmd: [component] } }),
    );
    const { image } = await aws.putImage({ repositoryName, imageTag: '2026.11.3', imageManifest: imageManifest(config) });
    const imageDigest = image!.imageId!.imageDigest!;
    await until(clock, 5, () =>
      standby.aws.describeImages({ repositoryName, imageIds: [{ imageDigest }] }).then(
        () => true,
        () => undefined,
      ),
    );
    return [component, `${place.account}.dkr.ecr.${place.region}.amazonaws.com/${repositoryName}@${imageDigest}`] as const;
  });
  return Object.fromEntries(await Promise.all(pushed)) as Record<Component, string>;
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

async function pushLayer(aws: ShopDoor, repositoryName: string, content: string): Promise<Descriptor> {
  const layerPartBlob = new TextEncoder().encode(content);
  const { uploadId } = await aws.beginLayer({ repositoryName });
  await aws.uploadLayer({ repositoryName, uploadId, partFirstByte: 0, partLastByte: layerPartBlob.length - 1, layerPartBlob });
  const digest = `sha256:${createHash('sha256').update(layerPartBlob).digest('hex')}`;
  await aws.completeLayer({ repositoryName, uploadId, layerDigests: [digest] });
  return { digest, size: layerPartBlob.length };
}

const imageManifest = (config: Descriptor): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [],
  });

/** Applies the shop's manifests; a custom resource may have to wait until its type is served. */
export async function deploy(
  cluster: Cluster,
  clock: Clock,
  names: Names & { readonly zone: string },
  images: Record<Component, string>,
  random: Random,
  small: boolean,
) {
  const secrets = { password: random.hex(24), token: random.hex(40) };
  const blanks = { ...names, ...names.place, namespace: 'shop', images, secrets };
  for (const manifest of manifests(blanks, { small })) {
    await until(
      clock,
      1,
      () => cluster.apply(manifest).catch((error) => (error.status === 404 ? undefined : Promise.reject(error))),
      30,
    );
  }
  return secrets;
}
