import { expect, test } from 'vitest';
import { idsOf } from '../demo/shop/resources.ts';
import type { Place } from '../functions/domain.ts';
import { readRestore } from '../functions/vault/restores.ts';
import { HOME, type Stage, stage, WEST } from './world.ts';

const TYPES = [
  'api/v1/namespaces/NAMESPACE/configmaps',
  'api/v1/namespaces/NAMESPACE/secrets',
  'api/v1/namespaces/NAMESPACE/persistentvolumeclaims',
  'apis/apps/v1/namespaces/NAMESPACE/deployments',
  'apis/apps/v1/namespaces/NAMESPACE/statefulsets',
  'api/v1/persistentvolumes',
];

/** Everything of the shop in a cluster at a place, by title; Secrets as what they stand for. */
async function objectsAt({ shop, world }: Stage, place: Place, namespace: string): Promise<Map<string, string>> {
  const cluster = shop.clusterAt(place)!;
  const lists = await Promise.all(
    TYPES.map((type) => world.clock.settle(cluster.request('GET', `/${type.replace('NAMESPACE', namespace)}`))),
  );
  return new Map(
    lists.flatMap(({ kind, items }) =>
      (items as Found[])
        .filter(({ spec }) => !spec?.claimRef || spec.claimRef.namespace === namespace)
        .filter(({ type }) => !type?.startsWith('helm.sh/')) // a record of what once was deployed
        .map((item) => {
          const secrets = kind === 'SecretList' ? Object.values(item.data ?? {}).map((one) => atob(one)) : [];
          const plain = kind === 'SecretList' ? { ...item, data: secrets } : item;
          return [`${kind} ${item.metadata.name}`, JSON.stringify({ ...plain, metadata: { name: item.metadata.name } })] as const;
        }),
    ),
  );
}

interface Found {
  readonly metadata: { readonly name: string };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly claimRef?: { readonly namespace: string } };
}

test.each([
  ['at home', HOME],
  ['in a vault, home dark', WEST],
])('what is restored %s names and mounts what was restored beside it, and nothing of the original', async (_, place) => {
  const stand = await stage({ seed: `rewired/${place.region}`, shop: { cluster: true, small: false } });
  await stand.settle(stand.startProtect().ended);
  const [point] = await stand.replicated(WEST);
  expect(point!.notes.filter((note) => /claim/.test(note))).toEqual([]);
  if (place !== HOME) stand.world.dark.add(HOME.region);
  const { report } = await stand.restore(place, 'r1');
  expect(report?.problems).toEqual([]);
  const { plan } = await stand.open(readRestore, place)({ application: 'shop', restore: 'r1' });
  const namespace = plan.namespaces['shop'] ?? 'shop';
  const objects = await objectsAt(stand, place, namespace);
  for (const { word, name } of idsOf(stand.shop.names)) {
    const { is } = report!.renames.find(({ was }) => was === name)!;
    const whole = (text: string) => new RegExp(`(?<![\\w-])${text}(?![\\w-])`);
    const holding = (text: string) => [...objects].filter(([, object]) => whole(text).test(object)).map(([title]) => title);
    expect([word, holding(name)]).toEqual([word, []]);
    expect([word, holding(is).length > 0]).toEqual([word, true]);
  }
  const hosts = report!.renames.filter(({ what }) => what === 'database endpoint');
  expect(hosts.length).toBeGreaterThan(0);
  for (const { is } of hosts) expect([...objects.values()].filter((object) => object.includes(is)).length).toBeGreaterThan(1);
  const claims = [...objects].filter(([title]) => title.startsWith('PersistentVolumeClaimList'));
  expect(claims.map(([title, claim]) => [title, JSON.parse(claim).status.phase])).toEqual([
    ['PersistentVolumeClaimList data-ledger-0', 'Bound'],
    ['PersistentVolumeClaimList uploads', 'Bound'],
  ]);
  expect(plan.previews.flatMap(({ binds }) => binds).filter((bind) => bind.startsWith('shop/'))).toHaveLength(claims.length);
});
