import { fileURLToPath } from 'node:url';
import { readConfiguration } from '../functions/configuration/read.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import { direct, type World } from '../local/index.ts';
import { install } from './install.ts';
import { installShop, type Shop } from './shop/shop.ts';

export const SAMPLE = fileURLToPath(new URL('../stillpoint.yaml', import.meta.url));

/** The shop with its writers, and Stillpoint beside it, deployed as `stillpoint.yaml` says. Its functions run where the world is served. */
export async function sample(world: World): Promise<{ shop: Shop; configuration: Configuration }> {
  const configuration = await world.clock.busy(() => readConfiguration(SAMPLE, { file: 'stillpoint.yaml' }));
  const shop = await installShop(world, direct(world), { pace: { clients: 4, rate: 0.25 } });
  await install(world, { configuration });
  return { shop, configuration };
}

/** For `stillpoint local --application`: the shop alone, as it is before anybody protects it. Answers what there is to try. */
export async function installApplication(world: World): Promise<string[]> {
  const shop = await world.clock.settle(installShop(world, direct(world), { pace: { clients: 4, rate: 0.25 } }));
  shop.writers.start();
  return [
    `The sample application "shop" lives in ${shop.place.region}; a standby cluster waits in eu-west-1. Nothing protects it yet.`,
    'From a second terminal, with the exports above: npx cdk bootstrap aws://111122223333/us-east-1 aws://111122223333/eu-west-1',
    'and then: npx cdk deploy --all --require-approval never',
  ];
}

/** For `stillpoint local --sample`: the deployed bundles run in the local Lambda. Answers what there is to try. */
export async function installSample(world: World): Promise<string[]> {
  const { shop } = await world.clock.settle(sample(world));
  shop.writers.start();
  return [
    `The sample application "shop" lives in ${shop.place.region}; a standby cluster waits in eu-west-1. Stillpoint protects it hourly.`,
    'From a second terminal, with the exports above: npx stillpoint status | protect | points | restore --plan',
  ];
}
