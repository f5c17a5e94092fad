import { afterAll, beforeAll, expect, test } from 'vitest';
import { installShop } from '../../demo/shop/shop.ts';
import { readConfiguration } from '../../functions/configuration/read.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import { slotOf } from '../../functions/decide/slot.ts';
import type { Place } from '../../functions/domain.ts';
import { functionName, machineArn, roleName } from '../../functions/vault/layout.ts';
import { direct, type Served, start } from '../../local/index.ts';
import { HOME, WEST } from '../world.ts';
import { assembly, deploying } from './deploying.ts';

/**
 * The genuine `cdk` CLI against a served world that holds nothing but the application: bootstrap, deploy, deploy again, change. Then the deployed
 * schedules start the deployed machines, whose functions run their bundles in threads and call this world over HTTP.
 */
let served: Served;
let configuration: Configuration;
let on: ReturnType<typeof deploying>;

beforeAll(async () => {
  configuration = await readConfiguration('stillpoint.yaml');
  served = await start({ seed: 'deploy', speed: 60 });
  on = deploying(served);
  const { world } = served;
  await world.clock.settle(installShop(world, direct(world), { small: true }));
}, 60_000);
afterAll(() => served?.close());

/** What every execution of a machine of a place came to, counted, of those that began after a time. */
async function executionsOf(place: Place, workflow: string, after: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let nextToken: string | undefined;
  do {
    const asked = { stateMachineArn: machineArn(place, workflow), maxResults: 100, ...(nextToken ? { nextToken } : {}) };
    const page = await on.call(place, 'states', 'ListExecutions', asked);
    for (const { status, startDate } of page.executions)
      if (startDate.getTime() > after) counts[status] = (counts[status] ?? 0) + 1;
    nextToken = page.nextToken;
  } while (nextToken);
  return counts;
}

const deadLettersOf = async (place: Place): Promise<string> => {
  const QueueUrl = `https://sqs.${place.region}.amazonaws.com/${place.account}/stillpoint-dead-letters`;
  const asked = { QueueUrl, AttributeNames: ['ApproximateNumberOfMessages'] };
  return (await on.call(place, 'sqs', 'GetQueueAttributes', asked)).Attributes.ApproximateNumberOfMessages;
};

/** Whether the function that takes the cut may call the one that freezes, as what it is to AWS. */
async function mayFreeze(): Promise<string> {
  const step = 'protect-capture';
  const arn = `arn:aws:sts::${HOME.account}:assumed-role/${roleName(step, HOME)}/${functionName(step)}`;
  const input = { FunctionName: 'shop-freeze', InvocationType: 'DryRun' };
  const caller = { account: HOME.account, arn };
  return served.world.clock
    .settle(served.world.call({ place: HOME, service: 'lambda', operation: 'Invoke', input, caller }))
    .then(({ StatusCode }) => String(StatusCode))
    .catch(({ name }: Error) => name);
}

const HOUR = 3_600_000;
const slotAt = (time: number) => slotOf(time, 'hourly');

test('cdk bootstraps and deploys, says when nothing changes, changes a role and a schedule, and a day of that schedule makes the point of every slot', {
  timeout: 600_000, // a day, on a machine that may have other things to do
}, async () => {
  const { shop } = configuration.applications;
  const { freeze: _, ...unfrozen } = shop!;
  const { hourly, ...policies } = configuration.policies;
  const first = await assembly({
    ...configuration,
    applications: { shop: unfrozen },
    policies: { ...policies, hourly: { ...hourly!, schedule: 'cron(30 3 1 1 ? *)' } }, // nothing yet
  });
  const bootstrapped = await on.cdk(
    HOME.account,
    'bootstrap',
    '--app',
    first,
    `aws://${HOME.account}/${HOME.region}`,
    `aws://${WEST.account}/${WEST.region}`,
  );
  expect(bootstrapped.match(/✅ {2}Environment .* bootstrapped/g)).toHaveLength(2);

  const deploy = (app: string) =>
    on.cdk(HOME.account, 'deploy', '--app', app, '--all', '--require-approval', 'never', '--concurrency', '2');
  expect(await deploy(first)).toMatch(/CREATE_COMPLETE +\| AWS::StepFunctions::StateMachine/);
  expect(await on.statusOf(HOME, 'stillpoint-home-us-east-1')).toBe('CREATE_COMPLETE');
  expect(await on.statusOf(WEST, 'stillpoint-vault-eu-west-1')).toBe('CREATE_COMPLETE');
  expect((await deploy(first)).match(/✅ .*\(no changes\)/g)).toHaveLength(2);
  expect(await mayFreeze()).toBe('AccessDeniedException');

  const changed = await assembly({
    ...configuration,
    policies: { ...policies, hourly: { ...hourly!, schedule: 'cron(30 * * * ? *)' } },
  });
  expect(await deploy(changed)).toMatch(/UPDATE_COMPLETE +\| AWS::IAM::(Role|ManagedPolicy|Policy)/);
  expect(await on.statusOf(HOME, 'stillpoint-home-us-east-1')).toBe('UPDATE_COMPLETE');
  const { ScheduleExpression } = await on.call(HOME, 'scheduler', 'GetSchedule', { Name: 'stillpoint-hourly-shop' });
  expect(ScheduleExpression).toBe('cron(30 * * * ? *)');
  expect(await mayFreeze()).toBe('204');

  const { clock, permissions } = served.world;
  const began = clock.now();
  const deniedBefore = permissions.denied.length;
  const due = Math.floor((began - HOUR / 2) / HOUR + 1) * HOUR + HOUR / 2; // the next half past
  const end = due + 23 * HOUR + 55 * 60_000;
  await fetch(`${served.url}/_stillpoint/clock`, {
    method: 'POST',
    body: JSON.stringify({ advanceSeconds: (end - began) / 1000 }),
  });

  const slots = Array.from({ length: 24 }, (_, hour) => slotAt(due + hour * HOUR));
  const points = slots.map((slot) => ({
    key: `restore-points/shop/${slot}/1/outcome.json`,
    status: 'sealed',
    label: 'application-consistent',
  }));
  expect(await on.decidedIn(HOME, began)).toEqual(points);
  expect(await on.decidedIn(WEST, began)).toEqual(points);
  expect(await executionsOf(HOME, 'protect', began)).toEqual({ SUCCEEDED: 24 });
  expect(await executionsOf(WEST, 'replicate', began)).toEqual({ SUCCEEDED: 24 });
  for (const place of [HOME, WEST]) {
    expect(Object.keys(await executionsOf(place, 'reconcile', began))).toEqual(['SUCCEEDED']);
    expect(await deadLettersOf(place)).toBe('0');
  }
  expect(permissions.denied.slice(deniedBefore)).toEqual([]);
  const lines = await on.call(HOME, 'logs', 'FilterLogEvents', { logGroupName: '/aws/lambda/stillpoint-protect-seal' });
  expect(lines.events.map(({ message }: { message: string }) => JSON.parse(message))).toContainEqual(
    expect.objectContaining({ step: 'protect-seal', outcome: 'done' }),
  );
});
