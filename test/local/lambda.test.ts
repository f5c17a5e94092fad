import { describe, expect, test } from 'vitest';
import { service as lambda } from '../../local/services/lambda/index.ts';
import type { LambdaState, Registration } from '../../local/services/lambda/state.ts';
import { World } from '../../local/world/world.ts';

const place = { account: '111111111111', region: 'eu-central-1' };
const services = new Map([lambda].map((service) => [service.name, service]));

interface Answer {
  readonly StatusCode: number;
  readonly FunctionError?: string;
  readonly Payload?: Uint8Array;
}

function setUp(registration: Partial<Registration> & Pick<Registration, 'handler'>) {
  const world = new World(services, { seed: 'lambda', latency: [0, 0] });
  const lambda = world.state<LambdaState>('lambda', place);
  lambda.register({ name: 'f', timeoutSeconds: 30, memoryMb: 256, ...registration });
  const call = (operation: string, input: object): Promise<any> => world.call({ place, service: 'lambda', operation, input });
  const invoke = (event: unknown, more: object = {}): Promise<Answer> =>
    call('Invoke', { FunctionName: 'f', Payload: Buffer.from(JSON.stringify(event)), ...more });
  return { world, lambda, call, invoke, settle: <T>(work: Promise<T>): Promise<T> => world.clock.settle(work) };
}

const read = ({ Payload }: Answer): any => JSON.parse(Buffer.from(Payload!).toString());

describe('Lambda', () => {
  test('passes events and answers through JSON, and tells the handler who it is', async () => {
    const { settle, invoke } = setUp({
      handler: async (event, context) => ({ event, when: new Date(0), nothing: undefined, arn: context.invokedFunctionArn }),
    });
    expect(read(await settle(invoke({ a: 1 })))).toEqual({
      event: { a: 1 },
      when: '1970-01-01T00:00:00.000Z',
      arn: 'arn:aws:lambda:eu-central-1:111111111111:function:f',
    });
  });

  test('answers what a handler throws as an Unhandled error by its name', async () => {
    const { settle, invoke } = setUp({
      handler: async () => {
        throw Object.assign(new Error('no'), { name: 'Transient' });
      },
    });
    const answer = await settle(invoke({}));
    expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(read(answer)).toEqual({ errorType: 'Transient', errorMessage: 'no', trace: ['Transient: no'] });
  });

  test('gives up at the timeout in virtual time; what the handler does later is done, what it answers is ignored', async () => {
    let done = false;
    const { world, settle, invoke } = setUp({
      timeoutSeconds: 30,
      handler: async (_, context) => {
        expect(context.getRemainingTimeInMillis()).toBe(30_000);
        await context.clock.sleep(40_000);
        expect(context.getRemainingTimeInMillis()).toBe(-10_000);
        done = true;
        return 'late';
      },
    });
    const began = world.clock.now();
    const answer = await settle(invoke({}));
    expect(world.clock.now() - began).toBe(30_000);
    expect(answer.FunctionError).toBe('Unhandled');
    expect(read(answer)).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(read(answer).errorMessage).toMatch(/^RequestId: \S+ Error: Task timed out after 30\.00 seconds$/);
    await world.clock.advance(20_000);
    expect(done).toBe(true);
  });

  test('tries an asynchronous invocation three times, after one minute and after two more', async () => {
    const times: number[] = [];
    const { world, settle, invoke } = setUp({
      handler: async (_, context) => {
        times.push(context.clock.now());
        throw new Error('again');
      },
    });
    expect(await settle(invoke({}, { InvocationType: 'Event' }))).toEqual({ StatusCode: 202 });
    await world.clock.advance(3_600_000);
    expect(times.map((time) => (time - times[0]!) / 1000)).toEqual([0, 60, 180]);
  });

  test('finds a function by name, partial ARN and ARN, but not one of another region or account', async () => {
    const { settle, call } = setUp({ handler: async () => 1 });
    const arn = 'arn:aws:lambda:eu-central-1:111111111111:function:f';
    for (const FunctionName of ['f', 'f:$LATEST', '111111111111:function:f', arn, `${arn}:$LATEST`]) {
      expect(await settle(call('GetFunctionConfiguration', { FunctionName }))).toMatchObject({ FunctionArn: arn, Timeout: 30 });
    }
    for (const FunctionName of ['g', arn.replace('eu-central-1', 'eu-west-1'), arn.replace('111111111111', '222222222222')]) {
      await expect(settle(call('Invoke', { FunctionName }))).rejects.toMatchObject({
        code: 'ResourceNotFoundException',
        status: 404,
      });
    }
  });

  test('refuses what is no JSON, and runs nothing on a dry run', async () => {
    let runs = 0;
    const { settle, call, invoke } = setUp({ handler: async () => ++runs });
    const payload = { FunctionName: 'f', Payload: Buffer.from('{') };
    await expect(settle(call('Invoke', payload))).rejects.toMatchObject({ code: 'InvalidRequestContentException' });
    expect(await settle(invoke({}, { InvocationType: 'DryRun' }))).toEqual({ StatusCode: 204 });
    expect(runs).toBe(0);
    await expect(settle(call('CreateFunction', { FunctionName: 'new' }))).rejects.toMatchObject({
      code: 'InvalidParameterValueException',
    });
  });

  test('runs nothing in a dark region, and whoever waits inside learns only that time ran out', async () => {
    let runs = 0;
    const { world, lambda, settle, invoke } = setUp({ handler: async () => ++runs });
    world.dark.add(place.region);
    await expect(settle(invoke({}))).rejects.toThrow('is dark');
    const inside = await settle(lambda.invoke(lambda.find('f'), '{}', 'r'));
    expect(JSON.parse(inside.payload)).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(runs).toBe(0);
  });

  test('a function whose region goes dark while it runs answers nobody', async () => {
    const { world, settle, invoke } = setUp({ handler: (_, context) => context.clock.sleep(5_000) });
    const asked = settle(invoke({})).catch((error: Error) => error.name);
    world.clock.after(1_000, () => world.dark.add(place.region));
    expect(await asked).toBe('ConnectionLost');
  });

  test('lets clocks disagree', async () => {
    const { world, settle, invoke } = setUp({ clockOffsetMillis: -1_500, handler: async (_, context) => context.clock.now() });
    expect(read(await settle(invoke({}))) - world.clock.now()).toBe(-1_500);
  });

  test('in a served world time moves by itself while a function sleeps', async () => {
    const { world, invoke } = setUp({
      timeoutSeconds: 900,
      handler: async (_, context) => {
        await context.clock.sleep(600_000);
        return 'slept';
      },
    });
    world.clock.pace(1);
    const real = performance.now();
    expect(read(await invoke({}))).toBe('slept');
    world.clock.stop();
    expect(performance.now() - real).toBeLessThan(10_000);
  });
});
