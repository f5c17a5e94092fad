import type { Check } from '../../world/authorization/authorize.ts';
import { givingTags } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import type { EfsState } from './state.ts';

/** Tags that are given while something is made (EFS guide, "Using tags to control access": grant permission to tag on creation). */
const tagging =
  (operation: string, type: 'file-system' | 'access-point') =>
  ({ Tags }: { Tags?: readonly object[] }, { state }: Context<EfsState>): Check[] =>
    givingTags('elasticfilesystem:TagResource', state.arn(type, '*'), Tags, { 'elasticfilesystem:createaction': operation });

/** What a mount target needs of EC2, whose network interface it is (EFS API, CreateMountTarget). */
function mounting({ SubnetId = '*', SecurityGroups = [] }: Mounting, { account, region }: Context<EfsState>): Check[] {
  const groups = SecurityGroups.map((id) => `security-group/${id}`);
  const concerned = ['network-interface/*', `subnet/${SubnetId}`, ...groups].map(
    (one) => `arn:aws:ec2:${region}:${account}:${one}`,
  );
  return [
    { action: 'ec2:DescribeSubnets', resource: '*' },
    { action: 'ec2:DescribeNetworkInterfaces', resource: '*' },
    ...concerned.map((resource) => ({ action: 'ec2:CreateNetworkInterface', resource })),
  ];
}

interface Mounting {
  readonly SubnetId?: string;
  readonly SecurityGroups?: readonly string[];
}

/** Service Authorization Reference, "Amazon Elastic File System". */
export const authorization: Authorization<EfsState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  members: {
    FileSystemId: 'file-system',
    AccessPointId: 'access-point',
    MountTargetId: 'file-system',
    ResourceId: (id) => (id.startsWith('fsap-') ? 'access-point' : 'file-system'),
  },
  unnamed: { DescribeAccessPoints: 'access-point' },
  /** A mount target has no ARN: its file system's counts. */
  arnOf: (type, name, { state }) => {
    const of = name.startsWith('fsmt-') ? (state.mountTargets.get(name)?.fileSystem ?? '*') : name;
    return state.arn(type as 'file-system', of);
  },
  also: {
    CreateFileSystem: tagging('CreateFileSystem', 'file-system'),
    CreateAccessPoint: tagging('CreateAccessPoint', 'access-point'),
    CreateMountTarget: mounting,
  },
};
