import type { HistoryEventType } from '@aws-sdk/client-sfn';
import type { Random } from '../../world/random.ts';
import type { Place, World } from '../../world/world.ts';
import { type Branch, type Machine, type State, TOLERANCE } from './definition.ts';
import { EvaluationError, StateError, Stopped } from './errors.ts';
import { entered, exited, type History, MAX_EVENTS, text } from './history.ts';
import { evaluate, expectType, typeOf } from './jsonata.ts';
import { delay, matches } from './retry.ts';
import { integrationOf } from './tasks.ts';

/** One execution as the interpreter needs it. */
export interface Run {
  readonly machine: Machine;
  readonly input: unknown;
  readonly history: History;
  readonly world: World;
  readonly place: Place;
  readonly random: Random;
  /** `$states.context` but for State and Map. */
  readonly context: Readonly<Record<string, unknown>>;
  /** Set when the execution was stopped or ran out of time: nothing more may happen in it. */
  readonly stopped: () => boolean;
  transitions: number;
}

/** Where one thread of an execution stands: a machine's, a branch's or an iteration's own. */
interface Flow {
  /** The event that the next one follows. */
  previous: number;
  /** The last state that was entered. */
  current?: { readonly name: string; readonly type: State['Type'] };
  readonly variables: Record<string, unknown>;
  readonly map?: { readonly Item: { readonly Index: number; readonly Value: unknown } };
}

/** Payloads and variables may not be larger (Step Functions guide, "Quotas"), in UTF-8 bytes. */
const MAX_PAYLOAD = 256 * 1024;

/** Runs a machine to its end. Resolves with its output; rejects with a StateError, or Stopped. */
export async function interpret(run: Run): Promise<{ output: unknown; previous: number }> {
  const flow: Flow = { previous: 0, variables: {} };
  try {
    return { output: await walk(run, run.machine, run.input, flow), previous: flow.previous };
  } catch (error) {
    if (error instanceof StateError) throw Object.assign(error, { previous: flow.previous });
    throw error;
  }
}

async function walk(run: Run, machine: Machine, input: unknown, flow: Flow): Promise<unknown> {
  let name = machine.StartAt;
  let current = input;
  for (;;) {
    if (run.stopped()) throw new Stopped();
    await alive(run);
    const state = machine.States[name]!;
    const { output, next } = await visit(run, name, state, current, flow);
    if (next === undefined) return output;
    current = output;
    name = next;
  }
}

/** While its region is dark nothing happens in it; executions go on where they stood when it comes back. */
async function alive({ world, place }: Run): Promise<void> {
  while (world.dark.has(place.region)) await world.clock.sleep(60_000);
}

interface Visit {
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

interface Left {
  readonly output: unknown;
  readonly next: string | undefined;
}

async function visit(run: Run, name: string, state: State, input: unknown, flow: Flow): Promise<Left> {
  const before = flow.previous;
  run.transitions++;
  if (run.history.events.length >= MAX_EVENTS)
    throw new StateError('States.Runtime', `The execution reached the maximum number of history events (${MAX_EVENTS}).`);
  flow.previous = run.history.add(`${state.Type}StateEntered` as HistoryEventType, before, entered(name, input));
  flow.current = { name, type: state.Type };
  const enteredAt = new Date(run.world.clock.now()).toISOString();
  const at: Visit = { run, name, state, input, flow, enteredId: flow.previous, before, enteredAt, retryCount: 0 };
  const tried = new Map<object, number>();
  for (;;) {
    try {
      return await act(at);
    } catch (error) {
      if (!(error instanceof StateError) || state.Type === 'Fail') throw error;
      const failure = tell(at, error);
      const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, failure.error, state.Type));
      const wait = retrier && delay(retrier, tried.get(retrier) ?? 0, run.random);
      if (retrier && wait !== undefined) {
        tried.set(retrier, (tried.get(retrier) ?? 0) + 1);
        at.retryCount++;
        run.transitions++;
        await run.world.clock.sleep(wait * 1000);
        if (run.stopped()) throw new Stopped();
        continue;
      }
      const catcher = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, failure.error, state.Type));
      if (!catcher) throw failure;
      const errorOutput = {
        ...(failure.error === undefined ? {} : { Error: failure.error }),
        ...(failure.cause === undefined ? {} : { Cause: failure.cause }),
      };
      return leave(at, catcher, errorOutput, { errorOutput });
    }
  }
}

