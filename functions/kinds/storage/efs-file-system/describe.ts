import {
  type AccessPointDescription,
  DescribeAccessPointsCommand,
  DescribeBackupPolicyCommand,
  DescribeFileSystemPolicyCommand,
  DescribeFileSystemsCommand,
  DescribeLifecycleConfigurationCommand,
  DescribeMountTargetSecurityGroupsCommand,
  DescribeMountTargetsCommand,
  EFSClient,
  type FileSystemDescription,
  type MountTargetDescription,
} from '@aws-sdk/client-efs';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { tagMap } from '../../scope.ts';
import type { AccessPointFacts, FileSystemFacts, MountTargetFacts } from './file-system.ts';

const { read } = calls('elasticfilesystem', EFSClient);

export const describing = {
  fileSystems: read(DescribeFileSystemsCommand),
  accessPoints: read(DescribeAccessPointsCommand),
  mountTargets: read(DescribeMountTargetsCommand),
};
export const describingAll = {
  ...describing,
  lifecycle: read(DescribeLifecycleConfigurationCommand),
  backupPolicy: read(DescribeBackupPolicyCommand),
  policy: read(DescribeFileSystemPolicyCommand),
  securityGroups: read(DescribeMountTargetSecurityGroupsCommand),
};

/** A file system as it stands; undefined where there is none of that id. */
export const describeFileSystem = async (
  aws: Pick<Door<typeof describing>, 'fileSystems'>,
  FileSystemId: string,
): Promise<FileSystemDescription | undefined> =>
  (await aws.fileSystems({ FileSystemId }).catch(when('FileSystemNotFound', () => undefined)))?.FileSystems?.[0];

export async function listAccessPoints(
  aws: Pick<Door<typeof describing>, 'accessPoints'>,
  FileSystemId: string,
): Promise<AccessPointDescription[]> {
  const found: AccessPointDescription[] = [];
  let NextToken: string | undefined;
  do {
    const page = await aws.accessPoints({ FileSystemId, ...(NextToken ? { NextToken } : {}) });
    found.push(...(page.AccessPoints ?? []));
    NextToken = page.NextToken || undefined;
  } while (NextToken);
  return found;
}

export async function listMountTargets(
  aws: Pick<Door<typeof describing>, 'mountTargets'>,
  FileSystemId: string,
): Promise<MountTargetDescription[]> {
  const found: MountTargetDescription[] = [];
  let Marker: string | undefined;
  do {
    const page = await aws.mountTargets({ FileSystemId, ...(Marker ? { Marker } : {}) });
    found.push(...(page.MountTargets ?? []));
    Marker = page.NextMarker || undefined;
  } while (Marker);
  return found;
}

/** Everything that a restore has to set again, because no recovery point holds it (AWS Backup guide, "Restore an Amazon EFS file system"). */
export async function factsAbout(aws: Door<typeof describingAll>, of: FileSystemDescription): Promise<FileSystemFacts> {
  const FileSystemId = of.FileSystemId!;
  const [{ LifecyclePolicies = [] }, backups, policy, points, targets] = await Promise.all([
    aws.lifecycle({ FileSystemId }),
    aws.backupPolicy({ FileSystemId }).catch(when('PolicyNotFound', () => undefined)),
    aws.policy({ FileSystemId }).catch(when('PolicyNotFound', () => undefined)),
    listAccessPoints(aws, FileSystemId),
    listMountTargets(aws, FileSystemId),
  ]);
  return {
    performanceMode: of.PerformanceMode!,
    throughputMode: of.ThroughputMode ?? 'bursting',
    provisioned: of.ProvisionedThroughputInMibps ?? null,
    encrypted: of.Encrypted ?? false,
    kmsKeyId: of.KmsKeyId ?? null,
    zone: of.AvailabilityZoneName ?? null,
    bytes: of.SizeInBytes?.Value ?? 0,
    lifecycle: LifecyclePolicies.map((one) => ({ ...one }) as Record<string, string>),
    automaticBackups: ['ENABLED', 'ENABLING'].includes(backups?.BackupPolicy?.Status ?? ''),
    policy: policy?.Policy ?? null,
    accessPoints: points.filter(({ LifeCycleState }) => LifeCycleState === 'available').map(accessPointFacts),
    mountTargets: await Promise.all(targets.map((target) => mountTargetFacts(aws, target))),
    tags: Object.fromEntries(tagMap(of.Tags)),
  };
}

const accessPointFacts = ({
  AccessPointId,
  AccessPointArn,
  PosixUser,
  RootDirectory,
  Tags,
}: AccessPointDescription): AccessPointFacts => ({
  id: AccessPointId!,
  arn: AccessPointArn!,
  user: PosixUser ? { uid: PosixUser.Uid!, gid: PosixUser.Gid!, secondaryGids: PosixUser.SecondaryGids ?? [] } : null,
  root: RootDirectory?.Path ?? '/',
  creation: RootDirectory?.CreationInfo
    ? {
        uid: RootDirectory.CreationInfo.OwnerUid!,
        gid: RootDirectory.CreationInfo.OwnerGid!,
        permissions: RootDirectory.CreationInfo.Permissions!,
      }
    : null,
  tags: Object.fromEntries(tagMap(Tags)),
});

async function mountTargetFacts(
  aws: Pick<Door<typeof describingAll>, 'securityGroups'>,
  { MountTargetId, SubnetId, AvailabilityZoneName, IpAddress }: MountTargetDescription,
): Promise<MountTargetFacts> {
  const { SecurityGroups = [] } = await aws.securityGroups({ MountTargetId: MountTargetId! });
  return {
    id: MountTargetId!,
    subnet: SubnetId!,
    zone: AvailabilityZoneName ?? '',
    address: IpAddress ?? '',
    securityGroups: SecurityGroups,
  };
}
