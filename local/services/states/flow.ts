import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { Random } from '../../world/random.ts';
import type { Place, World } from '../../world/world.ts';
import type { Branch, Machine, State } from './definition.ts';
import { StateError, Stopped } from './errors.ts';
import { exited, type History, text } from './history.ts';
import { evaluate } from './jsonata.ts';

/** One execution as the interpreter needs it. */
export interface Run {
  readonly machine: Machine;
  readonly input: unknown;
  readonly history: History;
  readonly world: World;
  readonly place: Place;
  readonly random: Random;
  /** The role whose rights the execution has. */
  readonly roleArn: string;
  /** `$states.context` but for State and Map. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Set when the execution was stopped or ran out of time: nothing more may happen in it. */
  readonly stopped: () => boolean;
  transitions: number;
}

/** Where one thread of an execution stands: a machine's, a branch's or an iteration's own. */
export interface Flow {
  /** The event that the next one follows. */
  previous: number;
  /** The state that it is in. */
  current?: { readonly name: string; readonly type: State['Type'] };
  readonly variables: Record<string, unknown>;
  readonly map?: { readonly Item: { readonly Index: number; readonly Value: unknown } };
  /** Whether the execution, or a Map or Parallel around this thread, is over: then its code goes no further and writes nothing. */
  readonly stopped: () => boolean;
}

/** One visit to a state, from its entry to its exit. */
export interface Visit {
  readonly run: Run;
  readonly name: string;
  readonly state: State;
  readonly input: unknown;
  readonly flow: Flow;
  readonly enteredId: number;
  /** What was the last event before the state was entered. */
  readonly before: number;
  readonly enteredAt: string;
  retryCount: number;
}

/** How a state is left: with what, and for which state; `next` is undefined at the end of a machine. */
export interface Left {
  readonly output: unknown;
  readonly next: string | undefined;
}

/** Payloads and variables may not be larger (Step Functions guide, "Quotas"), in UTF-8 bytes. */
const MAX_PAYLOAD = 256 * 1024;

/** Sleeps; if all was over meanwhile, goes no further. */
export async function sleep({ world }: Run, flow: Flow, milliseconds: number): Promise<void> {
  await world.clock.sleep(milliseconds);
  goOn(flow);
}

export function goOn(flow: Flow): void {
  if (flow.stopped()) throw new Stopped();
}

/** Computes a field of the state, with what is in scope there. */
export const compute = (at: Visit, template: unknown, field: string, more: object = {}): Promise<unknown> => {
  const { run, input, flow } = at;
  const context = {
    ...run.context,
    State: { Name: at.name, EnteredTime: at.enteredAt, RetryCount: at.retryCount },
    ...(flow.map ? { Map: flow.map } : {}),
  };
  return evaluate(template, field, { ...flow.variables, states: { input, context, ...more } }, run.random);
};

/** Output and Assign see the same scope; then the state is left. */
export async function leave(at: Visit, branch: Partial<Branch>, value: unknown, more: object = {}): Promise<Left> {
  const { run, flow, name, state } = at;
  const output = branch.Output === undefined ? value : await compute(at, branch.Output, 'Output', more);
  const assigned =
    branch.Assign === undefined ? undefined : ((await compute(at, branch.Assign, 'Assign', more)) as Record<string, unknown>);
  bounded(output, name);
  bounded(assigned, name);
  goOn(flow);
  Object.assign(flow.variables, assigned);
  flow.previous = run.history.add(`${state.Type}StateExited` as HistoryEventType, flow.previous, exited(name, output, assigned));
  return { output, next: branch.Next };
}

export function bounded(value: unknown, name: string): void {
  if (Buffer.byteLength(text(value)) <= MAX_PAYLOAD) return;
  throw new StateError(
    'States.DataLimitExceeded',
    `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
}