/** Writes what failed into the history, with AWS's words around it. */
function tell(at: Visit, error: StateError): StateError {
  const { run, name, flow, state } = at;
  if (!(error instanceof EvaluationError)) {
    if (state.Type === 'Map' || state.Type === 'Parallel')
      flow.previous = run.history.add(`${state.Type}StateFailed`, flow.previous);
    return error;
  }
  const cause = `An error occurred while executing the state '${name}' (entered at the event id #${at.enteredId}). ${error.sentence}`;
  flow.previous = run.history.add('EvaluationFailed', error.afterEntry ? at.enteredId : at.before, {
    evaluationFailedEventDetails: {
      error: error.error!,
      cause,
      state: name,
      ...(error.location === undefined ? {} : { location: error.location }),
    },
  });
  if (state.Type === 'Map') flow.previous = run.history.add('MapStateFailed', flow.previous);
  return new StateError(error.error, cause);
}

function act(at: Visit): Promise<Left> {
  switch (at.state.Type) {
    case 'Pass':
    case 'Succeed':
      return leave(at, at.state, at.input);
    case 'Fail':
      return fail(at);
    case 'Wait':
      return wait(at);
    case 'Choice':
      return choose(at);
    case 'Task':
      return perform(at);
    case 'Map':
      return iterate(at);
    case 'Parallel':
      return fork(at);
  }
}

/** Computes a field of the state, with what is in scope there. */
const compute = (at: Visit, template: unknown, field: string, more: object = {}): Promise<unknown> => {
  const { run, input, flow } = at;
  const context = {
    ...run.context,
    State: { Name: at.name, EnteredTime: at.enteredAt, RetryCount: at.retryCount },
    ...(flow.map ? { Map: flow.map } : {}),
  };
  return evaluate(template, field, { ...flow.variables, states: { input, context, ...more } }, run.random);
};

/** Output and Assign see the same scope; then the state is left. */
async function leave(
  at: Visit,
  branch: Partial<Branch>,
  value: unknown,
  more: object = {},
  end = at.state.End === true,
): Promise<Left> {
  const { run, flow, name, state } = at;
  const output = branch.Output === undefined ? value : await compute(at, branch.Output, 'Output', more);
  const assigned =
    branch.Assign === undefined ? undefined : ((await compute(at, branch.Assign, 'Assign', more)) as Record<string, unknown>);
  if (Buffer.byteLength(text(output)) > MAX_PAYLOAD) {
    throw new StateError(
      'States.DataLimitExceeded',
      `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    );
  }
  Object.assign(flow.variables, assigned);
  flow.previous = run.history.add(`${state.Type}StateExited` as HistoryEventType, flow.previous, exited(name, output, assigned));
  return { output, next: end || state.Type === 'Succeed' ? undefined : branch.Next };
}

async function fail(at: Visit): Promise<never> {
  const { Error: error, Cause: cause } = at.state;
  const name = error === undefined ? undefined : String(await compute(at, error, 'Error'));
  throw new StateError(name, cause === undefined ? undefined : String(await compute(at, cause, 'Cause')));
}

/** An ISO 8601 instant with an offset, as AWS insists (Step Functions guide, "Wait workflow state"). */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

async function wait(at: Visit): Promise<Left> {
  const { state, run } = at;
  const now = run.world.clock.now();
  let until: number;
  if (state.Seconds !== undefined) {
    const seconds = await compute(at, state.Seconds, 'Seconds');
    expectType(seconds, 'number', state.Seconds, 'Seconds');
    until = now + (seconds as number) * 1000;
  } else {
    const timestamp = await compute(at, state.Timestamp, 'Timestamp');
    expectType(timestamp, 'string', state.Timestamp, 'Timestamp');
    until = INSTANT.test(timestamp as string) ? Date.parse(timestamp as string) : Number.NaN;
    if (Number.isNaN(until)) {
      throw new EvaluationError(
        `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${timestamp}`,
        'Timestamp',
        true,
      );
    }
  }
  await run.world.clock.sleep(Math.max(0, until - now));
  if (run.stopped()) throw new Stopped();
  return leave(at, state, at.input);
}

async function choose(at: Visit): Promise<Left> {
  const { state } = at;
  for (const [i, choice] of (state.Choices ?? []).entries()) {
    const field = `Choices[${i}]/Condition`;
    const met = await compute(at, choice.Condition, field);
    expectType(met, 'boolean', choice.Condition, field);
    if (met) return leave(at, choice, at.input);
  }
  if (state.Default === undefined)
    throw new StateError(
      'States.NoChoiceMatched',
      `An error occurred while executing the state '${at.name}' (entered at the event id #${at.enteredId}). No choice matched.`,
    );
  return leave(
    at,
    {
      ...(state.Output === undefined ? {} : { Output: state.Output }),
      ...(state.Assign ? { Assign: state.Assign } : {}),
      Next: state.Default,
    },
    at.input,
  );
}

async function perform(at: Visit): Promise<Left> {
  const { state, run, flow, input } = at;
  const integration = integrationOf(state.Resource!, run.place, run.world, () => run.random.uuid());
  const args = state.Arguments === undefined ? input : await compute(at, state.Arguments, 'Arguments');
  const timeout =
    state.TimeoutSeconds === undefined ? undefined : ((await compute(at, state.TimeoutSeconds, 'TimeoutSeconds')) as number);
  const heartbeat =
    state.HeartbeatSeconds === undefined
      ? undefined
      : ((await compute(at, state.HeartbeatSeconds, 'HeartbeatSeconds')) as number);
  const add = ([type, details]: readonly [HistoryEventType | undefined, object]) => {
    flow.previous = run.history.add(type!, flow.previous, details);
  };
  add(
    integration.scheduled(args, {
      ...(timeout === undefined ? {} : { timeout }),
      ...(heartbeat === undefined ? {} : { heartbeat }),
    }),
  );
  add(integration.started());
  let result: unknown;
  try {
    result = await within(run, timeout, integration.invoke(args));
  } catch (error) {
    if (error instanceof StateError && !run.stopped()) add(integration.failed(error));
    throw error;
  }
  if (run.stopped()) throw new Stopped();
  add(integration.succeeded(result));
  return leave(at, state, result, { result });
}

async function within<T>({ world }: Run, seconds: number | undefined, work: Promise<T>): Promise<T> {
  if (seconds === undefined) return work;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = world.clock.after(seconds * 1000, () => reject(new StateError('States.Timeout', undefined)));
  });
  return Promise.race([work, late]).finally(cancel);
}

