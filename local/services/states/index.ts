import type * as SDK from '@aws-sdk/client-sfn';
import { defineService, operations, refuse } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { type Execution, stop } from './execution.ts';
import { check } from './refuse.ts';
import { type StateMachine, StatesState } from './state.ts';

const tagsOf = (tags: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ key, value }) => [key as string, value ?? '']));

const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/]{1,80}$/;
const checkName = (name: string): string => (NAME.test(name) ? name : refuse('InvalidName', `Invalid Name: '${name}'`));

const described = ({ arn, name, type, createdAt, definition, roleArn }: StateMachine) => ({
  stateMachineArn: arn,
  name,
  type,
  status: 'ACTIVE' as const,
  creationDate: createdAt,
  definition,
  roleArn,
});

const machines = operations<typeof SDK, StatesState>()({
  CreateStateMachine({ name = '', type = 'STANDARD', definition = '', roleArn = '', tags }, { state }) {
    const { arn, createdAt } = state.create({ name: checkName(name), type, definition, roleArn, tags: tagsOf(tags) });
    return { stateMachineArn: arn, creationDate: createdAt };
  },

  /** Running executions go on with the definition that they were started with. */
  UpdateStateMachine({ stateMachineArn = '', definition, roleArn }, { state, now }) {
    const machine = state.machine(stateMachineArn);
    if (definition !== undefined) Object.assign(machine, { machine: check(definition), definition });
    if (roleArn !== undefined) machine.roleArn = roleArn;
    return { updateDate: now() };
  },

  DeleteStateMachine({ stateMachineArn = '' }, { state }) {
    state.machines.delete(stateMachineArn);
    return {};
  },

  DescribeStateMachine: ({ stateMachineArn = '' }, { state }) => described(state.machine(stateMachineArn)),

  DescribeStateMachineForExecution({ executionArn = '' }, { state }) {
    const { machine, definition, startedAt } = state.execution(executionArn);
    return { stateMachineArn: machine.arn, name: machine.name, definition, roleArn: machine.roleArn, updateDate: startedAt };
  },

  ListStateMachines({ maxResults, nextToken }, { state }) {
    const { page, token } = paged([...state.machines.values()], maxResults, nextToken);
    return {
      stateMachines: page.map(({ arn, name, type, createdAt }) => ({
        stateMachineArn: arn,
        name,
        type,
        creationDate: createdAt,
      })),
      ...(token ? { nextToken: token } : {}),
    };
  },

  ValidateStateMachineDefinition({ definition = '' }) {
    try {
      check(definition);
      return { result: 'OK', diagnostics: [] };
    } catch (error) {
      return {
        result: 'FAIL',
        diagnostics: [{ severity: 'ERROR', code: 'SCHEMA_VALIDATION_FAILED', message: (error as Error).message }],
      };
    }
  },

  TagResource({ resourceArn = '', tags }, { state }) {
    Object.assign(state.machine(resourceArn).tags, tagsOf(tags));
    return {};
  },

  UntagResource({ resourceArn = '', tagKeys = [] }, { state }) {
    const { tags } = state.machine(resourceArn);
    for (const key of tagKeys) delete tags[key];
    return {};
  },

  ListTagsForResource({ resourceArn = '' }, { state }) {
    return { tags: Object.entries(state.machine(resourceArn).tags).map(([key, value]) => ({ key, value })) };
  },
});

const unsupported = (): never =>
  refuse('StateMachineTypeNotSupported', 'This operation is not supported by this type of state machine');

/** Express executions leave their traces in CloudWatch Logs only (Step Functions API, DescribeExecution). */
const standard = (execution: Execution): Execution => (execution.machine.type === 'EXPRESS' ? unsupported() : execution);

const summary = ({ arn, name, machine, status, startedAt, stoppedAt }: Execution) => ({
  executionArn: arn,
  name,
  stateMachineArn: machine.arn,
  status,
  startDate: startedAt,
  ...(stoppedAt ? { stopDate: stoppedAt } : {}),
});

const outcome = ({ output, error, cause }: Execution) => ({
  ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});

const executions = operations<typeof SDK, StatesState>()({
  StartExecution({ stateMachineArn = '', name, input = '{}' }, { state, requestId }) {
    const { arn, startedAt } = state.start(state.machine(stateMachineArn), checkName(name ?? requestId), input);
    return { executionArn: arn, startDate: startedAt };
  },

  async StartSyncExecution({ stateMachineArn = '', name, input = '{}' }, { state, requestId, world }) {
    const machine = state.machine(stateMachineArn);
    if (machine.type !== 'EXPRESS') unsupported();
    const execution = state.start(machine, checkName(name ?? requestId), input);
    await world.clock.drive(execution.ended);
    return { ...summary(execution), status: execution.status as SDK.SyncExecutionStatus, input, ...outcome(execution) };
  },

  StopExecution({ executionArn = '', error, cause }, { state, now }) {
    stop(standard(state.execution(executionArn)), error, cause);
    return { stopDate: now() };
  },

  DescribeExecution({ executionArn = '' }, { state }) {
    const execution = standard(state.execution(executionArn));
    return {
      ...summary(execution),
      input: execution.input,
      inputDetails: { included: true },
      ...outcome(execution),
      redriveCount: 0,
    };
  },

  ListExecutions({ stateMachineArn, statusFilter, maxResults, nextToken }, { state }) {
    if (stateMachineArn !== undefined && state.machine(stateMachineArn).type === 'EXPRESS') unsupported();
    const matching = [...state.executions.values()]
      .filter(
        ({ machine, status }) =>
          machine.type === 'STANDARD' &&
          (!stateMachineArn || machine.arn === stateMachineArn) &&
          (!statusFilter || status === statusFilter),
      )
      .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime());
    const { page, token } = paged(matching, maxResults, nextToken);
    return { executions: page.map(summary), ...(token ? { nextToken: token } : {}) };
  },

  GetExecutionHistory({ executionArn = '', maxResults, nextToken, reverseOrder }, { state }) {
    const { events } = standard(state.execution(executionArn)).run.history;
    const { page, token } = paged(reverseOrder ? events.toReversed() : events, maxResults, nextToken);
    return { events: page, ...(token ? { nextToken: token } : {}) };
  },
});

function paged<T>(all: readonly T[], limit = 0, from = '0'): { page: T[]; token?: string } {
  const start = Number(from);
  if (!Number.isInteger(start) || start < 0) refuse('InvalidToken', `Invalid Token: '${from}'`);
  const end = start + (limit > 0 ? Math.min(limit, 1000) : 100);
  return { page: all.slice(start, end), ...(end < all.length ? { token: String(end) } : {}) };
}

export const service = defineService<StatesState>({
  name: 'states',
  sdk: () => import('@aws-sdk/client-sfn'),
  client: 'SFNClient',
  scope: 'region',
  state: (context) => new StatesState(context),
  authorization,
  operations: { ...machines, ...executions },
});
