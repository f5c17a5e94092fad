import type { ExecutionStatus } from '@aws-sdk/client-sfn';
import type { Place, World } from '../../world/world.ts';
import { StateError, Stopped } from './errors.ts';
import type { Run } from './flow.ts';
import { History, MAX_EVENTS, text, whole } from './history.ts';
import { interpret } from './interpreter.ts';
import type { StateMachine } from './state.ts';

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: StateMachine;
  /** As it was when the execution began: updates do not reach what runs. */
  readonly definition: string;
  readonly input: string;
  readonly startedAt: Date;
  readonly run: Run;
  /** Resolves when the execution has ended, however. */
  readonly ended: Promise<void>;
  readonly end: (how: Ending) => void;
  status: ExecutionStatus;
  stoppedAt?: Date;
  output?: string;
  error?: string | undefined;
  cause?: string | undefined;
}

interface Ending {
  readonly status: ExecutionStatus;
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

interface Beginning {
  readonly arn: string;
  readonly name: string;
  readonly machine: StateMachine;
  readonly input: string;
  readonly parsed: unknown;
  readonly place: Place;
  readonly world: World;
}

/** An Express execution lasts at most this long (Step Functions guide, "Standard and Express workflows"). */
const EXPRESS_SECONDS = 300;

/** Begins an execution: it goes on by itself, over virtual time. */
export function begin({ arn, name, machine, input, parsed, place, world }: Beginning): Execution {
  const now = () => new Date(world.clock.now());
  const startedAt = now();
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const execution: Execution = {
    arn,
    name,
    machine,
    definition: machine.definition,
    input,
    startedAt,
    status: 'RUNNING',
    ended,
    end: (how) => {
      Object.assign(execution, { ...how, stoppedAt: now() });
      resolve();
    },
    run: {
      machine: machine.machine,
      input: parsed,
      history: new History(now, machine.type === 'EXPRESS' ? Number.POSITIVE_INFINITY : MAX_EVENTS),
      world,
      place,
      roleArn: machine.roleArn,
      random: world.random.stream(arn),
      context: {
        Execution: {
          Id: arn,
          Input: parsed,
          Name: name,
          RoleArn: machine.roleArn,
          StartTime: startedAt.toISOString(),
          RedriveCount: 0,
        },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
      stopped: () => execution.status !== 'RUNNING',
      transitions: 0,
    },
  };
  carryOut(execution).catch(reject);
  return execution;
}

/** Ends an execution from outside. What it has asked of others goes on; it alone goes no further. */
export function stop(execution: Execution, error: string | undefined, cause: string | undefined): void {
  if (execution.run.stopped()) return;
  const { history } = execution.run;
  history.add('ExecutionAborted', history.events.length, { executionAbortedEventDetails: named({ error, cause }) });
  execution.end({ status: 'ABORTED', error, cause });
}

async function carryOut(execution: Execution): Promise<void> {
  const { run, machine } = execution;
  const { history, world } = run;
  history.add('ExecutionStarted', 0, {
    executionStartedEventDetails: { input: execution.input, inputDetails: whole, roleArn: machine.roleArn },
  });
  const express = machine.type === 'EXPRESS' ? EXPRESS_SECONDS : Number.POSITIVE_INFINITY;
  const limit = Math.min(run.machine.TimeoutSeconds ?? Number.POSITIVE_INFINITY, express);
  const cancel = Number.isFinite(limit) ? world.clock.after(limit * 1000, () => timeOut(execution)) : () => {};
  try {
    const { output, previous } = await interpret(run);
    if (run.stopped()) return;
    const result = { output: text(output), outputDetails: whole };
    history.add('ExecutionSucceeded', previous, { executionSucceededEventDetails: result });
    execution.end({ status: 'SUCCEEDED', output: result.output });
  } catch (failure) {
    if (failure instanceof Stopped || run.stopped()) return;
    if (!(failure instanceof StateError)) throw failure;
    const { error, cause, previous } = failure as StateError & { previous?: number };
    history.add('ExecutionFailed', previous ?? history.events.length, { executionFailedEventDetails: named({ error, cause }) });
    execution.end({ status: 'FAILED', error, cause });
  } finally {
    cancel();
  }
}

function timeOut(execution: Execution): void {
  if (execution.run.stopped()) return;
  const { history } = execution.run;
  const error = 'States.Timeout';
  history.add('ExecutionTimedOut', history.events.length, { executionTimedOutEventDetails: { error } });
  execution.end({ status: 'TIMED_OUT', error });
}

const named = ({ error, cause }: { error: string | undefined; cause: string | undefined }) => ({
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
});
