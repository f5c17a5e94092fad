import { createHash } from 'node:crypto';
import type { Clock } from '../../functions/aws/clock.ts';
import { type Cluster, ClusterRefusal } from './cluster.ts';
import type { Frozen } from './database.ts';

/**
 * What a freeze leaves where others see it, so that no process of the shop writes: a mark on the volume, an item in the table, a row in
 * the database, a word in a ConfigMap. Whatever is captured while they stand wakes up frozen, so each can be undone in a copy as well.
 */
export interface Trace {
  readonly where: string;
  leave(frozen: Frozen): Promise<void>;
  undo(): Promise<void>;
  /** Whether it stands. */
  stands(): Promise<boolean>;
}

const CONFIG_MAP = 'shop-maintenance';
const path = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps/${CONFIG_MAP}`;

/** The word in the ConfigMap that every pod of the shop reads. */
export const maintenanceWord = (cluster: Cluster, namespace: string): Trace => ({
  where: `the ConfigMap ${namespace}/${CONFIG_MAP} in ${cluster.name}`,
  leave: async ({ cut }) => {
    await cluster.merge(path(namespace), { data: { mode: 'frozen', cut } });
  },
  undo: async () => {
    await cluster.merge(path(namespace), { data: { mode: 'open', cut: null } });
  },
  stands: async () => {
    const found = await cluster.request('GET', path(namespace)).catch(absent);
    return found?.data?.mode === 'frozen';
  },
});

/** Every namespace of a cluster in which the shop stands frozen by this cut, under whatever name it was restored. */
export async function frozenNamespaces(cluster: Cluster, cut: string): Promise<string[]> {
  const { items = [] } = (await cluster.request('GET', `/api/v1/configmaps?fieldSelector=metadata.name%3D${CONFIG_MAP}`)) as {
    items?: { metadata: { namespace: string; name: string }; data?: Record<string, string> }[];
  };
  return items
    .filter(({ metadata, data }) => metadata.name === CONFIG_MAP && data?.['mode'] === 'frozen' && data['cut'] === cut)
    .map(({ metadata }) => metadata.namespace);
}

/** Where the definitions of the shop stand: the same text while nobody deploys. Status that controllers write does not count. */
export async function definitionsPosition(cluster: Cluster, namespace: string): Promise<string> {
  const lists = await Promise.all(
    [
      `/api/v1/namespaces/${namespace}/configmaps`,
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
      `/apis/apps/v1/namespaces/${namespace}/statefulsets`,
    ].map((list) => cluster.request('GET', list) as Promise<{ items: Versioned[] }>),
  );
  const versions = lists.flatMap(({ items }) =>
    items.map(({ metadata: { uid, generation, resourceVersion } }) => `${uid} ${generation ?? resourceVersion}`),
  );
  return createHash('sha256').update(versions.toSorted().join('\n')).digest('hex').slice(0, 16);
}

interface Versioned {
  readonly metadata: { readonly uid: string; readonly generation?: number; readonly resourceVersion: string };
}

const HOUR = 3_600_000;
/** Says when to give up trying: a region may be away for a while, and a trace must not stay behind. */
export const withinAnHour = (clock: Clock): (() => boolean) => {
  const until = clock.now() + HOUR;
  return () => clock.now() > until;
};

function absent(error: unknown): undefined {
  if (error instanceof ClusterRefusal && error.status === 404) return undefined;
  throw error;
}
