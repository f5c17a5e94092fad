import { describe, expect, test } from 'vitest';
import { service as lambda } from '../../local/services/lambda/index.ts';
import type { LambdaState } from '../../local/services/lambda/state.ts';
import { service as states } from '../../local/services/states/index.ts';
import type { StatesState } from '../../local/services/states/state.ts';
import { errorBefore, silenceAfter } from '../../local/world/faults.ts';
import { World } from '../../local/world/world.ts';

const place = { account: '111111111111', region: 'us-east-1' };
const services = new Map([lambda, states].map((service) => [service.name, service]));

type Handler = (event: any, context: { clock: { now(): number; sleep(ms: number): Promise<void> } }) => Promise<unknown>;

function setUp(handlers: Record<string, Handler> = {}) {
  const world = new World(services, { seed: 'states', latency: [1, 1] });
  const lambda = world.state<LambdaState>('lambda', place);
  for (const [name, handler] of Object.entries(handlers)) lambda.register({ name, timeoutSeconds: 900, memoryMb: 128, handler });
  const states = world.state<StatesState>('states', place);
  const call = (operation: string, input: object): Promise<any> =>
    world.clock.settle(world.call({ place, service: 'states', operation, input }));
  const create = async (definition: object, more: object = {}): Promise<string> => {
    const input = {
      name: 'm',
      roleArn: 'arn:aws:iam::111111111111:role/m',
      definition: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }),
    };
    return (await call('CreateStateMachine', { ...input, ...more })).stateMachineArn;
  };
  const run = async (definition: object, input: unknown = {}) => {
    const stateMachineArn = await create(definition);
    const { executionArn } = await call('StartExecution', { stateMachineArn, input: JSON.stringify(input) });
    await world.clock.settle(states.finished(executionArn));
    return states.execution(executionArn);
  };
  return { world, states, call, create, run };
}

const invoke = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Arguments: { FunctionName: name, Payload: '{% $states.input %}' },
  Output: '{% $states.result.Payload %}',
  End: true,
  ...more,
});
const one = (state: object) => ({ StartAt: 'S', States: { S: state } });
const pass = { Type: 'Pass', End: true };
const hours = (count: number) => count * 3_600_000;

