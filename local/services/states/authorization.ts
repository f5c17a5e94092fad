import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import type { StatesState } from './state.ts';

const passed = ({ roleArn }: { roleArn?: string }) => passing(roleArn, 'states.amazonaws.com');

/** Service Authorization Reference, "AWS Step Functions". */
export const authorization: Authorization<StatesState> = {
  members: { name: (_, { stateMachineArn }) => (stateMachineArn === undefined ? 'statemachine' : '') },
  also: { CreateStateMachine: passed, UpdateStateMachine: passed },
};
