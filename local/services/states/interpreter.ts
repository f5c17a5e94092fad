import type { HistoryEventType } from '@aws-sdk/client-sfn';
import { fork, iterate } from './concurrent.ts';
import type { Machine, State } from './definition.ts';
import { EvaluationError, StateError } from './errors.ts';
import { compute, type Flow, goOn, type Left, leave, type Run, sleep, type Visit } from './flow.ts';
import { entered } from './history.ts';
import { expectSeconds, expectType } from './jsonata.ts';
import { delay, matches } from './retry.ts';
import { perform } from './tasks.ts';

/** Step Functions promises no speed. A transition takes a little, so that a loop without a Wait moves time and meets its limits. */
const TRANSITION_MILLIS = 10;
/** How often an execution looks whether its region is back. */
const DARK_MILLIS = 60_000;

/** Runs a machine to its end. Resolves with its output; rejects with a StateError, or Stopped. */
export async function interpret(run: Run): Promise<{ output: unknown; previous: number }> {
  const flow: Flow = { previous: 0, variables: {}, stopped: run.stopped };
  try {
    return { output: await walk(run, run.machine, run.input, flow), previous: flow.previous };
  } catch (error) {
    if (error instanceof StateError) throw Object.assign(error, { previous: flow.previous });
    throw error;
  }
}

async function walk(run: Run, machine: Machine, input: unknown, flow: Flow): Promise<unknown> {
  let name: string | undefined = machine.StartAt;
  let current = input;
  while (name !== undefined) {
    await sleep(run, flow, TRANSITION_MILLIS);
    await alight(run, flow);
    ({ output: current, next: name } = await visit(run, name, machine.States[name]!, current, flow));
  }
  return current;
}

/** While its region is dark nothing happens in it; executions go on where they stood when it comes back. */
async function alight(run: Run, flow: Flow): Promise<void> {
  while (run.world.dark.has(run.place.region)) await sleep(run, flow, DARK_MILLIS);
}

async function visit(run: Run, name: string, state: State, input: unknown, flow: Flow): Promise<Left> {
  const before = flow.previous;
  run.transitions++;
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
      goOn(flow);
      const failure = tell(at, error);
      const pause = pauseBeforeRetry(at, failure, tried);
      if (pause === undefined) return rescue(at, failure);
      at.retryCount++;
      run.transitions++;
      await sleep(run, flow, pause * 1000);
      await alight(run, flow);
    }
  }
}

/** Each retrier counts its own attempts for as long as the state is not left (Step Functions guide, "Handling errors"). */
function pauseBeforeRetry({ state, run }: Visit, { error }: StateError, tried: Map<object, number>): number | undefined {
  const retrier = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, error, state.Type));
  if (!retrier) return undefined;
  const attempts = tried.get(retrier) ?? 0;
  tried.set(retrier, attempts + 1);
  return delay(retrier, attempts, run.random);
}

function rescue(at: Visit, failure: StateError): Promise<Left> {
  const catcher = at.state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, failure.error, at.state.Type));
  if (!catcher) throw failure;
  const errorOutput = {
    ...(failure.error === undefined ? {} : { Error: failure.error }),
    ...(failure.cause === undefined ? {} : { Cause: failure.cause }),
  };
  return leave(at, catcher, errorOutput, { errorOutput });
}

/** Writes what failed into the history, with AWS's words around it. */
function tell(at: Visit, error: StateError): StateError {
  const { run, name, flow, state } = at;
  let failure = error;
  if (error instanceof EvaluationError) {
    const cause = `An error occurred while executing the state '${name}' (entered at the event id #${at.enteredId}). ${error.sentence}`;
    failure = new StateError(error.error, cause);
    flow.previous = run.history.add('EvaluationFailed', error.afterEntry ? at.enteredId : at.before, {
      evaluationFailedEventDetails: {
        error: error.error!,
        cause,
        state: name,
        ...(error.location === undefined ? {} : { location: error.location }),
      },
    });
  }
  const told = state.Type === 'Map' || (state.Type === 'Parallel' && !(error instanceof EvaluationError));
  if (told) flow.previous = run.history.add(`${state.Type as 'Map' | 'Parallel'}StateFailed`, flow.previous);
  return failure;
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
      return iterate(at, walk);
    case 'Parallel':
      return fork(at, walk);
  }
}

async function fail(at: Visit): Promise<never> {
  const { Error: error, Cause: cause } = at.state;
  const name = error === undefined ? undefined : String(await compute(at, error, 'Error'));
  throw new StateError(name, cause === undefined ? undefined : String(await compute(at, cause, 'Cause')));
}

/** An ISO 8601 instant with an offset, as AWS insists (Step Functions guide, "Wait workflow state"). */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

async function wait(at: Visit): Promise<Left> {
  const { state, run, flow } = at;
  const now = run.world.clock.now();
  const until =
    state.Seconds === undefined
      ? await timestamp(at)
      : now + expectSeconds(await compute(at, state.Seconds, 'Seconds'), state.Seconds, 'Seconds') * 1000;
  await sleep(run, flow, Math.max(0, until - now));
  return leave(at, state, at.input);
}

async function timestamp(at: Visit): Promise<number> {
  const value = await compute(at, at.state.Timestamp, 'Timestamp');
  expectType(value, 'string', at.state.Timestamp, 'Timestamp');
  const instant = INSTANT.test(value as string) ? Date.parse(value as string) : Number.NaN;
  if (!Number.isNaN(instant)) return instant;
  const sentence = `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${value}`;
  throw new EvaluationError(sentence, 'Timestamp', true);
}

/** A rule's own Output and Assign hold where it is followed; the state's hold for Default alone (Step Functions guide, "Choice"). */
async function choose(at: Visit): Promise<Left> {
  const { state } = at;
  for (const [i, choice] of (state.Choices ?? []).entries()) {
    const field = `Choices[${i}]/Condition`;
    const met = await compute(at, choice.Condition, field);
    expectType(met, 'boolean', choice.Condition, field);
    if (met) return leave(at, choice, at.input);
  }
  if (state.Default !== undefined) return leave(at, { ...state, Next: state.Default }, at.input);
  throw new StateError(
    'States.NoChoiceMatched',
    `An error occurred while executing the state '${at.name}' (entered at the event id #${at.enteredId}). No choice matched.`,
  );
}
