import { expect, test } from 'vitest';
import { SAMPLE } from '../demo/sample.ts';
import { installShop } from '../demo/shop/shop.ts';
import { readConfiguration } from '../functions/configuration/read.ts';
import { createWorld, direct } from '../local/index.ts';

/** The example that README and the demo run names things by ids that AWS gives: they are those of the shop, whatever the seed. */
test.each(['1', 'another'])('stillpoint.yaml names what the shop is made of (seed %s)', async (seed) => {
  const world = await createWorld({ seed });
  const shop = await world.clock.settle(installShop(world, direct(world), { small: true, cluster: false }));
  const { applications, vaults } = await readConfiguration(SAMPLE, { file: 'stillpoint.yaml' });
  const named = Object.keys(applications['shop']!.slow);
  expect(named.length).toBeGreaterThan(0);
  expect(shop.resources).toEqual(expect.arrayContaining(named));
  for (const { target, place } of Object.values(vaults)) expect(target.subnets).toEqual(shop.subnetsAt(place));
});
