import { BackupClient, DescribeBackupJobCommand, StartBackupJobCommand } from '@aws-sdk/client-backup';
import { CreateSecurityGroupCommand, CreateSubnetCommand, CreateVpcCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  CreateAccessPointCommand,
  CreateFileSystemCommand,
  CreateMountTargetCommand,
  DeleteFileSystemCommand,
  DeleteMountTargetCommand,
  EFSClient,
  type FileSystemDescription,
  PutFileSystemPolicyCommand,
  PutLifecycleConfigurationCommand,
  TagResourceCommand,
} from '@aws-sdk/client-efs';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Door, type Scene, verb } from '../../../aws/verb.ts';
import { BACKUP_VAULT, roleArn, sha256 } from '../../../vault/layout.ts';
import { proof, type Seed, type Seeded, waitFor } from '../../proof.ts';
import { ownTags } from '../../scope.ts';
import { describeFileSystem, describing, describingAll, factsAbout, listAccessPoints, listMountTargets } from './describe.ts';
import { fileSystemIdOf } from './file-system.ts';

const efs = calls('elasticfilesystem', EFSClient);
const ec2 = calls('ec2', EC2Client);
const backup = calls('backup', BackupClient);

const seeding = {
  ...describing,
  vpc: ec2.again(CreateVpcCommand),
  subnet: ec2.again(CreateSubnetCommand),
  group: ec2.again(CreateSecurityGroupCommand),
  create: efs.again(CreateFileSystemCommand),
  lifecycle: efs.again(PutLifecycleConfigurationCommand),
  policy: efs.again(PutFileSystemPolicyCommand),
  accessPoint: efs.again(CreateAccessPointCommand),
  mount: efs.again(CreateMountTargetCommand),
};
type Seeding = Door<typeof seeding>;
type Tags = { Key: string; Value: string }[];

/** One with everything that no recovery point holds, mounted in two zones, and one with nothing. Files are written by hosts only. */
async function seed(aws: Seeding, { name, tags }: Seed, scene: Scene): Promise<Seeded> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const full = await fullOne(aws, name, Tags, scene);
  const plain = await made(aws, `${name}-plain`, [...Tags, { Key: 'part', Value: 'plain' }], {}, scene);
  return { ids: [full, plain].map(({ FileSystemArn }) => FileSystemArn!) };
}

async function fullOne(aws: Seeding, name: string, Tags: Tags, scene: Scene): Promise<FileSystemDescription> {
  const settings = { ThroughputMode: 'provisioned', ProvisionedThroughputInMibps: 64, Backup: true } as const;
  const full = await made(aws, `${name}-full`, [...Tags, { Key: 'Name', Value: `${name}-full` }], settings, scene);
  const FileSystemId = full.FileSystemId!;
  await aws.lifecycle({
    FileSystemId,
    LifecyclePolicies: [{ TransitionToIA: 'AFTER_30_DAYS' }, { TransitionToPrimaryStorageClass: 'AFTER_1_ACCESS' }],
  });
  await aws.policy({ FileSystemId, Policy: policyFor(full.FileSystemArn!) });
  for (const [Path, uid] of [
    ['/uploads', 1000],
    ['/reports', 1001],
  ] as const) {
    await aws.accessPoint({
      ClientToken: sha256(`${name}${Path}`),
      FileSystemId,
      PosixUser: { Uid: uid, Gid: uid, SecondaryGids: [uid + 1] },
      RootDirectory: { Path, CreationInfo: { OwnerUid: uid, OwnerGid: uid, Permissions: '0750' } },
      Tags: [{ Key: 'Name', Value: Path.slice(1) }],
    });
  }
  const { Vpc } = await aws.vpc({ CidrBlock: '10.40.0.0/16' });
  const VpcId = Vpc!.VpcId!;
  const { GroupId } = await aws.group({ GroupName: `${name}-nfs`, Description: 'NFS', VpcId });
  for (const [i, letter] of ['a', 'b'].entries()) {
    const zone = { CidrBlock: `10.40.${i}.0/24`, AvailabilityZone: `${scene.here.region}${letter}` };
    const { Subnet } = await aws.subnet({ VpcId, ...zone });
    await aws.mount({ FileSystemId, SubnetId: Subnet!.SubnetId!, SecurityGroups: [GroupId!] });
  }
  const ready = async () => {
    const [points, targets] = [await listAccessPoints(aws, FileSystemId), await listMountTargets(aws, FileSystemId)];
    return [...points, ...targets].every(({ LifeCycleState }) => LifeCycleState === 'available') || undefined;
  };
  await waitFor(scene.clock, `The mount targets of ${FileSystemId}`, ready);
  return full;
}

