import type { Authorization } from '../../world/authorization/declared.ts';
import type { SsmState } from './state.ts';

/** Service Authorization Reference, "AWS Systems Manager": a parameter's leading slash is the one before its name in its ARN. */
export const authorization: Authorization<SsmState> = {
  members: { Name: 'parameter', Names: 'parameter', ResourceId: 'parameter' },
  arnOf: (_, name, { account, region }) => `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`,
};
