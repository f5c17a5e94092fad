import type { Random } from '../../local/world/random.ts';
import type { Cluster } from './cluster.ts';
import type { Site } from './door.ts';
import type { Names } from './resources.ts';
import { SORTS, STORES } from './stores.ts';
import { eatUploads } from './uploads.ts';

/** The incident: a bad deployment eats something of every store. Answers what it did, in sentences. */
export async function eatData(site: Site, names: Names, random: Random, cluster?: Cluster): Promise<string[]> {
  if (cluster) await deployBadly(cluster);
  const eaten = await Promise.all(STORES.map((store) => SORTS[store].eat(site, names[SORTS[store].word], random)));
  return [
    ...(cluster ? ['A deployment with version 2026.11.4 went out.'] : []),
    ...eaten,
    ...(names.uploads ? [eatUploads(site, names.uploads)] : []),
  ];
}

/** The version that eats data, as its release changed the settings and the checkout. */
async function deployBadly(cluster: Cluster): Promise<void> {
  await cluster.merge('/api/v1/namespaces/shop/configmaps/shop-settings', {
    data: { version: '2026.11.4', cleanup: 'aggressive' },
  });
}
