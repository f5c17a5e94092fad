import type { HistoryEventType } from '@aws-sdk/client-sfn';
import { type Machine, TOLERANCE } from './definition.ts';
import { EvaluationError, StateError } from './errors.ts';
import { compute, type Flow, type Left, leave, type Run, type Visit } from './flow.ts';
import { text } from './history.ts';
import { expectType } from './jsonata.ts';

/** Runs the machine inside a branch or an iteration to its end. */
export type Walk = (run: Run, machine: Machine, input: unknown, flow: Flow) => Promise<unknown>;

/** An inline Map runs at most this many iterations at once, whatever it asks for (Step Functions guide, "Map, inline mode"). */
const MAX_CONCURRENCY = 40;
/** Those states of which AWS tells that they were cut short (Step Functions API, HistoryEvent: type). */
const ABORTABLE = ['Task', 'Wait', 'Map', 'Parallel'];

/** The threads that a Map or Parallel runs: when one fails, all are over. */
class Threads {
  readonly #run: Run;
  readonly #parent: Flow;
  readonly #open = new Set<Flow>();
  #over = false;

  constructor(run: Run, parent: Flow) {
    this.#run = run;
    this.#parent = parent;
  }

  /** A new thread. It sees the variables around it as they are now, and its own assignments stay its own. */
  begin(previous: number, map = this.#parent.map): Flow {
    const stopped = () => this.#over || this.#parent.stopped();
    const flow: Flow = { previous, variables: { ...this.#parent.variables }, stopped, ...(map ? { map } : {}) };
    this.#open.add(flow);
    return flow;
  }

  end(flow: Flow): void {
    this.#open.delete(flow);
  }

  halt(): void {
    this.#over = true;
  }

  /** Ends all threads because of one. The events are in the order and with the predecessors that AWS recorded for a Map. */
  fail(failed: Flow, aborted: (flow: Flow) => void = () => {}): void {
    this.halt();
    const { history } = this.#run;
    for (const flow of [failed, ...[...this.#open].filter((other) => other !== failed)]) {
      if (flow !== failed) aborted(flow);
      const type = flow.current?.type ?? '';
      if (ABORTABLE.includes(type)) history.add(`${type}StateAborted` as HistoryEventType, failed.previous);
    }
    this.#parent.previous = failed.previous;
  }
}

export async function iterate(at: Visit, walk: Walk): Promise<Left> {
  const { state, run, flow, name } = at;
  const { history } = run;
  const items = await itemsOf(at);
  const limit = await concurrency(at);
  flow.previous = history.add('MapStateStarted', flow.previous, { mapStateStartedEventDetails: { length: items.length } });
  const started = flow.previous;
  const results: unknown[] = new Array(items.length);
  const threads = new Threads(run, flow);
  let next = 0;
  let last = started;

  const select = async (map: Flow['map'], item: unknown): Promise<unknown> => {
    if (state.ItemSelector === undefined) return item;
    try {
      return await compute({ ...at, flow: { ...flow, map } }, state.ItemSelector, 'ItemSelector');
    } catch (error) {
      threads.halt();
      throw error;
    }
  };

  const iteration = async (index: number, previous: number): Promise<number> => {
    const map = { Item: { Index: index, Value: items[index] } };
    const input = await select(map, items[index]);
    const inner = threads.begin(
      history.add('MapIterationStarted', previous, { mapIterationStartedEventDetails: { name, index } }),
      map,
    );
    try {
      results[index] = await walk(run, state.ItemProcessor!, input, inner);
    } catch (error) {
      if (error instanceof StateError && !inner.stopped()) {
        history.add('MapIterationFailed', inner.previous, { mapIterationFailedEventDetails: { name, index } });
        threads.fail(inner, ({ map: other }) => {
          history.add('MapIterationAborted', inner.previous, {
            mapIterationAbortedEventDetails: { name, index: other!.Item.Index },
          });
        });
      }
      throw error;
    }
    threads.end(inner);
    last = history.add('MapIterationSucceeded', inner.previous, { mapIterationSucceededEventDetails: { name, index } });
    return inner.previous; // as AWS has it: the next iteration follows this one's last inner event
  };

  const worker = async (): Promise<void> => {
    for (let previous = started; next < items.length; ) previous = await iteration(next++, previous);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  flow.previous = last;
  history.add('MapStateSucceeded', flow.previous);
  return leave(at, state, results, { result: results });
}

async function itemsOf(at: Visit): Promise<readonly unknown[]> {
  const { state, input } = at;
  if (state.Items === undefined) {
    if (!Array.isArray(input)) throw new EvaluationError(`Map state input must be an array but was: ${text(input)}`);
    return input;
  }
  const items = await compute(at, state.Items, 'Items');
  expectType(items, 'array', state.Items, 'Items');
  return items as unknown[];
}

async function concurrency(at: Visit): Promise<number> {
  const { state } = at;
  for (const field of TOLERANCE) if (state[field] !== undefined) await compute(at, state[field], field);
  const asked = state.MaxConcurrency === undefined ? 0 : Number(await compute(at, state.MaxConcurrency, 'MaxConcurrency'));
  return asked > 0 ? Math.min(asked, MAX_CONCURRENCY) : MAX_CONCURRENCY;
}

export async function fork(at: Visit, walk: Walk): Promise<Left> {
  const { state, run, flow, input } = at;
  const { history } = run;
  const args = state.Arguments === undefined ? input : await compute(at, state.Arguments, 'Arguments');
  flow.previous = history.add('ParallelStateStarted', flow.previous);
  const started = flow.previous;
  const threads = new Threads(run, flow);
  let last = started;

  const branch = async (machine: Machine): Promise<unknown> => {
    const inner = threads.begin(started);
    try {
      const output = await walk(run, machine, args, inner);
      threads.end(inner);
      last = inner.previous;
      return output;
    } catch (error) {
      if (error instanceof StateError && !inner.stopped()) threads.fail(inner);
      throw error;
    }
  };
  const results = await Promise.all(state.Branches!.map(branch));
  flow.previous = last;
  flow.previous = history.add('ParallelStateSucceeded', flow.previous);
  return leave(at, state, results, { result: results });
}
