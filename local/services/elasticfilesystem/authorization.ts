import type { Check } from '../../world/authorization/authorize.ts';
import { requestTagKeys, tagsIn } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import type { EfsState } from './state.ts';

/** Tags that are given while something is made (EFS guide, "Using tags to control access": grant permission to tag on creation). */
const tagging =
  (operation: string, type: 'file-system' | 'access-point') =>
  ({ Tags = [] }: { Tags?: readonly object[] }, { state }: Context<EfsState>): Check[] => {
    const tags = tagsIn(Tags);
    if (Object.keys(tags).length === 0) return [];
    const keys = { 'elasticfilesystem:createaction': operation, 'aws:tagkeys': Object.keys(tags), ...requestTagKeys(tags) };
    return [{ action: 'elasticfilesystem:TagResource', resource: state.arn(type, '*'), keys }];
  };

/** What a mount target needs of EC2, whose network interface it is (EFS API, CreateMountTarget). */
const MOUNTING = ['DescribeSubnets', 'DescribeNetworkInterfaces', 'CreateNetworkInterface'];

/** Service Authorization Reference, "Amazon Elastic File System". */
export const authorization: Authorization<EfsState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  members: {
    FileSystemId: 'file-system',
    AccessPointId: 'access-point',
    MountTargetId: 'file-system',
    ResourceId: (id) => (id.startsWith('fsap-') ? 'access-point' : 'file-system'),
  },
  /** A mount target has no ARN: its file system's counts. */
  arnOf: (type, name, { state }) => {
    const of = name.startsWith('fsmt-') ? (state.mountTargets.get(name)?.fileSystem ?? '*') : name;
    return state.arn(type as 'file-system', of);
  },
  also: {
    CreateFileSystem: tagging('CreateFileSystem', 'file-system'),
    CreateAccessPoint: tagging('CreateAccessPoint', 'access-point'),
    CreateMountTarget: (_, { account, region }) =>
      MOUNTING.map((name) => ({
        action: `ec2:${name}`,
        resource: name === 'CreateNetworkInterface' ? `arn:aws:ec2:${region}:${account}:network-interface/*` : '*',
      })),
  },
};
