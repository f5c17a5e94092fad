import { expect, test } from 'vitest';
import { readRestore } from '../functions/vault/restores.ts';
import { HOME, stage, WEST } from './world.ts';

/** What an event asks for that nobody named: a plan to read, or the restore of the day. */
test('a restore that is told twice in a day restores once, and a proposal before it takes no name from it', async () => {
  const stand = await stage({ seed: 'loss', schedules: false, shop: { cluster: false } });
  await stand.run(HOME, 'protect', {
    application: 'shop',
    policy: 'hourly',
    trigger: 'person',
    due: new Date(stand.world.clock.now()).toISOString(),
  });
  await stand.replicated(WEST);
  stand.world.dark.add(HOME.region);
  const day = new Date(stand.world.clock.now()).toISOString().slice(2, 10).replaceAll('-', '');

  const proposed = await stand.run(WEST, 'restore', { application: 'shop', point: 'latest', dryRun: true });
  expect(proposed.status).toBe('SUCCEEDED');
  const proposal = await stand.open(readRestore, WEST)({ application: 'shop', restore: `plan-r${day}` });
  expect(proposal.plan.lacks).toEqual([]);
  expect(proposal.report).toBeUndefined();

  const first = await stand.run(WEST, 'restore', { application: 'shop', point: 'latest', dryRun: false });
  expect(first.status, first.cause).toBe('SUCCEEDED');
  const again = await stand.run(WEST, 'restore', { application: 'shop', point: 'latest', dryRun: false });
  expect(again).toMatchObject({ status: 'FAILED', error: 'Conflict' });
  const { report } = await stand.open(readRestore, WEST)({ application: 'shop', restore: `r${day}` });
  expect(report?.status).toBe('restored');
});
