import type * as SDK from '@aws-sdk/client-cloudformation';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { changesTo, differs } from './changes.ts';
import { create, update } from './lifecycle.ts';
import { described } from './parameters.ts';
import { checkIdle, checkUpdatable } from './stacks.ts';
import type { ChangeSet, CloudFormationState, Stack } from './state.ts';
import { invalid, unmodelled } from './template.ts';
import { wantedFrom } from './wanted.ts';

/** As AWS says it; tools know an empty change set by these words. */
const NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set.";
/** From the request until a change set can be executed, in virtual seconds. */
const SECONDS = [0.5, 2] as const;

const summary = (stack: Stack, changeSet: ChangeSet) => ({
  StackId: stack.id,
  StackName: stack.name,
  ChangeSetId: changeSet.id,
  ChangeSetName: changeSet.name,
  ExecutionStatus: changeSet.executionStatus,
  Status: changeSet.status,
  CreationTime: changeSet.createdAt,
  ...(changeSet.reason ? { StatusReason: changeSet.reason } : {}),
  ...(changeSet.description ? { Description: changeSet.description } : {}),
});

/** The stack that a change set is for: a new one waits in REVIEW_IN_PROGRESS until it is executed (CloudFormation API, CreateChangeSet). */
function stackFor(name: string, type: SDK.ChangeSetType, state: CloudFormationState): Stack {
  const known = state.peek(name);
  if (type === 'UPDATE') {
    const stack = known ?? invalid(`Stack [${name}] does not exist`);
    checkUpdatable(stack);
    return stack;
  }
  if (type !== 'CREATE') return unmodelled(`change sets of type ${type}`);
  if (!known) {
    const stack = state.create(name, 'REVIEW_IN_PROGRESS');
    state.turn(stack, 'REVIEW_IN_PROGRESS', 'User Initiated');
    return stack;
  }
  if (known.status !== 'REVIEW_IN_PROGRESS')
    invalid(`Stack [${name}] already exists and cannot be created again with the changeSet.`);
  return known;
}

export const changeSets = operations<typeof SDK, CloudFormationState>()({
  async CreateChangeSet(input, context) {
    const {
      StackName = '',
      ChangeSetName: name = '',
      ChangeSetType: type = 'UPDATE',
      Capabilities = [],
      RoleARN,
      Description,
    } = input;
    const { state, after, account, region } = context;
    const known = state.peek(StackName);
    const wanted = await wantedFrom(
      input,
      context,
      known ?? { id: state.arn(`stack/${StackName}/new`), name: StackName },
      known?.is,
    );
    const stack = stackFor(StackName, type, state);
    if ([...stack.changeSets.values()].some((one) => one.name === name))
      refuse('AlreadyExistsException', `ChangeSet ${name} already exists`);
    const changes = changesTo(stack, wanted, { account, region });
    const changeSet: ChangeSet = {
      id: state.arn(`changeSet/${name}/${state.uuid()}`),
      name,
      description: Description,
      type,
      createdAt: state.now(),
      wanted,
      changes,
      capabilities: Capabilities,
      roleArn: RoleARN,
      status: 'CREATE_IN_PROGRESS',
      executionStatus: 'UNAVAILABLE',
    };
    stack.changeSets.set(changeSet.id, changeSet);
    const empty = type === 'UPDATE' && !differs(stack, wanted, changes);
    const become = empty ? { status: 'FAILED', reason: NO_CHANGES } : { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE' };
    after(SECONDS, () => void Object.assign(changeSet, become));
    return { Id: changeSet.id, StackId: stack.id };
  },

  DescribeChangeSet({ ChangeSetName, StackName, NextToken }, { state }) {
    const { stack, changeSet } = state.changeSet(ChangeSetName, StackName);
    const { page, nextToken } = paged(changeSet.changes, 100, NextToken);
    return {
      ...summary(stack, changeSet),
      Parameters: described(changeSet.wanted.parameters),
      Capabilities: [...changeSet.capabilities],
      Tags: [...changeSet.wanted.tags],
      NotificationARNs: [],
      Changes: changeSet.status === 'CREATE_COMPLETE' ? page : [],
      ...(nextToken ? { NextToken: nextToken } : {}),
    };
  },

  /** Once; with it go the stack's other change sets (CloudFormation guide, "Execute a change set"). */
  ExecuteChangeSet({ ChangeSetName, StackName }, context) {
    const { stack, changeSet } = context.state.changeSet(ChangeSetName, StackName);
    if (changeSet.executionStatus !== 'AVAILABLE') {
      const what = `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`;
      refuse('InvalidChangeSetStatus', what);
    }
    checkIdleUnlessNew(stack);
    stack.changeSets.clear();
    stack.capabilities = changeSet.capabilities;
    stack.roleArn = changeSet.roleArn ?? stack.roleArn;
    (changeSet.type === 'CREATE' ? create : update)(stack, changeSet.wanted, context);
    return {};
  },

  /** One that is not there is as good as deleted, if its stack is (CloudFormation API, DeleteChangeSet). */
  DeleteChangeSet({ ChangeSetName, StackName }, { state }) {
    const { changeSets } = StackName ? state.stack(StackName) : state.changeSet(ChangeSetName).stack;
    for (const { id, name } of [...changeSets.values()])
      if (id === ChangeSetName || name === ChangeSetName) changeSets.delete(id);
    return {};
  },

  ListChangeSets({ StackName, NextToken }, { state }) {
    const stack = state.stack(StackName);
    const { page, nextToken } = paged([...stack.changeSets.values()], 100, NextToken);
    return { Summaries: page.map((changeSet) => summary(stack, changeSet)), ...(nextToken ? { NextToken: nextToken } : {}) };
  },
});

const checkIdleUnlessNew = (stack: Stack): void => {
  if (stack.status !== 'REVIEW_IN_PROGRESS') checkIdle(stack);
};
