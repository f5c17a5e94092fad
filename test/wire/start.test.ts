import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { expect, it } from 'vitest';
import { createWorld, requestHandler, start } from '../../local/index.ts';
import { clientOptions } from './fixture.ts';

it('starts an AWS that listens on loopback, tells where it is, and passes time at its speed', async () => {
  const { world, url, close } = await start({ seed: 7, speed: 3600, start: Date.UTC(2030, 0, 1) });
  try {
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(world.origin).toBe(url);
    expect(await (await fetch(`${url}/_stillpoint`)).json()).toMatchObject({ seed: '7', speed: 3600 });
    const before = world.clock.now();
    await new Promise((wake) => setTimeout(wake, 300));
    expect(world.clock.now() - before).toBeGreaterThan(300 * 3600 * 0.5);
    expect(await new STSClient(clientOptions(url)).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: '111122223333',
    });
  } finally {
    await close();
  }
  await expect(fetch(url)).rejects.toThrow();
  const stopped = world.clock.now();
  await new Promise((wake) => setTimeout(wake, 120));
  expect(world.clock.now()).toBe(stopped);
});

it('gives two worlds of one seed the same ids, and each its own state', async () => {
  const ask = async (seed: number) => {
    const client = new STSClient({
      ...clientOptions('http://local.aws.invalid'),
      requestHandler: requestHandler(await createWorld({ seed })),
    });
    return (await client.send(new GetCallerIdentityCommand({}))).$metadata.requestId;
  };
  expect(await ask(1)).toBe(await ask(1));
  expect(await ask(1)).not.toBe(await ask(2));
});
