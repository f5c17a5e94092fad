import type * as SDK from '@aws-sdk/client-efs';
import { operations } from '../../world/service.ts';
import { pageOf } from '../pages.ts';
import { type EfsState, type FileSystem, refused, tagList, tagsOf } from './state.ts';

/** What a file system without files is metered at (EFS guide, "Metering"). */
const EMPTY_BYTES = 6144;

const describe = (of: FileSystem, { account }: EfsState, mountTargets: number): SDK.FileSystemDescription => ({
  OwnerId: account,
  CreationToken: of.token,
  FileSystemId: of.id,
  FileSystemArn: of.arn,
  CreationTime: of.createdAt,
  LifeCycleState: of.state,
  NumberOfMountTargets: mountTargets,
  SizeInBytes: {
    Value: EMPTY_BYTES + of.files.bytes,
    ValueInStandard: EMPTY_BYTES + of.files.bytes,
    ValueInIA: 0,
    ValueInArchive: 0,
  },
  PerformanceMode: of.performanceMode,
  Encrypted: of.encrypted,
  ThroughputMode: of.throughputMode,
  Tags: tagList(of.tags),
  FileSystemProtection: { ReplicationOverwriteProtection: 'ENABLED' },
  ...(of.tags['Name'] === undefined ? {} : { Name: of.tags['Name'] }),
  ...(of.key === undefined ? {} : { KmsKeyId: of.key }),
  ...(of.provisioned === undefined ? {} : { ProvisionedThroughputInMibps: of.provisioned }),
  ...(of.zone === undefined ? {} : { AvailabilityZoneName: of.zone }),
});

function throughput(mode: SDK.ThroughputMode | undefined, mibps: number | undefined): void {
  if ((mode === 'provisioned') !== (mibps !== undefined))
    refused('BadRequest', 'ProvisionedThroughputInMibps belongs to the throughput mode provisioned, and only to it.');
}

