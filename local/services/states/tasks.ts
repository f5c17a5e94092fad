import { StateError } from './errors.ts';
import { bounded, compute, goOn, type Left, leave, type Run, type Visit } from './flow.ts';
import { type Integration, integrationOf, type Told } from './integrations.ts';
import { expectSeconds } from './jsonata.ts';

/** Asks what the state's Resource names, once, and tells the history of it. */
export async function perform(at: Visit): Promise<Left> {
  const { state, run, flow, input, name } = at;
  const integration = integrationOf(state.Resource!, run);
  const args = state.Arguments === undefined ? input : await compute(at, state.Arguments, 'Arguments');
  bounded(args, name);
  const timeout = await seconds(at, 'TimeoutSeconds');
  // A heartbeat is asked of activities and of whoever holds a task token; a function that is called and waited for sends none.
  const heartbeat = await seconds(at, 'HeartbeatSeconds');
  const add = ([type, details]: Told) => {
    flow.previous = run.history.add(type, flow.previous, details);
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
    result = await within(run, timeout, ask(integration, args, name));
  } catch (error) {
    goOn(flow);
    if (error instanceof StateError) add(integration.failed(error));
    throw error;
  }
  goOn(flow);
  add(integration.succeeded(result));
  return leave(at, state, result, { result });
}

async function ask(integration: Integration, args: unknown, name: string): Promise<unknown> {
  const result = await integration.invoke(args);
  bounded(result, name);
  return result;
}

async function seconds(at: Visit, field: 'TimeoutSeconds' | 'HeartbeatSeconds'): Promise<number | undefined> {
  const template = at.state[field];
  return template === undefined ? undefined : expectSeconds(await compute(at, template, field), template, field);
}

/** What is asked goes on after its time is up; only nobody waits for it any more. */
async function within<T>({ world }: Run, seconds: number | undefined, work: Promise<T>): Promise<T> {
  if (seconds === undefined) return work;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = world.clock.after(seconds * 1000, () => reject(new StateError('States.Timeout', undefined)));
  });
  return Promise.race([work, late]).finally(cancel);
}
