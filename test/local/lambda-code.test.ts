import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { zipOf } from '../../demo/zip.ts';
import { type Served, start } from '../../local/index.ts';
import type { LambdaState } from '../../local/services/lambda/state.ts';

/** Functions whose uploaded code runs, in threads, against the served world. */
const HERE = { account: '111122223333', region: 'us-east-1' };
let served: Served;
beforeAll(async () => {
  served = await start({ seed: 'code', speed: 0 });
});
afterAll(() => served.close());

const call = (service: string, operation: string, input: object) =>
  served.world.clock.settle(served.world.call({ place: HERE, service, operation, input }));

async function deploy(FunctionName: string, code: string, more: object = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(folder, 'index.mjs'), code);
  const asked = { Role: 'arn:aws:iam::111122223333:role/worker', Runtime: 'nodejs24.x', Handler: 'index.handler', ...more };
  await call('lambda', 'CreateFunction', { FunctionName, Code: { ZipFile: zipOf(folder) }, ...asked });
}

async function invoke(FunctionName: string, event: object = {}): Promise<{ answer: any; error: string | undefined }> {
  const { Payload, FunctionError } = await call('lambda', 'Invoke', {
    FunctionName,
    Payload: Buffer.from(JSON.stringify(event)),
  });
  return { answer: JSON.parse(new TextDecoder().decode(Payload)), error: FunctionError };
}

test('runs the code, loaded once and kept warm, with its own environment', async () => {
  const code = `let count = 0;
    export const handler = async (event, context) => ({ count: ++count, said: event.say, own: process.env.OWN, region: process.env.AWS_REGION,
      home: process.env.HOME, name: context.functionName, left: context.getRemainingTimeInMillis() });`;
  await deploy('warm', code, { Environment: { Variables: { OWN: 'mine' } }, Timeout: 9 });
  const expected = { said: 'hi', own: 'mine', region: 'us-east-1', name: 'warm', left: 9000 };
  expect((await invoke('warm', { say: 'hi' })).answer).toEqual({ count: 1, ...expected });
  expect((await invoke('warm', { say: 'hi' })).answer).toEqual({ count: 2, ...expected });
});

test('is a session of its role to AWS, and virtual time passes by its sleeps and its calls alone', async () => {
  const sdk = JSON.stringify(import.meta.resolve('@aws-sdk/client-sts'));
  const code = `import * as sts from ${sdk};
    const { STSClient, GetCallerIdentityCommand } = sts.STSClient ? sts : sts.default;
    export const handler = async (_, { clock }) => {
      const began = clock.now();
      for (const until = performance.now() + 300; performance.now() < until; ); // real work costs no virtual time
      const worked = clock.now() - began;
      await clock.sleep(90_000);
      const slept = clock.now() - began;
      const { Arn } = await new STSClient({}).send(new GetCallerIdentityCommand({}));
      return { Arn, worked, slept, called: clock.now() - began - slept };
    };`;
  await deploy('asks', code, { Timeout: 120 });
  const { answer } = await invoke('asks');
  expect(answer).toMatchObject({ Arn: 'arn:aws:sts::111122223333:assumed-role/worker/asks', worked: 0, slept: 90_000 });
  expect(answer.called).toBeGreaterThan(10);
  expect(answer.called).toBeLessThan(500);
});

test('errors, a missing handler, an exit and running out of time are told as Lambda tells them', async () => {
  await deploy('throws', `export const handler = async () => { throw Object.assign(new Error('why'), { name: 'Transient' }); };`);
  expect(await invoke('throws')).toMatchObject({ error: 'Unhandled', answer: { errorType: 'Transient', errorMessage: 'why' } });
  await deploy('nothing', 'export const other = 1;');
  expect((await invoke('nothing')).answer).toMatchObject({ errorType: 'Runtime.HandlerNotFound' });
  await deploy('exits', 'export const handler = async () => process.exit(7);');
  expect((await invoke('exits')).answer).toMatchObject({ errorType: 'Runtime.ExitError' });
  await deploy('sleeps', 'export const handler = (_, { clock }) => clock.sleep(5000);', { Timeout: 3 });
  expect((await invoke('sleeps')).answer).toMatchObject({ errorType: 'Sandbox.Timedout' });
});

test('lines go to the log group of the function; new code begins anew; a handler of this process stands in for code alone', async () => {
  await call('logs', 'CreateLogGroup', { logGroupName: '/aws/lambda/says' });
  await deploy('says', `export const handler = async () => { process.stdout.write('{"a":1}\\n'); return 1; };`, {
    Timeout: 7,
    MemorySize: 256,
  });
  expect((await invoke('says')).answer).toBe(1);
  await expect
    .poll(async () =>
      (await call('logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/says' })).events.map(({ message }: any) => message),
    )
    .toEqual(['{"a":1}']);
  const folder = mkdtempSync(join(tmpdir(), 'code-'));
  writeFileSync(join(folder, 'index.mjs'), 'export const handler = async () => 2;');
  await call('lambda', 'UpdateFunctionCode', { FunctionName: 'says', ZipFile: zipOf(folder) });
  expect((await invoke('says')).answer).toBe(2);
  const handler = async () => 3;
  served.world.state<LambdaState>('lambda', HERE).register({ name: 'says', timeoutSeconds: 1, memoryMb: 128, handler });
  expect((await invoke('says')).answer).toBe(3);
  expect(await call('lambda', 'GetFunctionConfiguration', { FunctionName: 'says' })).toMatchObject({
    Timeout: 7,
    MemorySize: 256,
    Role: 'arn:aws:iam::111122223333:role/worker',
  });
});
