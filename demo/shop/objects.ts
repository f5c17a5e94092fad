import type { Cluster } from './cluster.ts';

/** The types of which the shop's namespace consists, but for what controllers make of them. */
const TYPES = [
  'api/v1/configmaps',
  'api/v1/secrets',
  'api/v1/services',
  'api/v1/serviceaccounts',
  'api/v1/persistentvolumeclaims',
  'apis/apps/v1/deployments',
  'apis/apps/v1/statefulsets',
  'apis/autoscaling/v2/horizontalpodautoscalers',
  'apis/policy/v1/poddisruptionbudgets',
];

/** `deployments/web`, …: every object of a namespace by type and name, sorted. */
export async function namesOfObjects(cluster: Cluster, namespace: string): Promise<string[]> {
  const lists = await Promise.all(
    TYPES.map(async (type) => {
      const [group, plural] = [type.slice(0, type.lastIndexOf('/')), type.slice(type.lastIndexOf('/') + 1)];
      const { items } = (await cluster.request('GET', `/${group}/namespaces/${namespace}/${plural}`)) as {
        items: { metadata: { name: string } }[];
      };
      return items.map(({ metadata: { name } }) => `${plural}/${name}`);
    }),
  );
  return lists.flat().sort();
}
