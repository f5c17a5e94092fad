import {
  CreateTableCommand,
  DeleteItemCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  RestoreTableToPointInTimeCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSubnetCommand,
  CreateVolumeCommand,
  CreateVpcCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  ECRClient,
  InitiateLayerUploadCommand,
  PutImageCommand,
  PutReplicationConfigurationCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import {
  CreateAccessPointCommand,
  CreateFileSystemCommand,
  CreateMountTargetCommand,
  DescribeFileSystemsCommand,
  DescribeMountTargetsCommand,
  EFSClient,
} from '@aws-sdk/client-efs';
import { CreateClusterCommand, DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { CreateAliasCommand, CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import {
  CreateDBInstanceCommand,
  CreateDBParameterGroupCommand,
  CreateDBSubnetGroupCommand,
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  RDSClient,
  RestoreDBInstanceToPointInTimeCommand,
  StartDBInstanceAutomatedBackupsReplicationCommand,
} from '@aws-sdk/client-rds';
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  RollbackTransactionCommand,
} from '@aws-sdk/client-rds-data';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { calls } from '../../functions/aws/call.ts';
import type { Clock } from '../../functions/aws/clock.ts';
import { classify, Transient } from '../../functions/aws/errors.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import { type Door, open, verb } from '../../functions/aws/verb.ts';
import type { Place } from '../../functions/domain.ts';
import type { World } from '../../local/world/world.ts';

const dynamodb = calls('dynamodb', DynamoDBClient);
const ec2 = calls('ec2', EC2Client);
const ecr = calls('ecr', ECRClient);
const efs = calls('elasticfilesystem', EFSClient);
const eks = calls('eks', EKSClient);
const kms = calls('kms', KMSClient);
const rds = calls('rds', RDSClient);
const sql = calls('rds-data', RDSDataClient);
const s3 = calls('s3', S3Client);

/** Every call that the shop makes, as its developers and its processes would. */
const everyCall = {
  createTable: dynamodb.again(CreateTableCommand),
  describeTable: dynamodb.read(DescribeTableCommand),
  updateContinuousBackups: dynamodb.again(UpdateContinuousBackupsCommand),
  updateTimeToLive: dynamodb.again(UpdateTimeToLiveCommand),
  getItem: dynamodb.read(GetItemCommand),
  putItem: dynamodb.again(PutItemCommand),
  updateItem: dynamodb.again(UpdateItemCommand),
  deleteItem: dynamodb.again(DeleteItemCommand),
  transact: dynamodb.again(TransactWriteItemsCommand),
  scan: dynamodb.read(ScanCommand),
  describeContinuousBackups: dynamodb.read(DescribeContinuousBackupsCommand),
  restoreTable: dynamodb.again(RestoreTableToPointInTimeCommand),

  createVolume: ec2.again(CreateVolumeCommand),
  describeVolumes: ec2.read(DescribeVolumesCommand),
  attachVolume: ec2.again(AttachVolumeCommand),
  detachVolume: ec2.again(DetachVolumeCommand),
  runInstances: ec2.again(RunInstancesCommand),
  describeInstances: ec2.read(DescribeInstancesCommand),
  terminateInstances: ec2.again(TerminateInstancesCommand),
  createSnapshot: ec2.once(CreateSnapshotCommand),
  describeSnapshots: ec2.read(DescribeSnapshotsCommand),
  createVpc: ec2.once(CreateVpcCommand),
  createSubnet: ec2.again(CreateSubnetCommand),

  createRepository: ecr.again(CreateRepositoryCommand),
  beginLayer: ecr.again(InitiateLayerUploadCommand),
  uploadLayer: ecr.again(UploadLayerPartCommand),
  completeLayer: ecr.again(CompleteLayerUploadCommand),
  putImage: ecr.again(PutImageCommand),
  describeImages: ecr.read(DescribeImagesCommand),
  putReplicationConfiguration: ecr.again(PutReplicationConfigurationCommand),

  createFileSystem: efs.again(CreateFileSystemCommand),
  describeFileSystems: efs.read(DescribeFileSystemsCommand),
  createAccessPoint: efs.again(CreateAccessPointCommand),
  createMountTarget: efs.again(CreateMountTargetCommand),
  describeMountTargets: efs.read(DescribeMountTargetsCommand),

  createCluster: eks.again(CreateClusterCommand),
  describeCluster: eks.read(DescribeClusterCommand),

  createKey: kms.once(CreateKeyCommand),
  createAlias: kms.again(CreateAliasCommand),
  putKeyPolicy: kms.again(PutKeyPolicyCommand),

  createParameterGroup: rds.again(CreateDBParameterGroupCommand),
  createSubnetGroup: rds.again(CreateDBSubnetGroupCommand),
  createInstance: rds.again(CreateDBInstanceCommand),
  describeInstance: rds.read(DescribeDBInstancesCommand),
  replicateBackups: rds.again(StartDBInstanceAutomatedBackupsReplicationCommand),
  describeBackups: rds.read(DescribeDBInstanceAutomatedBackupsCommand),
  restoreInstance: rds.again(RestoreDBInstanceToPointInTimeCommand),

  beginSql: sql.again(BeginTransactionCommand),
  executeSql: sql.again(ExecuteStatementCommand),
  commitSql: sql.again(CommitTransactionCommand),
  rollBackSql: sql.again(RollbackTransactionCommand),

  createBucket: s3.again(CreateBucketCommand),
  putBucketVersioning: s3.again(PutBucketVersioningCommand),
  putBucketTagging: s3.again(PutBucketTaggingCommand),
  putBucketEncryption: s3.again(PutBucketEncryptionCommand),
  putBucketPolicy: s3.again(PutBucketPolicyCommand),
  putObject: s3.again(PutObjectCommand),
  copyObject: s3.again(CopyObjectCommand),
  getObject: s3.read(GetObjectCommand),
  listObjects: s3.read(ListObjectsV2Command),
  listObjectVersions: s3.read(ListObjectVersionsCommand),
};

export type ShopDoor = Door<typeof everyCall>;

/** One place in which the shop has things, and its way there. */
export interface Site {
  readonly place: Place;
  readonly aws: ShopDoor;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Its hosts reach there what AWS has no API for: the bytes of their disks and files. */
  readonly world: World;
}

/** Everything of the shop's at one place, and its way there. */
export const siteAt = async (world: World, transport: Transport, clock: Clock, place: Place): Promise<Site> => ({
  place,
  transport,
  clock,
  world,
  aws: await openDoor(transport, clock, place),
});

/** The shop's way to AWS at one place. */
export const openDoor = (transport: Transport, clock: Clock, place: Place): Promise<ShopDoor> =>
  open(
    verb(everyCall, async (aws) => aws),
    transport,
    clock,
    { here: place, home: place },
  )(undefined);

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 30_000;

/** Repeats what can be repeated until it is answered, as a process of the shop would: longer and longer pauses, until it is told to stop. */
export async function persist<T>(clock: Clock, work: () => Promise<T>, stopped: () => boolean = () => false): Promise<T> {
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return await work();
    } catch (error) {
      if (stopped() || !(classify(error) instanceof Transient)) throw error;
    }
    await clock.sleep(pause);
  }
}

/** Asks again every so often until the answer is there. */
export async function until<T>(clock: Clock, seconds: number, ask: () => Promise<T | undefined>, limit = 200): Promise<T> {
  for (let asked = 0; asked < limit; asked++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await clock.sleep(seconds * 1000);
  }
  throw new Error(`It was not ready after ${limit * seconds} s.`);
}