async function iterate(at: Visit): Promise<Left> {
  const { state, run, flow, input } = at;
  const items = state.Items === undefined ? input : await compute(at, state.Items, 'Items');
  if (state.Items === undefined && !Array.isArray(items))
    throw new EvaluationError(`Map state input must be an array but was: ${text(items)}`);
  if (typeOf(items) !== 'array') expectType(items, 'array', state.Items, 'Items');
  const list = items as unknown[];
  const limit = state.MaxConcurrency === undefined ? 0 : Number(await compute(at, state.MaxConcurrency, 'MaxConcurrency'));
  for (const field of TOLERANCE) if (state[field] !== undefined) await compute(at, state[field], field);
  const name = at.name;
  flow.previous = run.history.add('MapStateStarted', flow.previous, { mapStateStartedEventDetails: { length: list.length } });
  const started = flow.previous;
  const results: unknown[] = new Array(list.length);
  let failure: StateError | undefined;
  let next = 0;
  let last = started;

  const worker = async (): Promise<void> => {
    let previous = started;
    while (next < list.length && !failure) {
      const index = next++;
      const Item = { Index: index, Value: list[index] };
      const inner: Flow = { previous, variables: { ...flow.variables }, map: { Item } };
      const selected =
        state.ItemSelector === undefined
          ? list[index]
          : await compute({ ...at, flow: { ...flow, map: { Item } } }, state.ItemSelector, 'ItemSelector');
      const iteration = { mapIterationStartedEventDetails: { name, index } };
      inner.previous = run.history.add('MapIterationStarted', previous, iteration);
      try {
        results[index] = await walk(run, state.ItemProcessor!, selected, inner);
        last = run.history.add('MapIterationSucceeded', inner.previous, { mapIterationSucceededEventDetails: { name, index } });
        previous = inner.previous; // as AWS has it: the next iteration follows this one's last inner event
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        last = run.history.add('MapIterationFailed', inner.previous, { mapIterationFailedEventDetails: { name, index } });
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit > 0 ? limit : 40, list.length) }, worker));
  flow.previous = last;
  if (failure) throw failure;
  run.history.add('MapStateSucceeded', flow.previous);
  return leave(at, state, results, { result: results });
}

async function fork(at: Visit): Promise<Left> {
  const { state, run, flow, input } = at;
  const args = state.Arguments === undefined ? input : await compute(at, state.Arguments, 'Arguments');
  flow.previous = run.history.add('ParallelStateStarted', flow.previous);
  const started = flow.previous;
  let last = started;
  const branches = state.Branches!.map(async (branch) => {
    const inner: Flow = { previous: started, variables: { ...flow.variables }, ...(flow.map ? { map: flow.map } : {}) };
    try {
      const output = await walk(run, branch, args, inner);
      last = inner.previous;
      return output;
    } catch (error) {
      if (error instanceof StateError && inner.current)
        last = run.history.add(`${inner.current.type}StateAborted` as HistoryEventType, inner.previous);
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(branches);
  flow.previous = last;
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
  const results = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : undefined));
  flow.previous = run.history.add('ParallelStateSucceeded', flow.previous);
  return leave(at, state, results, { result: results });
}
