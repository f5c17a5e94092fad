import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeStores } from '../../demo/install.ts';
import { CONFLICT, PERMANENT, TRANSIENT } from '../../functions/aws/errors.ts';
import { readConfiguration } from '../../functions/configuration/read.ts';
import { functionArn, stagingBucket } from '../../functions/vault/layout.ts';
import { workflows } from '../../functions/workflows/index.ts';
import { type Bundle, bundlesOf, CODE } from '../../infra/bundle.ts';
import { type Served, start } from '../../local/index.ts';
import { HOME, WEST } from '../world.ts';

/**
 * Every bundle is loaded by a bare Node and invoked once, against a local AWS that has Stillpoint's stores and nothing to protect in it. The event
 * names a point that is not there, so a step ends in one of its own errors, after it has asked AWS.
 */
const EVENT = {
  application: 'shop',
  policy: 'hourly',
  trigger: 'person',
  due: '2026-11-22T04:00:00Z',
  startedAt: '2026-11-22T04:00:00Z',
  execution: 'arn:aws:states:us-east-1:111122223333:execution:stillpoint-protect:one',
  owner: 'arn:aws:states:us-east-1:111122223333:execution:stillpoint-protect:one',
  slot: '20261122T040000Z-hourly',
  attempt: 1,
  restore: 'one',
  point: 'latest',
  digest: '0',
  consistency: 'crash-consistent',
  skewSeconds: 0,
  home: HOME,
  done: [],
};

interface Ended {
  readonly step: string;
  readonly name: string;
  readonly message: string;
}

const RUNNER = `
const { handler } = await import(process.argv[1]);
const context = JSON.parse(process.argv[2]);
const ended = await handler(JSON.parse(process.argv[3]), context).then(
  (answer) => ({ name: 'done', message: JSON.stringify(answer) }),
  ({ name, message }) => ({ name, message }),
);
console.log('ENDED ' + JSON.stringify(ended));
process.exit(0);
`;

let bundles: ReadonlyMap<string, Bundle>;
let served: Served;
const ended = new Map<string, Ended & { asked: number; lines: string[] }>();
const placeOf = new Map(
  workflows.flatMap(({ runsIn, steps }) => steps.map(({ name }) => [name, runsIn === 'home' ? HOME : WEST])),
);

beforeAll(async () => {
  const configuration = await readConfiguration('stillpoint.yaml');
  bundles = await bundlesOf(workflows, { configuration, code: CODE });
  served = await start({ seed: 'bundles', speed: 3600 });
  const { world } = served;
  for (const place of [HOME, WEST]) await makeStores(world, place, undefined);
  await world.call({ place: HOME, service: 's3', operation: 'CreateBucket', input: { Bucket: stagingBucket(HOME) } });
  for (const { step, folder } of bundles.values()) {
    const before = world.journal.entries.length;
    ended.set(step, { ...(await invoke(step, folder)), asked: world.journal.entries.length - before });
  }
}, 240_000);
afterAll(() => served?.close());

async function invoke(step: string, folder: string): Promise<Ended & { lines: string[] }> {
  const context = { awsRequestId: 'one', invokedFunctionArn: functionArn(placeOf.get(step)!, step) };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', RUNNER, join(folder, 'index.mjs'), JSON.stringify(context), JSON.stringify(EVENT)],
    {
      cwd: '/',
      env: { AWS_ENDPOINT_URL: served.url, AWS_ACCESS_KEY_ID: HOME.account, AWS_SECRET_ACCESS_KEY: 'local' },
      timeout: 60_000,
    },
  );
  const lines = stdout.trim().split('\n');
  return { step, ...JSON.parse(lines.at(-1)!.replace('ENDED ', '')), lines: lines.slice(0, -1) };
}

describe('every bundle, as bundled', () => {
  for (const { name } of workflows.flatMap(({ steps }) => steps)) {
    test(`${name} asks AWS and ends as its machine expects`, () => {
      const { name: error, message, asked, lines } = ended.get(name)!;
      expect(['done', TRANSIENT, PERMANENT, CONFLICT], message).toContain(error);
      expect(message).not.toMatch(/is not a (function|constructor)|Cannot (read|find)|undefined|not defined|NotImplemented/);
      expect(asked, message).toBeGreaterThan(0);
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ step: name, application: 'shop', outcome: error }]);
    });
  }

  test('the step that asks every kind loads every kind, and each reaches its service', () => {
    const { name, message } = ended.get('protect-plan')!;
    expect({ name, message }).toMatchObject({ name: PERMANENT, message: expect.stringContaining('cluster "shop"') });
  });

  test('holds the configuration and no other step, maps its code back, and loads kinds only when they are needed', () => {
    for (const { step, folder, bytes, eagerBytes } of bundles.values()) {
      const code = readFileSync(join(folder, 'index.mjs'), 'utf8');
      expect(JSON.parse(readFileSync(join(folder, 'stillpoint.json'), 'utf8'))).toMatchObject({ code: CODE });
      expect(code).toContain('//# sourceMappingURL=index.mjs.map');
      expect(JSON.parse(readFileSync(join(folder, 'index.mjs.map'), 'utf8')).version).toBe(3);
      expect(eagerBytes, step).toBeLessThan(bytes / 2);
    }
  });

  test('is the same from the same sources', async () => {
    const configuration = await readConfiguration('stillpoint.yaml');
    const again = await bundlesOf(workflows, { configuration, code: CODE });
    for (const { step, folder } of bundles.values()) {
      expect(readFileSync(join(again.get(step)!.folder, 'index.mjs'), 'utf8')).toBe(
        readFileSync(join(folder, 'index.mjs'), 'utf8'),
      );
    }
  });
});
