import { type Authorization, passing } from '../../world/authorization/declared.ts';
import type { CloudFormationState } from './state.ts';

const passed = ({ RoleARN }: { RoleARN?: string }) => passing(RoleARN, 'cloudformation.amazonaws.com');

/** Service Authorization Reference, "AWS CloudFormation": a stack's ARN ends in an id that only the stack knows. */
export const authorization: Authorization<CloudFormationState> = {
  refusing: { code: 'AccessDenied', status: 403 },
  members: { StackName: 'stack' },
  arnOf: (type, name, { account, region }) =>
    type === 'stack' ? `arn:aws:cloudformation:${region}:${account}:stack/${name}/*` : undefined,
  also: { CreateChangeSet: passed, CreateStack: passed, UpdateStack: passed, DeleteStack: passed },
};
