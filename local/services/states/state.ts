import type { ExecutionStatus, StateMachineType } from '@aws-sdk/client-sfn';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { check, type Machine } from './definition.ts';
import { StateError, Stopped } from './errors.ts';
import { History, text, whole } from './history.ts';
import { interpret, type Run } from './interpreter.ts';

export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly type: StateMachineType;
  readonly createdAt: Date;
  definition: string;
  machine: Machine;
  roleArn: string;
  tags: Record<string, string>;
}

export interface Execution {
  readonly arn: string;
  readonly name: string;
  readonly machine: StateMachine;
  readonly definition: string;
  readonly input: string;
  readonly startedAt: Date;
  readonly run: Run;
  status: ExecutionStatus;
  stoppedAt?: Date;
  output?: string;
  error?: string | undefined;
  cause?: string | undefined;
  ended: Promise<void>;
}

export class StatesState {
  readonly machines = new Map<string, StateMachine>();
  readonly executions = new Map<string, Execution>();
  readonly #place: Place;
  readonly #world: World;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.#world = world;
  }

  machineArn(name: string): string {
    return `arn:aws:states:${this.#place.region}:${this.#place.account}:stateMachine:${name}`;
  }

  machine(arn: string): StateMachine {
    return this.machines.get(arn) ?? refuse('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  execution(arn: string): Execution {
    return this.executions.get(arn) ?? refuse('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  /** How many state transitions an execution has made, retries included (what Standard workflows are charged for). */
  transitions(arn: string): number {
    return this.execution(arn).run.transitions;
  }

  /** Resolves when the execution has ended, with how. */
  async finished(arn: string): Promise<ExecutionStatus> {
    const execution = this.execution(arn);
    await execution.ended;
    return execution.status;
  }

  create(options: Pick<StateMachine, 'name' | 'type' | 'definition' | 'roleArn' | 'tags'>): StateMachine {
    const arn = this.machineArn(options.name);
    const known = this.machines.get(arn);
    if (known) {
      if (known.definition === options.definition && known.roleArn === options.roleArn && known.type === options.type)
        return known;
      refuse('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    const made: StateMachine = { arn, createdAt: this.#now(), machine: check(options.definition), ...options };
    this.machines.set(arn, made);
    return made;
  }

  /** The same name and input while running is the same execution; the same name afterwards is refused (StartExecution API). */
  start(machine: StateMachine, name: string, input: string): Execution {
    const kind = machine.type === 'EXPRESS' ? 'express' : 'execution';
    const arn = `arn:aws:states:${this.#place.region}:${this.#place.account}:${kind}:${machine.name}:${name}`;
    const known = this.executions.get(arn);
    if (known?.status === 'RUNNING' && known.input === input) return known;
    if (known) refuse('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    let parsed: unknown;
    try {
      parsed = JSON.parse(input);
    } catch {
      refuse('InvalidExecutionInput', `Invalid State Machine Execution Input: the input is not JSON`);
    }
    const startedAt = this.#now();
    const execution: Execution = {
      arn,
      name,
      machine,
      definition: machine.definition,
      input,
      startedAt,
      status: 'RUNNING',
      ended: Promise.resolve(),
      run: {
        machine: machine.machine,
        input: parsed,
        history: new History(() => this.#now()),
        world: this.#world,
        place: this.#place,
        random: this.#world.random.stream(arn),
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
    this.executions.set(arn, execution);
    execution.ended = this.#carryOut(execution);
    return execution;
  }

  stop(execution: Execution, error: string | undefined, cause: string | undefined): void {
    if (execution.status !== 'RUNNING') return;
    const history = execution.run.history;
    history.add('ExecutionAborted', history.events.length, {
      executionAbortedEventDetails: { ...(error ? { error } : {}), ...(cause ? { cause } : {}) },
    });
    this.#end(execution, 'ABORTED', { error, cause });
  }

  async #carryOut(execution: Execution): Promise<void> {
    const { run } = execution;
    const { history } = run;
    history.add('ExecutionStarted', 0, {
      executionStartedEventDetails: { input: execution.input, inputDetails: whole, roleArn: execution.machine.roleArn },
    });
    const limit = run.machine.TimeoutSeconds;
    const cancel =
      limit === undefined
        ? () => {}
        : this.#world.clock.after(limit * 1000, () => {
            if (run.stopped()) return;
            history.add('ExecutionTimedOut', history.events.length, {
              executionTimedOutEventDetails: { error: 'States.Timeout' },
            });
            this.#end(execution, 'TIMED_OUT', { error: 'States.Timeout', cause: undefined });
          });
    try {
      await Promise.resolve(); // StartExecution answers before anything happens
      const { output, previous } = await interpret(run);
      if (run.stopped()) return;
      history.add('ExecutionSucceeded', previous, {
        executionSucceededEventDetails: { output: text(output), outputDetails: whole },
      });
      this.#end(execution, 'SUCCEEDED', { output: text(output) });
    } catch (error) {
      if (error instanceof Stopped || run.stopped()) return;
      const { error: name, cause, previous } = asStateError(error);
      history.add('ExecutionFailed', previous ?? history.events.length, {
        executionFailedEventDetails: {
          ...(name === undefined ? {} : { error: name }),
          ...(cause === undefined ? {} : { cause }),
        },
      });
      this.#end(execution, 'FAILED', { error: name, cause });
    } finally {
      cancel();
    }
  }

  #end(execution: Execution, status: ExecutionStatus, how: Pick<Execution, 'output' | 'error' | 'cause'>): void {
    Object.assign(execution, { status, stoppedAt: this.#now(), ...how });
  }

  #now(): Date {
    return new Date(this.#world.clock.now());
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.machines.values()].map(({ arn, tags }) => ({ arn, tags }));
  }
}

function asStateError(error: unknown): { error?: string | undefined; cause?: string | undefined; previous?: number } {
  if (error instanceof StateError) return error as StateError & { previous?: number };
  throw error;
}
