import {
  CreateAccessPointCommand,
  CreateMountTargetCommand,
  EFSClient,
  type FileSystemDescription,
  type LifecyclePolicy,
  PutBackupPolicyCommand,
  PutFileSystemPolicyCommand,
  PutLifecycleConfigurationCommand,
  TagResourceCommand,
  type ThroughputMode,
  UpdateFileSystemCommand,
} from '@aws-sdk/client-efs';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { type Stamp, stamp } from '../../../aws/tags.ts';
import type { Door } from '../../../aws/verb.ts';
import { rewiring } from '../../../decide/rewire.ts';
import { type Item, pointId, type Restored } from '../../../domain.ts';
import { sha256 } from '../../../vault/layout.ts';
import { done, failed, type RestoreWork, type Started, started } from '../../kind.ts';
import { ownTags } from '../../scope.ts';
import { restoreToken } from '../aws-backup.ts';
import { describeFileSystem, describing, listAccessPoints, listMountTargets } from './describe.ts';
import { type AccessPointFacts, factsOf, fileSystemArn, KIND } from './file-system.ts';
import { lookingAtSubnets, type Mount, mountsOf } from './mounts.ts';
import { type Made, renamesOf } from './renames.ts';

const { again } = calls('elasticfilesystem', EFSClient);

/** All of these may be asked again: settings are what they are set to, tokens name access points, and a zone has one mount target. */
export const equipping = {
  ...describing,
  ...lookingAtSubnets,
  tag: again(TagResourceCommand),
  update: again(UpdateFileSystemCommand),
  putLifecycle: again(PutLifecycleConfigurationCommand),
  putBackupPolicy: again(PutBackupPolicyCommand),
  putPolicy: again(PutFileSystemPolicyCommand),
  createAccessPoint: again(CreateAccessPointCommand, { also: ['elasticfilesystem:TagResource'] }),
  createMountTarget: again(CreateMountTargetCommand, {
    also: ['ec2:DescribeSubnets', 'ec2:DescribeNetworkInterfaces', 'ec2:CreateNetworkInterface'], // EFS API, CreateMountTarget
  }),
};
type Equipping = Door<typeof equipping>;

/** Tags that one file system can bear (EFS quotas). */
const MOST_TAGS = 50;

/** Sets again what no recovery point holds; done when the file system can be mounted as the original could. */
export async function equip(aws: Equipping, work: Started<RestoreWork>, id: string): Promise<Item<Restored>> {
  const { resource } = work;
  const found = await describeFileSystem(aws, id);
  if (!found) return failed(resource.id, `${id} is gone: someone deleted it while it was being restored.`);
  if (found.LifeCycleState !== 'available') return started(resource.id, work.handle, `${id} is ${found.LifeCycleState}.`);
  const { mounts, lacks } = await mountsOf(aws, work);
  if (lacks.length > 0) return failed(resource.id, lacks.join(' '));
  const dropped = await tagged(aws, work, id);
  await configure(aws, work, found);
  const made = await mountable(aws, work, id, mounts);
  if (!made) return started(resource.id, work.handle, `The access points and mount targets of ${id} are being made.`);
  const renames = renamesOf(work, made);
  const { policy } = factsOf(resource);
  if (policy !== null) {
    await aws.putPolicy({ FileSystemId: id, Policy: rewiring(renames)(policy, 'settings').text });
  }
  return done(resource.id, {
    kind: KIND,
    resource: resource.id,
    id: fileSystemArn(work.target.place, id),
    place: work.target.place,
    renames,
    notes: [`${resource.name} is ${id}, made from ${work.artifact.id}.`, RECOVERY_DIRECTORY, ...dropped, ...ofOneZone(work)],
  });
}

/** AWS's pages name the directory for restores in general, and say nothing that would tell a new file system from an old one. */
const RECOVERY_DIRECTORY =
  'Should its files lie under a directory aws-backup-restore_… off the root, as AWS Backup makes one where it restores into a file system that is there already, move them up before they are used.';

const ofOneZone = ({ resource }: RestoreWork): string[] => {
  const { zone } = factsOf(resource);
  return zone === null ? [] : [`${resource.name} was in the one zone ${zone}; what was restored is Regional.`];
};

const stampFor = ({ point, restore }: RestoreWork, resource: string): Stamp => ({
  application: point.application,
  restorePoint: pointId(point),
  resource,
  restore,
});

