import type * as SDK from '@aws-sdk/client-cloudformation';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { changesTo, differs } from './changes.ts';
import { create, remove, update } from './lifecycle.ts';
import { described } from './parameters.ts';
import type { CloudFormationState, Event, Stack } from './state.ts';
import { invalid } from './template.ts';
import { wantedFrom } from './wanted.ts';

export const NOTHING_CHANGES = 'No updates are to be performed.';

const shown = (stack: Stack): SDK.Stack => ({
  StackId: stack.id,
  StackName: stack.name,
  CreationTime: stack.createdAt,
  StackStatus: stack.status,
  DisableRollback: false,
  EnableTerminationProtection: stack.terminationProtection,
  NotificationARNs: [],
  Capabilities: [...stack.capabilities],
  Outputs: [...stack.outputs],
  Parameters: described(stack.is?.parameters ?? {}),
  Tags: [...(stack.is?.tags ?? [])],
  DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
  ...(stack.is?.template.Description ? { Description: stack.is.template.Description } : {}),
  ...(stack.reason ? { StackStatusReason: stack.reason } : {}),
  ...(stack.updatedAt ? { LastUpdatedTime: stack.updatedAt } : {}),
  ...(stack.deletedAt ? { DeletionTime: stack.deletedAt } : {}),
  ...(stack.roleArn ? { RoleARN: stack.roleArn } : {}),
});

export const checkIdle = ({ id, status }: Stack): void => {
  if (status.endsWith('_IN_PROGRESS')) invalid(`Stack:${id} is in ${status} state and can not be updated.`);
};

/** What can be changed: what was made. What failed to be made is deleted and made again (CloudFormation guide, "Stack status codes"). */
export const checkUpdatable = (stack: Stack): void => {
  checkIdle(stack);
  const { id, status } = stack;
  if (!/^(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(status))
    invalid(`Stack:${id} is in ${status} state and can not be updated.`);
};

const told = ({ properties, ...event }: Event): SDK.StackEvent => ({
  ...event,
  ...(properties ? { ResourceProperties: JSON.stringify(properties) } : {}),
});

export const stacks = operations<typeof SDK, CloudFormationState>()({
  async CreateStack(input, context) {
    const { StackName = '', Capabilities = [], RoleARN, EnableTerminationProtection = false } = input;
    const { state } = context;
    if (state.peek(StackName)) refuse('AlreadyExistsException', `Stack [${StackName}] already exists`);
    const stack = state.create(StackName, 'CREATE_IN_PROGRESS');
    try {
      const wanted = await wantedFrom(input, context, stack);
      Object.assign(stack, { capabilities: Capabilities, roleArn: RoleARN, terminationProtection: EnableTerminationProtection });
      create(stack, wanted, context);
    } catch (error) {
      state.stacks.delete(stack.id);
      throw error;
    }
    return { StackId: stack.id };
  },

  async UpdateStack(input, context) {
    const { state, account, region } = context;
    const stack = state.stack(input.StackName);
    checkUpdatable(stack);
    const wanted = await wantedFrom(input, context, stack, stack.is);
    if (!differs(stack, wanted, changesTo(stack, wanted, { account, region }))) invalid(NOTHING_CHANGES);
    stack.capabilities = input.Capabilities ?? stack.capabilities;
    stack.roleArn = input.RoleARN ?? stack.roleArn;
    update(stack, wanted, context);
    return { StackId: stack.id };
  },

  /** A stack that is not there is as good as deleted (CloudFormation API, DeleteStack). */
  DeleteStack({ StackName = '', RoleARN }, context) {
    const stack = context.state.peek(StackName);
    if (!stack || stack.status === 'DELETE_COMPLETE') return {};
    if (stack.terminationProtection) invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
    stack.roleArn = RoleARN ?? stack.roleArn;
    if (stack.status !== 'DELETE_IN_PROGRESS') remove(stack, context);
    return {};
  },

  DescribeStacks({ StackName, NextToken }, { state }) {
    if (StackName) return { Stacks: [shown(state.stack(StackName))] };
    const all = [...state.stacks.values()].filter(({ status }) => status !== 'DELETE_COMPLETE');
    const { page, nextToken } = paged(all, 100, NextToken);
    return { Stacks: page.map(shown), ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  ListStacks({ StackStatusFilter = [], NextToken }, { state }) {
    const all = [...state.stacks.values()].filter(
      ({ status }) => StackStatusFilter.length === 0 || StackStatusFilter.includes(status),
    );
    const { page, nextToken } = paged(all, 100, NextToken);
    const StackSummaries = page.map((stack) => {
      const { StackId, StackName, CreationTime, LastUpdatedTime, DeletionTime, StackStatus, StackStatusReason } = shown(stack);
      return { StackId, StackName, CreationTime, LastUpdatedTime, DeletionTime, StackStatus, StackStatusReason };
    });
    return { StackSummaries, ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  UpdateTerminationProtection({ StackName, EnableTerminationProtection = false }, { state }) {
    const stack = state.stack(StackName);
    stack.terminationProtection = EnableTerminationProtection;
    return { StackId: stack.id };
  },

  /** The newest first. */
  DescribeStackEvents({ StackName, NextToken }, { state }) {
    const { page, nextToken } = paged(state.stack(StackName).events.toReversed(), 100, NextToken);
    return { StackEvents: page.map(told), ...(nextToken ? { NextToken: nextToken } : {}) };
  },
});
