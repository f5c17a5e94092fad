import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfiguration } from '../../functions/configuration/read.ts';
import { slotOf } from '../../functions/decide/slot.ts';
import { type Served, start } from '../../local/index.ts';
import { HOME, SAFE } from '../world.ts';
import { assembly, deploying } from './deploying.ts';

/** The genuine `cdk` CLI deploys to two accounts with the keys of one, as far as the other trusts it; then points reach the other by themselves. */
const CONFIGURATION = `
applications:
  carts:
    account: "${HOME.account}"
    region: ${HOME.region}
    resources: { tags: { app: carts } }
policies:
  hourly:
    applications: [carts]
    schedule: cron(0 * * * ? *)
    vaults: [safe]
    keep: { hourly: 24 }
vaults:
  safe:
    account: "${SAFE.account}"
    region: ${SAFE.region}
    lock: { mode: compliance, days: 14 }
`;
const HOUR = 3_600_000;

let served: Served;
let on: ReturnType<typeof deploying>;

beforeAll(async () => {
  served = await start({ seed: 'deploy abroad', speed: 60 });
  on = deploying(served);
  const TableName = 'carts';
  await on.call(HOME, 'dynamodb', 'CreateTable', {
    TableName,
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
    Tags: [{ Key: 'app', Value: 'carts' }],
  });
  await served.world.clock.advance(60_000);
  await on.call(HOME, 'dynamodb', 'UpdateContinuousBackups', {
    TableName,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  });
  await on.call(HOME, 'dynamodb', 'PutItem', { TableName, Item: { id: { S: 'one' } } });
});
afterAll(() => served?.close());

test('cdk deploys into an account that trusts ours, not into one that does not, and each point reaches it', {
  timeout: 300_000,
}, async () => {
  const app = await assembly(parseConfiguration(CONFIGURATION));
  const bootstrap = (account: string, ...trusted: readonly string[]) => {
    const { region } = account === HOME.account ? HOME : SAFE;
    return on.cdk(account, 'bootstrap', '--app', app, `aws://${account}/${region}`, ...trusted);
  };
  const deploy = () => on.cdk(HOME.account, 'deploy', '--app', app, '--all', '--require-approval', 'never');
  await bootstrap(HOME.account);
  await bootstrap(SAFE.account);
  await expect(deploy()).rejects.toThrow(/sts:AssumeRole on resource: arn:aws:iam::444455556666:role\/cdk-/);

  const trusts = ['--trust', HOME.account, '--cloudformation-execution-policies', 'arn:aws:iam::aws:policy/AdministratorAccess'];
  await bootstrap(SAFE.account, ...trusts);
  await deploy();
  expect(await on.statusOf(HOME, 'stillpoint-home-us-east-1')).toBe('CREATE_COMPLETE');
  expect(await on.statusOf(SAFE, 'stillpoint-vault-eu-west-1')).toBe('CREATE_COMPLETE');

  const { clock, permissions } = served.world;
  const began = clock.now();
  const deniedBefore = permissions.denied.length;
  const due = Math.floor(began / HOUR + 1) * HOUR;
  const advanceSeconds = (due + 2 * HOUR + 55 * 60_000 - began) / 1000;
  await fetch(`${served.url}/_stillpoint/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds }) });
  const points = [0, 1, 2].map((hour) => ({
    key: `restore-points/carts/${slotOf(due + hour * HOUR, 'hourly')}/1/outcome.json`,
    status: 'sealed',
    label: 'crash-consistent',
  }));
  expect(await on.decidedIn(HOME, began)).toEqual(points);
  expect(await on.decidedIn(SAFE, began)).toEqual(points);
  expect(permissions.denied.slice(deniedBefore)).toEqual([]);
});