describe('executions', () => {
  test('the same name and input are one execution while it runs, and the name is taken for 90 days after', async () => {
    const { world, states, call, create } = setUp();
    const stateMachineArn = await create(one({ Type: 'Wait', Seconds: 60, End: true }));
    const start = (input: string) => call('StartExecution', { stateMachineArn, name: 'slot', input });
    const { executionArn, startDate } = await start('{"a":1}');
    expect(await start('{"a":1}')).toEqual({ executionArn, startDate });
    await expect(start('{"a":2}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    await world.clock.settle(states.finished(executionArn));
    await expect(start('{"a":1}')).rejects.toMatchObject({ code: 'ExecutionAlreadyExists' });
    await world.clock.advance(hours(91 * 24));
    expect((await start('{"a":1}')).executionArn).toBe(executionArn);
  });

  test('a running execution keeps its definition when the machine is updated', async () => {
    const { world, states, call, create } = setUp();
    const stateMachineArn = await create({
      StartAt: 'W',
      States: { W: { Type: 'Wait', Seconds: 60, Next: 'P' }, P: { ...pass, Output: 'old' } },
    });
    const { executionArn } = await call('StartExecution', { stateMachineArn });
    await call('UpdateStateMachine', {
      stateMachineArn,
      definition: JSON.stringify({ QueryLanguage: 'JSONata', ...one({ ...pass, Output: 'new' }) }),
    });
    await world.clock.settle(states.finished(executionArn));
    expect(states.execution(executionArn).output).toBe('"old"');
    expect((await call('DescribeStateMachineForExecution', { executionArn })).definition).toContain('old');
    const second = await call('StartExecution', { stateMachineArn });
    await world.clock.settle(states.finished(second.executionArn));
    expect(states.execution(second.executionArn).output).toBe('"new"');
  });

  test('stopping ends an execution at once, whatever it waits for', async () => {
    const { world, states, call, create } = setUp();
    const stateMachineArn = await create(one({ Type: 'Wait', Seconds: 86_400, Next: 'S' }));
    const { executionArn } = await call('StartExecution', { stateMachineArn });
    const began = world.clock.now();
    await call('StopExecution', { executionArn, error: 'Enough', cause: 'seen' });
    expect(await states.finished(executionArn)).toBe('ABORTED');
    expect(world.clock.now() - began).toBeLessThan(1_000);
    await world.clock.advance(hours(48));
    const { events } = await call('GetExecutionHistory', { executionArn, reverseOrder: true });
    expect(events[0]).toMatchObject({
      type: 'ExecutionAborted',
      executionAbortedEventDetails: { error: 'Enough', cause: 'seen' },
    });
    expect(await call('ListExecutions', { stateMachineArn, statusFilter: 'ABORTED' })).toMatchObject({
      executions: [{ executionArn }],
    });
  });

  test('an execution that outlasts TimeoutSeconds is TIMED_OUT, and nothing catches it', async () => {
    const { run } = setUp({ slow: (_, { clock }) => clock.sleep(600_000) });
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Saved' }];
    const execution = await run({ TimeoutSeconds: 10, StartAt: 'S', States: { S: invoke('slow', { Catch }), Saved: pass } });
    expect(execution).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(execution.stoppedAt!.getTime() - execution.startedAt.getTime()).toBe(10_000);
  });

  test('pages through a history in both directions', async () => {
    const { call, run } = setUp();
    const { arn: executionArn } = await run({ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' }, B: pass } });
    const first = await call('GetExecutionHistory', { executionArn, maxResults: 4 });
    const rest = await call('GetExecutionHistory', { executionArn, maxResults: 4, nextToken: first.nextToken });
    expect(rest.nextToken).toBeUndefined();
    expect([...first.events, ...rest.events].map(({ id }: { id: number }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    const backwards = await call('GetExecutionHistory', { executionArn, reverseOrder: true });
    expect(backwards.events[0].type).toBe('ExecutionSucceeded');
  });

  test('counts transitions, retries included', async () => {
    let calls = 0;
    const { states, run } = setUp({
      flaky: async () => {
        if (++calls < 3) throw new Error('not yet');
        return 'at last';
      },
    });
    const { arn, output } = await run(one(invoke('flaky', { Retry: [{ ErrorEquals: ['Error'] }] })));
    expect(output).toBe('"at last"');
    expect(states.transitions(arn)).toBe(3);
  });

  test('a history ends at 25,000 events, and nothing catches that', async () => {
    const { run } = setUp();
    const {
      status,
      cause,
      run: made,
    } = await run({ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } } });
    expect([status, made.history.events.length]).toEqual(['FAILED', 25_000]);
    expect(cause).toContain('maximum number of history events');
  });

  test('an execution rests while its region is dark and goes on afterwards', async () => {
    const { world, run } = setUp();
    world.clock.after(1_000, () => world.dark.add(place.region));
    world.clock.after(hours(5), () => world.dark.clear());
    const { status, startedAt, stoppedAt } = await run({
      StartAt: 'W',
      States: { W: { Type: 'Wait', Seconds: 60, Next: 'P' }, P: pass },
    });
    expect(status).toBe('SUCCEEDED');
    expect(stoppedAt!.getTime() - startedAt.getTime()).toBeGreaterThan(hours(4.9));
  });

  test('EXPRESS answers synchronously, lasts five minutes and leaves no history to ask for', async () => {
    const { call, create, states } = setUp();
    const stateMachineArn = await create(one({ ...pass, Output: '{% $states.input.a + 1 %}' }), { type: 'EXPRESS' });
    const done = await call('StartSyncExecution', { stateMachineArn, input: '{"a":1}' });
    expect(done).toMatchObject({ status: 'SUCCEEDED', output: '2' });
    await expect(call('DescribeExecution', { executionArn: done.executionArn })).rejects.toMatchObject({
      code: 'StateMachineTypeNotSupported',
    });
    const endless = await create(one({ Type: 'Pass', Next: 'S' }), { type: 'EXPRESS', name: 'endless' });
    expect((await call('StartSyncExecution', { stateMachineArn: endless })).status).toBe('TIMED_OUT');
    const long = await create(one({ Type: 'Wait', Seconds: 3_600, End: true }), { type: 'EXPRESS', name: 'long' });
    expect((await call('StartSyncExecution', { stateMachineArn: long })).status).toBe('TIMED_OUT');
    expect([...states.executions.values()].every(({ status }) => status !== 'RUNNING')).toBe(true);
  });
});

describe('errors', () => {
  test('waits between attempts as the retrier says', async () => {
    const times: number[] = [];
    const { run } = setUp({
      never: async (_, { clock }) => {
        times.push(clock.now());
        throw Object.assign(new Error('no'), { name: 'Transient' });
      },
    });
    const Retry = [{ ErrorEquals: ['Transient'], IntervalSeconds: 20, BackoffRate: 2, MaxAttempts: 5, MaxDelaySeconds: 100 }];
    expect(await run(one(invoke('never', { Retry })))).toMatchObject({ status: 'FAILED', error: 'Transient' });
    const pauses = times.slice(1).map((time, i) => Math.round((time - times[i]!) / 1000));
    expect(pauses).toEqual([20, 40, 80, 100, 100]);
  });

  test('each retrier counts its own attempts', async () => {
    const thrown = ['A', 'B', 'A', 'B', 'A'];
    let calls = 0;
    const { run } = setUp({
      both: async () => {
        const name = thrown[calls++];
        if (name) throw Object.assign(new Error('no'), { name });
        return 'done';
      },
    });
    const Retry = [
      { ErrorEquals: ['A'], MaxAttempts: 3 },
      { ErrorEquals: ['B'], MaxAttempts: 1 },
    ];
    expect(await run(one(invoke('both', { Retry })))).toMatchObject({ status: 'FAILED', error: 'B' });
    expect(calls).toBe(4);
  });

  test('a catcher leads on from a state that would have been the last', async () => {
    const { run } = setUp({
      bad: async () => {
        throw Object.assign(new Error('no'), { name: 'Permanent' });
      },
    });
    const Catch = [{ ErrorEquals: ['States.TaskFailed'], Next: 'Saved', Output: '{% $states.errorOutput.Error %}' }];
    const { status, output } = await run({ StartAt: 'S', States: { S: invoke('bad', { Catch }), Saved: pass } });
    expect([status, output]).toEqual(['SUCCEEDED', '"Permanent"']);
  });

  test('a Task that outlasts TimeoutSeconds is States.Timeout, and its function goes on', async () => {
    let finished = false;
    const { world, run } = setUp({
      slow: async (_, { clock }) => {
        await clock.sleep(60_000);
        finished = true;
      },
    });
    const execution = await run(one(invoke('slow', { TimeoutSeconds: 5 })));
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(execution.run.history.events.map(({ type }) => type)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskTimedOut',
      'ExecutionFailed',
    ]);
    await world.clock.advance(60_000);
    expect(finished).toBe(true);
  });

  test('what befalls the request to Lambda has the names that AWS gives it', async () => {
    const { world, run } = setUp({ fine: async () => 'fine' });
    const outcomes: (string | undefined)[] = [];
    for (const fault of [errorBefore, silenceAfter]) {
      world.faults = ({ operation }) => (operation === 'Invoke' ? fault : undefined);
      outcomes.push((await run(one(invoke('fine')))).error);
    }
    world.faults = () => undefined;
    expect(outcomes).toEqual(['Lambda.InternalError', 'Lambda.SdkClientException']);
    const missing = await setUp().run(one(invoke('nobody')));
    expect(missing).toMatchObject({ status: 'FAILED', error: 'Lambda.ResourceNotFoundException' });
  });

  test('more than 256 KiB is States.DataLimitExceeded, which States.ALL does not catch', async () => {
    const { run } = setUp({ big: async () => 'x'.repeat(256 * 1024) });
    const Catch = [{ ErrorEquals: ['States.ALL'], Next: 'Saved' }];
    const execution = await run({ StartAt: 'S', States: { S: invoke('big', { Catch }), Saved: pass } });
    expect(execution).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });
});

describe('side by side', () => {
  const failing = {
    slow: async (_: unknown, { clock }: { clock: { sleep(ms: number): Promise<void> } }) => clock.sleep(60_000),
  };

  /** AWS's own recording of a Map of four whose Tasks all ran out of time (test_service_lambda_map_timeout), from the first failure on. */
  test('a failed iteration ends the others, as AWS tells it', async () => {
    const { run } = setUp(failing);
    const map = { Type: 'Map', Items: [0, 1, 2, 3], ItemProcessor: one(invoke('slow', { TimeoutSeconds: 5 })), End: true };
    const { status, error, run: made } = await run({ StartAt: 'M', States: { M: map } });
    expect([status, error]).toEqual(['FAILED', 'States.Timeout']);
    const { events } = made.history;
    const first = events.findIndex(({ type }) => type === 'MapIterationFailed');
    const timedOut = events.find(({ type }) => type === 'TaskTimedOut')!.id;
    const told = events.slice(first).map(({ type, previousEventId }) => [type, previousEventId === timedOut]);
    expect(told).toEqual([
      ['MapIterationFailed', true],
      ['TaskStateAborted', true],
      ['MapIterationAborted', true],
      ['TaskStateAborted', true],
      ['MapIterationAborted', true],
      ['TaskStateAborted', true],
      ['MapIterationAborted', true],
      ['TaskStateAborted', true],
      ['MapStateFailed', true],
      ['ExecutionFailed', false],
    ]);
  });

  test('a failed branch ends the others at once, and they write nothing more', async () => {
    const { world, run } = setUp();
    const Branches = [
      { StartAt: 'Long', States: { Long: { Type: 'Wait', Seconds: 21_600, Next: 'After' }, After: pass } },
      { StartAt: 'Bad', States: { Bad: { Type: 'Fail', Error: 'Broken' } } },
    ];
    const Catch = [{ ErrorEquals: ['Broken'], Next: 'Saved' }];
    const execution = await run({ StartAt: 'P', States: { P: { Type: 'Parallel', Branches, Catch, End: true }, Saved: pass } });
    expect(execution.status).toBe('SUCCEEDED');
    expect(execution.stoppedAt!.getTime() - execution.startedAt.getTime()).toBeLessThan(1_000);
    const length = execution.run.history.events.length;
    await world.clock.advance(hours(7));
    expect(execution.run.history.events).toHaveLength(length);
    expect(execution.run.history.events.map(({ type }) => type)).toContain('WaitStateAborted');
  });

  test('runs at most 40 iterations at once, and as many as MaxConcurrency says', async () => {
    for (const [MaxConcurrency, expected] of [
      [0, 40],
      [3, 3],
      [1000, 40],
    ] as const) {
      let now = 0;
      let most = 0;
      const { run } = setUp({
        count: async (event, { clock }) => {
          most = Math.max(most, ++now);
          await clock.sleep(1_000);
          now--;
          return event * 2;
        },
      });
      const Items = Array.from({ length: 100 }, (_, i) => i);
      const { output } = await run({
        StartAt: 'M',
        States: { M: { Type: 'Map', Items, MaxConcurrency, ItemProcessor: one(invoke('count')), End: true } },
      });
      expect(JSON.parse(output!)).toEqual(Items.map((i) => i * 2));
      expect(most).toBe(expected);
    }
  });

  test('what a branch assigns stays inside it', async () => {
    const { run } = setUp();
    const branch = (name: string) => ({
      StartAt: name,
      States: { [name]: { ...pass, Assign: { own: name }, Output: '{% $outer %}' } },
    });
    const { output } = await run({
      StartAt: 'Set',
      States: {
        Set: { Type: 'Pass', Assign: { outer: 'seen' }, Next: 'Fork' },
        Fork: { Type: 'Parallel', Branches: [branch('A'), branch('B')], Next: 'End' },
        End: { ...pass, Output: { branches: '{% $states.input %}', own: '{% $exists($own) %}' } },
      },
    });
    expect(JSON.parse(output!)).toEqual({ branches: ['seen', 'seen'], own: false });
  });
});

describe('what is not modelled is refused by name when the machine is made', () => {
  const task = (Resource: string, more: object = {}) => one({ Type: 'Task', Resource, End: true, ...more });
  test.each([
    [{ QueryLanguage: 'JSONPath', ...one(pass) }, 'JSONPath'],
    [{ QueryLanguage: undefined, ...one(pass) }, 'JSONPath'],
    [task('arn:aws:states:::lambda:invoke.waitForTaskToken'), 'lambda:invoke.waitForTaskToken'],
    [task('arn:aws:states:::aws-sdk:ec2:createSnapshot'), 'aws-sdk:ec2:createSnapshot'],
    [task('arn:aws:states:::states:startExecution.sync:2'), 'startExecution.sync:2'],
    [task('arn:aws:states:us-east-1:111111111111:activity:a'), 'activity:a'],
    [task('arn:aws:states:::lambda:invoke', { Credentials: { RoleArn: 'x' } }), 'Credentials'],
    [one({ Type: 'Map', ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED' }, ...one(pass) }, End: true }), 'DISTRIBUTED'],
    [one({ Type: 'Map', ItemReader: {}, ItemProcessor: one(pass), End: true }), 'ItemReader'],
    [one({ ...pass, Output: '{% $eval("1") %}' }), '$eval'],
    [one({ ...pass, Output: '{% 1 + %}' }), 'Invalid JSONata expression'],
    [one({ Type: 'Pass', Next: 'Nowhere' }), "Missing 'Next' target: Nowhere"],
    [one({ Type: 'Pass' }), 'either Next or End'],
    [one({ Type: 'Wait', End: true }), 'either Seconds or Timestamp'],
    [one({ Type: 'constructor', End: true }), 'Unknown state type'],
    [one(invoke('f', { Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['A'] }] })), 'States.ALL must be alone'],
    [one({ Type: 'Parallel', Branches: [one(pass)], End: true }), 'Duplicate State name: S'],
  ])('%j', async (definition, words) => {
    const refused = await setUp()
      .create(definition)
      .catch((error: { code: string; message: string }) => error);
    expect(refused).toMatchObject({ code: 'InvalidDefinition', message: expect.stringContaining(words) });
  });
});