/** The original's tags and ours, in one call, so that it is never taken for a member of the application. Answers what was left out. */
async function tagged(aws: Equipping, work: RestoreWork, id: string): Promise<string[]> {
  const ours = stamp(stampFor(work, work.resource.id));
  const own = ownTags(new Map(Object.entries(factsOf(work.resource).tags)));
  const kept = own.slice(0, MOST_TAGS - ours.length);
  await aws.tag({ ResourceId: id, Tags: [...kept, ...ours] });
  const left = own.slice(kept.length).map(({ Key }) => Key);
  return left.length > 0 ? [`A file system can bear ${MOST_TAGS} tags, so these were left out: ${left.join(', ')}.`] : [];
}

async function configure(aws: Equipping, { resource }: RestoreWork, found: FileSystemDescription): Promise<void> {
  const { throughputMode, provisioned, lifecycle, automaticBackups } = factsOf(resource);
  const FileSystemId = found.FileSystemId!;
  // Changing it a second time within a day is refused, so it is changed only where it differs (EFS API, UpdateFileSystem).
  if (found.ThroughputMode !== throughputMode || (found.ProvisionedThroughputInMibps ?? null) !== provisioned) {
    const mibps = provisioned === null ? {} : { ProvisionedThroughputInMibps: provisioned };
    await aws.update({ FileSystemId, ThroughputMode: throughputMode as ThroughputMode, ...mibps });
  }
  await aws.putLifecycle({ FileSystemId, LifecyclePolicies: [...lifecycle] as LifecyclePolicy[] });
  await aws.putBackupPolicy({ FileSystemId, BackupPolicy: { Status: automaticBackups ? 'ENABLED' : 'DISABLED' } });
}

/** The access points and mount targets, once all of them can be used; those that are missing are made. */
async function mountable(aws: Equipping, work: RestoreWork, id: string, mounts: readonly Mount[]): Promise<Made | undefined> {
  const points = await listAccessPoints(aws, id);
  const targets = await listMountTargets(aws, id);
  const ready = ({ LifeCycleState }: { LifeCycleState?: string | undefined }) => LifeCycleState === 'available';
  const accessPoints = factsOf(work.resource).accessPoints.map((was) => ({
    was,
    is: points.find(({ ClientToken }) => ClientToken === tokenOf(work, was)),
  }));
  const mountTargets = mounts.map((mount) => ({ mount, is: targets.find((one) => one.AvailabilityZoneName === mount.zone) }));
  for (const { was, is } of accessPoints) if (!is) await createAccessPoint(aws, work, id, was);
  for (const { mount, is } of mountTargets) if (!is) await createMountTarget(aws, id, mount);
  if (![...accessPoints, ...mountTargets].every(({ is }) => is && ready(is))) return undefined;
  return {
    id,
    accessPoints: accessPoints.map(({ was, is }) => ({ was, id: is!.AccessPointId!, arn: is!.AccessPointArn! })),
    mountTargets: mountTargets.map(({ is }) => ({
      id: is!.MountTargetId!,
      zone: is!.AvailabilityZoneName!,
      address: is!.IpAddress!,
    })),
  };
}

const tokenOf = (work: RestoreWork, { id }: AccessPointFacts): string => sha256(`${restoreToken(work)}\n${id}`);

const createAccessPoint = (aws: Equipping, work: RestoreWork, FileSystemId: string, was: AccessPointFacts): Promise<unknown> =>
  aws
    .createAccessPoint({
      FileSystemId,
      ClientToken: tokenOf(work, was),
      RootDirectory: {
        Path: was.root,
        ...(was.creation
          ? {
              CreationInfo: {
                OwnerUid: was.creation.uid,
                OwnerGid: was.creation.gid,
                Permissions: was.creation.permissions,
              },
            }
          : {}),
      },
      ...(was.user
        ? {
            PosixUser: {
              Uid: was.user.uid,
              Gid: was.user.gid,
              ...(was.user.secondaryGids.length > 0 ? { SecondaryGids: [...was.user.secondaryGids] } : {}),
            },
          }
        : {}),
      Tags: [...ownTags(new Map(Object.entries(was.tags))), ...stamp(stampFor(work, was.arn))].slice(0, MOST_TAGS),
    })
    .catch(when('AccessPointAlreadyExists', () => undefined));

const createMountTarget = (aws: Equipping, FileSystemId: string, { subnet, securityGroups }: Mount): Promise<unknown> =>
  aws
    .createMountTarget({
      FileSystemId,
      SubnetId: subnet,
      ...(securityGroups && securityGroups.length > 0 ? { SecurityGroups: [...securityGroups] } : {}),
    })
    .catch(when('MountTargetConflict', () => undefined));
