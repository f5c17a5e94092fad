import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { changeSets } from './change-sets.ts';
import { inspections } from './inspect.ts';
import { stacks } from './stacks.ts';
import { CloudFormationState } from './state.ts';

/** CloudFormation: templates become resources by calls to the other services of this world. */
export const service = defineService<CloudFormationState>({
  name: 'cloudformation',
  sdk: () => import('@aws-sdk/client-cloudformation'),
  client: 'CloudFormationClient',
  scope: 'region',
  state: (context) => new CloudFormationState(context),
  operations: { ...stacks, ...inspections, ...changeSets },
  authorization,
});
