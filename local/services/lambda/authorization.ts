import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import type { LambdaState } from './state.ts';

/** Service Authorization Reference, "AWS Lambda". */
export const authorization: Authorization<LambdaState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  called: { Invoke: 'InvokeFunction' },
  members: { FunctionName: 'function' },
  /** A name may bring its version or alias. */
  arnOf: (_, name, { account, region }) => `arn:aws:lambda:${region}:${account}:function:${name}`,
  also: {
    CreateFunction: ({ Role }) => passing(Role, 'lambda.amazonaws.com'),
  },
};