const policyFor = (arn: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: '*' }, Action: 'elasticfilesystem:ClientMount', Resource: arn },
      {
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: '*',
        Resource: arn,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });

async function made(
  aws: Seeding,
  CreationToken: string,
  Tags: Tags,
  settings: object,
  { clock }: Scene,
): Promise<FileSystemDescription> {
  const created = await aws.create({ CreationToken, Encrypted: true, Tags, ...settings });
  return waitFor(clock, `File system ${created.FileSystemId}`, async () => {
    const found = await describeFileSystem(aws, created.FileSystemId!);
    return found?.LifeCycleState === 'available' ? found : undefined;
  });
}

/** Its settings, its access points and whether it can be mounted. What its files hold only a host can tell. */
async function fingerprint(aws: Door<typeof describingAll>, arn: string): Promise<string> {
  const id = fileSystemIdOf(arn);
  const found = await describeFileSystem(aws, id);
  const { performanceMode, throughputMode, provisioned, encrypted, lifecycle, automaticBackups, ...facts } = await factsAbout(
    aws,
    found!,
  );
  const own = (tags: { readonly [key: string]: string }) =>
    ownTags(new Map(Object.entries(tags))).sort((a, b) => (a.Key < b.Key ? -1 : 1));
  const points = facts.accessPoints.map(({ user, root, creation, tags }) => JSON.stringify([user, root, creation, own(tags)]));
  const zones = facts.mountTargets.map(({ zone }) => zone.at(-1)).sort();
  return JSON.stringify([
    [performanceMode, throughputMode, provisioned, encrypted, lifecycle, automaticBackups],
    facts.policy?.replaceAll(arn, 'itself') ?? null,
    own(facts.tags),
    points.sort(),
    zones,
  ]);
}

const destroying = { ...describing, unmount: efs.again(DeleteMountTargetCommand), remove: efs.again(DeleteFileSystemCommand) };

export default proof({
  seed: verb(seeding, seed),
  /** Files are changed only by hosts; what can be changed from outside are tags. */
  mutate: verb({ tag: efs.again(TagResourceCommand) }, async (aws, arn) => {
    await aws.tag({ ResourceId: fileSystemIdOf(arn), Tags: [{ Key: 'part', Value: 'changed' }] });
  }),
  fingerprint: verb(describingAll, fingerprint),
  destroy: verb(destroying, async (aws, arn, { clock }) => {
    const FileSystemId = fileSystemIdOf(arn);
    const targets = await listMountTargets(aws, FileSystemId);
    for (const { MountTargetId } of targets) await aws.unmount({ MountTargetId: MountTargetId! });
    await waitFor(
      clock,
      `The unmounting of ${FileSystemId}`,
      async () => (await listMountTargets(aws, FileSystemId)).length === 0 || undefined,
    );
    await aws.remove({ FileSystemId }).catch(when('FileSystemNotFound', () => undefined));
    await waitFor(clock, `The end of ${FileSystemId}`, async () =>
      (await describeFileSystem(aws, FileSystemId)) ? undefined : true,
    );
  }),
  /** A backup that someone else took, into the same backup vault. */
  foreign: verb(
    { start: backup.again(StartBackupJobCommand), job: backup.read(DescribeBackupJobCommand) },
    async (aws, arn, { clock, here }) => {
      const { BackupJobId, RecoveryPointArn } = await aws.start({
        BackupVaultName: BACKUP_VAULT,
        ResourceArn: arn,
        IamRoleArn: roleArn('backup', here),
        IdempotencyToken: sha256(`foreign ${arn}`),
      });
      await waitFor(
        clock,
        `Backup job ${BackupJobId}`,
        async () => (await aws.job({ BackupJobId: BackupJobId! })).State === 'COMPLETED' || undefined,
      );
      return RecoveryPointArn!;
    },
  ),
});
