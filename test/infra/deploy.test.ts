import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installShop } from '../../demo/shop/shop.ts';
import { readConfiguration } from '../../functions/configuration/read.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Place } from '../../functions/domain.ts';
import { ledgerBucket } from '../../functions/vault/layout.ts';
import { stacksFor } from '../../infra/stacks.ts';
import { direct, type Served, start } from '../../local/index.ts';
import { HOME, WEST } from '../world.ts';

/**
 * The genuine `cdk` CLI against a served world that holds nothing but the application: bootstrap, deploy, deploy again, change. Then the deployed
 * schedules start the deployed machines, whose functions run their bundles in threads and call this world over HTTP.
 */
let served: Served;
let configuration: Configuration;

beforeAll(async () => {
  configuration = await readConfiguration('stillpoint.yaml');
  served = await start({ seed: 'deploy', speed: 60 });
  const { world } = served;
  await world.clock.settle(installShop(world, direct(world), { small: true }));
}, 60_000);
afterAll(() => served?.close());

/** A cloud assembly of real bundles; that `cdk synth` makes the same, with the rules of cdk-nag, another test says. */
async function assembly(of: Configuration): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'stillpoint-assembly-'));
  const app = new App({ outdir });
  await stacksFor(app, of);
  app.synth();
  return outdir;
}

const cdk = (...args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      AWS_ENDPOINT_URL: served.url,
      AWS_ACCESS_KEY_ID: HOME.account,
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: HOME.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      CI: 'true',
    };
    execFile('npx', ['--no-install', 'cdk', ...args], { env, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      error ? reject(new Error(stdout + stderr)) : resolve(stdout + stderr),
    );
  });

const call = (place: Place, service: string, operation: string, input: object) =>
  served.world.clock.settle(served.world.call({ place, service, operation, input }));

const statusOf = async (place: Place, StackName: string): Promise<string> =>
  (await call(place, 'cloudformation', 'DescribeStacks', { StackName })).Stacks[0].StackStatus;

const sealedIn = async (place: Place): Promise<string[]> => {
  const { Contents = [] } = await call(place, 's3', 'ListObjectsV2', { Bucket: ledgerBucket(place), Prefix: 'restore-points/' });
  return Contents.map(({ Key }: { Key: string }) => Key).filter((key: string) => key.endsWith('outcome.json'));
};

test('cdk bootstraps and deploys, says when nothing changes, changes a policy, and what is deployed takes points by its schedules', {
  timeout: 240_000,
}, async () => {
  const app = await assembly(configuration);
  const bootstrapped = await cdk(
    'bootstrap',
    '--app',
    app,
    `aws://${HOME.account}/${HOME.region}`,
    `aws://${WEST.account}/${WEST.region}`,
  );
  expect(bootstrapped.match(/✅ {2}Environment .* bootstrapped/g)).toHaveLength(2);

  const deployed = await cdk('deploy', '--app', app, '--all', '--require-approval', 'never', '--concurrency', '2');
  expect(deployed).toMatch(/CREATE_COMPLETE +\| AWS::StepFunctions::StateMachine/);
  expect(await statusOf(HOME, 'stillpoint-home-us-east-1')).toBe('CREATE_COMPLETE');
  expect(await statusOf(WEST, 'stillpoint-vault-eu-west-1')).toBe('CREATE_COMPLETE');

  const again = await cdk('deploy', '--app', app, '--all', '--require-approval', 'never', '--concurrency', '2');
  expect(again.match(/✅ .*\(no changes\)/g)).toHaveLength(2);

  const { hourly, ...policies } = configuration.policies;
  const changed = await assembly({
    ...configuration,
    policies: { ...policies, hourly: { ...hourly!, schedule: 'cron(30 * * * ? *)' } },
  });
  await cdk('deploy', '--app', changed, 'stillpoint-home-us-east-1-111122223333', '--require-approval', 'never');
  expect(await statusOf(HOME, 'stillpoint-home-us-east-1')).toBe('UPDATE_COMPLETE');
  const { ScheduleExpression } = await call(HOME, 'scheduler', 'GetSchedule', { Name: 'stillpoint-hourly-shop' });
  expect(ScheduleExpression).toBe('cron(30 * * * ? *)');

  await fetch(`${served.url}/_stillpoint/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds: 3 * 3600 }) });
  const made = (await sealedIn(HOME)).filter((key) => /\/\d{8}T\d{2}3000Z-hourly\/1\/outcome\.json$/.test(key));
  expect(made.length).toBeGreaterThanOrEqual(1);
  const { Body } = await call(HOME, 's3', 'GetObject', { Bucket: ledgerBucket(HOME), Key: made[0]! });
  expect(new TextDecoder().decode(Body)).toContain('"status":"sealed"');
  expect((await sealedIn(WEST)).length).toBeGreaterThanOrEqual(1);
  const lines = await call(HOME, 'logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/stillpoint-protect-seal' });
  expect(lines.events.map(({ message }: { message: string }) => JSON.parse(message))).toContainEqual(
    expect.objectContaining({ step: 'protect-seal', outcome: 'done' }),
  );
});
