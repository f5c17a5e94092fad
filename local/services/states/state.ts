import type { ExecutionStatus, StateMachineType } from '@aws-sdk/client-sfn';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Machine } from './definition.ts';
import { begin, type Execution } from './execution.ts';
import { check } from './refuse.ts';

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

/** For so long after its end an execution's name is taken (Step Functions API, StartExecution: name). */
const NAME_KEPT_MILLIS = 90 * 86_400_000;
/** In bytes of UTF-8 (Step Functions guide, "Quotas"). */
const MAX_INPUT = 256 * 1024;

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

  /** The same name, type, definition and role again are the same machine (Step Functions API, CreateStateMachine). */
  create(options: Pick<StateMachine, 'name' | 'type' | 'definition' | 'roleArn' | 'tags'>): StateMachine {
    const arn = this.machineArn(options.name);
    const known = this.machines.get(arn);
    if (known) {
      const same = known.definition === options.definition && known.roleArn === options.roleArn && known.type === options.type;
      return same ? known : refuse('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
    }
    const made: StateMachine = {
      arn,
      createdAt: new Date(this.#world.clock.now()),
      machine: check(options.definition),
      ...options,
    };
    this.machines.set(arn, made);
    return made;
  }

  /**
   * Of a Standard machine the same name and input while running are the same execution, and the name is refused otherwise; each start of an
   * Express one is an execution of its own (Step Functions API, StartExecution).
   */
  start(machine: StateMachine, name: string, input: string): Execution {
    const { account, region } = this.#place;
    const express = machine.type === 'EXPRESS';
    const arn = express
      ? `arn:aws:states:${region}:${account}:express:${machine.name}:${name}:${this.#world.random.uuid()}`
      : `arn:aws:states:${region}:${account}:execution:${machine.name}:${name}`;
    const known = this.executions.get(arn);
    if (known?.status === 'RUNNING' && known.input === input) return known;
    if (known && !this.#forgotten(known)) refuse('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    const execution = begin({ arn, name, machine, input, parsed: parse(input), place: this.#place, world: this.#world });
    this.executions.set(arn, execution);
    return execution;
  }

  #forgotten({ stoppedAt }: Execution): boolean {
    return stoppedAt !== undefined && this.#world.clock.now() - stoppedAt.getTime() > NAME_KEPT_MILLIS;
  }

  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.machines.values()].map(({ arn, tags }) => ({ arn, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const machine = this.machines.get(arn);
    if (machine) Object.assign(machine.tags, tags);
    return machine !== undefined;
  }
}

function parse(input: string): unknown {
  if (Buffer.byteLength(input) > MAX_INPUT)
    refuse('InvalidExecutionInput', `Invalid State Machine Execution Input: it is larger than ${MAX_INPUT} bytes`);
  try {
    return JSON.parse(input) as unknown;
  } catch {
    return refuse('InvalidExecutionInput', `Invalid State Machine Execution Input: '${input.slice(0, 100)}' is not JSON`);
  }
}