export const fileSystems = operations<typeof SDK, EfsState>()({
  CreateFileSystem(input, { state, world }) {
    const { CreationToken: token = world.random.uuid(), PerformanceMode, Encrypted, KmsKeyId, Tags } = input;
    throughput(input.ThroughputMode, input.ProvisionedThroughputInMibps);
    const made = state.create({
      token,
      tags: tagsOf(Tags),
      ...(PerformanceMode ? { performanceMode: PerformanceMode } : {}),
      ...(Encrypted ? { encrypted: true } : {}),
      ...(KmsKeyId ? { key: KmsKeyId } : {}),
      ...(input.ThroughputMode ? { throughputMode: input.ThroughputMode } : {}),
      ...(input.ProvisionedThroughputInMibps === undefined ? {} : { provisioned: input.ProvisionedThroughputInMibps }),
      ...(input.AvailabilityZoneName ? { zone: input.AvailabilityZoneName } : {}),
      ...(input.Backup === undefined ? {} : { backup: input.Backup }),
    });
    return describe(made, state, 0);
  },

  DescribeFileSystems({ FileSystemId, CreationToken, MaxItems = 100, Marker }, { state }) {
    const all = FileSystemId ? [state.fileSystem(FileSystemId)] : [...state.fileSystems.values()];
    const found = all.filter(({ token }) => CreationToken === undefined || token === CreationToken);
    const { page, next } = pageOf(found, MaxItems, Marker) ?? refused('BadRequest', `The marker '${Marker}' is invalid.`);
    return {
      FileSystems: page.map((one) => describe(one, state, state.mountTargetsOf(one).length)),
      ...(Marker ? { Marker } : {}),
      ...(next ? { NextMarker: next } : {}),
    };
  },

  UpdateFileSystem({ FileSystemId, ThroughputMode, ProvisionedThroughputInMibps }, { state }) {
    const found = state.available(FileSystemId);
    const mode = ThroughputMode ?? found.throughputMode;
    throughput(mode, ProvisionedThroughputInMibps);
    Object.assign(found, { throughputMode: mode, provisioned: ProvisionedThroughputInMibps });
    return describe(found, state, state.mountTargetsOf(found).length);
  },

  /** Mount targets must be gone first; access points go along (EFS API, DeleteFileSystem). */
  DeleteFileSystem({ FileSystemId }, { state }) {
    const found = state.fileSystem(FileSystemId);
    if (state.mountTargetsOf(found).length > 0) refused('FileSystemInUse', `File system '${found.id}' has mount targets.`);
    found.state = 'deleting';
    state.soon(() => {
      state.fileSystems.delete(found.id);
      for (const { id, fileSystem } of [...state.accessPoints.values()])
        if (fileSystem === found.id) state.accessPoints.delete(id);
    });
    return {};
  },

  PutLifecycleConfiguration({ FileSystemId, LifecyclePolicies = [] }, { state }) {
    state.available(FileSystemId).lifecycle = LifecyclePolicies;
    return { LifecyclePolicies };
  },
  DescribeLifecycleConfiguration: ({ FileSystemId }, { state }) => ({
    LifecyclePolicies: state.fileSystem(FileSystemId).lifecycle,
  }),

  PutBackupPolicy({ FileSystemId, BackupPolicy }, { state }) {
    const found = state.available(FileSystemId);
    found.backup = BackupPolicy?.Status === 'ENABLED' || BackupPolicy?.Status === 'ENABLING';
    return { BackupPolicy: { Status: found.backup ? 'ENABLING' : 'DISABLING' } };
  },
  DescribeBackupPolicy: ({ FileSystemId }, { state }) => ({
    BackupPolicy: { Status: state.fileSystem(FileSystemId).backup ? 'ENABLED' : 'DISABLED' },
  }),

  PutFileSystemPolicy({ FileSystemId, Policy = '' }, { state }) {
    const found = state.available(FileSystemId);
    try {
      JSON.parse(Policy);
    } catch {
      refused('InvalidPolicyException', 'The policy is not valid JSON.');
    }
    found.policy = Policy;
    return { FileSystemId: found.id, Policy };
  },
  DescribeFileSystemPolicy({ FileSystemId }, { state }) {
    const { id, policy } = state.fileSystem(FileSystemId);
    return { FileSystemId: id, Policy: policy ?? refused('PolicyNotFound', `File system '${id}' has no policy.`) };
  },
  DeleteFileSystemPolicy({ FileSystemId }, { state }) {
    state.available(FileSystemId).policy = undefined;
    return {};
  },
});

export const tagging = operations<typeof SDK, EfsState>()({
  TagResource({ ResourceId, Tags }, { state }) {
    Object.assign(state.tagged(ResourceId).tags, tagsOf(Tags));
    return {};
  },
  UntagResource({ ResourceId, TagKeys = [] }, { state }) {
    const { tags } = state.tagged(ResourceId);
    for (const key of TagKeys) delete tags[key];
    return {};
  },
  ListTagsForResource({ ResourceId, MaxResults, NextToken }, { state }) {
    const all = tagList(state.tagged(ResourceId).tags);
    const { page, next } = pageOf(all, MaxResults, NextToken) ?? refused('BadRequest', `The token '${NextToken}' is invalid.`);
    return { Tags: page, ...(next ? { NextToken: next } : {}) };
  },
  /** The old names of the same (EFS API, deprecated). */
  CreateTags({ FileSystemId, Tags }, { state }) {
    Object.assign(state.fileSystem(FileSystemId).tags, tagsOf(Tags));
    return {};
  },
  DeleteTags({ FileSystemId, TagKeys = [] }, { state }) {
    const { tags } = state.fileSystem(FileSystemId);
    for (const key of TagKeys) delete tags[key];
    return {};
  },
  DescribeTags: ({ FileSystemId }, { state }) => ({ Tags: tagList(state.fileSystem(FileSystemId).tags) }),
});
