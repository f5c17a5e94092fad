import { expect, test } from 'vitest';
import { backUpEach } from '../../demo/baseline.ts';
import { tears } from '../../demo/shop/audit.ts';
import { HOME } from '../world.ts';
import { worldOf } from './worlds.ts';

const SEEDS = 30;

/** What the others get: independent backups of each resource, in the same world, with the same writers. */
test('independent backups are torn in most runs', { timeout: 120_000 }, async () => {
  let torn = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    const stand = await worldOf(seed, { name: 'honest' });
    const restoreEach = await stand.settle(backUpEach(stand.world, stand.shop, stand.world.random.stream('baseline'), 'each'));
    await stand.settle(stand.shop.writers.stop());
    const renames = await stand.settle(restoreEach());
    const held = await stand.settle(stand.shop.readRestored(HOME, renames));
    if (tears(held).length > 0) torn++;
  }
  console.info(`independent backups: ${torn} of ${SEEDS} runs are torn`);
  expect(torn).toBeGreaterThan(SEEDS / 2);
});
