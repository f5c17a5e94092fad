import { DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { EfsState } from '../../local/services/elasticfilesystem/state.ts';
import { loadServices, World } from '../../local/world/world.ts';
import { clientOptions, HERE, serve, worldOf } from './fixture.ts';

describe('the control path', () => {
  const post = async (url: string, path: string, body: string) => {
    const answer = await fetch(`${url}/_stillpoint${path}`, { method: 'POST', body });
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
  };

  it('tells the state', async () => {
    const world = worldOf({ ec2: { DescribeVolumes: () => ({}) } }, { latency: [0, 0], start: Date.UTC(2030, 0, 1) });
    const url = await serve(world);
    await new EC2Client(clientOptions(url)).send(new DescribeVolumesCommand({}));
    const state = await (await fetch(`${url}/_stillpoint`)).json();
    expect(state).toMatchObject({
      simulated: true,
      time: '2030-01-01T00:00:00.000Z',
      seed: '0',
      speed: 0,
      dark: [],
      accounts: [HERE.account],
      regions: [HERE.region],
      requests: { total: 1, byOperation: { 'ec2:DescribeVolumes': 1 } },
      denied: [],
      services: { ec2: ['DescribeVolumes'], s3: [] },
    });
  });

  it('advances the clock, darkens regions and forgets', async () => {
    const world = worldOf({}, { start: Date.UTC(2030, 0, 1) });
    const url = await serve(world);
    let fired = false;
    world.clock.after(59_000, () => {
      fired = true;
    });
    expect(await post(url, '/clock', '{"advanceSeconds": 60}')).toEqual({ status: 200, time: '2030-01-01T00:01:00.000Z' });
    expect(fired).toBe(true);
    expect(await post(url, '/regions/eu-west-1', '{"dark": true}')).toEqual({ status: 200, dark: ['eu-west-1'] });
    expect([...world.dark]).toEqual(['eu-west-1']);
    expect(await post(url, '/regions/eu-west-1', '{"dark": false}')).toEqual({ status: 200, dark: [] });
    world.dark.add('us-east-1');
    expect(await post(url, '/reset', '')).toMatchObject({ status: 200, reset: true, time: '2030-01-01T00:01:00.000Z' });
    expect(world.dark.size).toBe(0);
  });

  it('is the door to the files of a file system, which AWS has no API for', async () => {
    const world = new World(await loadServices(), { latency: [0, 0] });
    const url = await serve(world);
    const made = world.call({
      place: HERE,
      service: 'elasticfilesystem',
      operation: 'CreateFileSystem',
      input: { CreationToken: 'a' },
    });
    const { FileSystemId: id } = await world.clock.settle(made);
    const at = (path: string, more: RequestInit = {}) => fetch(`${url}/_stillpoint/efs/${id}${path}`, more);
    const bytes = new Uint8Array([0, 255, 10]);
    expect((await at('/uploads/a%20b.bin', { method: 'PUT', body: bytes })).status).toBe(204);
    expect(new Uint8Array(await (await at('/uploads/a%20b.bin')).arrayBuffer())).toEqual(bytes);
    expect(await (await at('')).json()).toEqual(['/uploads/a b.bin']);
    expect(world.state<EfsState>('elasticfilesystem', HERE).files(id).read('/uploads/a b.bin')).toEqual(bytes);
    expect((await at('/uploads/a%20b.bin', { method: 'DELETE' })).status).toBe(204);
    const missing = await at('/uploads/a%20b.bin');
    expect([missing.status, await missing.json()]).toEqual([404, { error: `${id} has no file /uploads/a b.bin.` }]);
    expect((await at('/..%2fb', { method: 'PUT', body: 'x' })).status).toBe(400);
    world.dark.add(HERE.region);
    expect((await at('/x')).status).toBe(503);
    expect((await fetch(`${url}/_stillpoint/efs/fs-none/x`)).status).toBe(404);
  });

  it.each([
    ['/clock', '{"advanceSeconds": -1}', 400, /advanceSeconds must be a number/],
    ['/clock', '{"advanceSeconds": "60"}', 400, /advanceSeconds must be a number/],
    ['/clock', 'sixty', 400, /must be a JSON object/],
    ['/clock', '[60]', 400, /must be a JSON object/],
    ['/regions/eu-west-1', '{}', 400, /dark must be true or false/],
    ['/regions/mars', '{"dark": true}', 400, /"mars" is not a region/],
    ['/regions', '{"dark": true}', 400, /"" is not a region/],
    ['/coffee', '{}', 404, /POST \/_stillpoint\/coffee is not known here/],
  ])('refuses POST %s %s in one sentence', async (path, body, status, sentence) => {
    const url = await serve(worldOf());
    expect(await post(url, path, body)).toEqual({ status, error: expect.stringMatching(sentence) });
  });
});
