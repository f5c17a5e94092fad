import type { Cluster } from '../cluster.ts';
import { type Deletion, remove } from '../deletion.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, isLeaving, make, own } from './controller.ts';

const NAMESPACES = builtIn('namespaces');
const ACCOUNTS = builtIn('serviceaccounts');
const CONFIG_MAPS = builtIn('configmaps');
const ROOT = 'kube-root-ca.crt';
const AT_ONCE: Deletion = { propagation: 'Background' };

/** What every namespace has, and what becomes of one that is deleted: its content goes first (Kubernetes, "Namespaces"). */
export const namespaces = (): Controller => ({
  name: 'namespaces',
  *concerns(_, change) {
    yield* own(NAMESPACES)(change);
    const namespace = change.after ? undefined : change.before?.view.metadata.namespace;
    if (namespace !== undefined) yield namespace;
  },
  reconcile(cluster, name) {
    const found = cluster.find(NAMESPACES, undefined, name);
    if (!found) return;
    if (!isLeaving(found)) furnish(cluster, name);
    else if (empty(cluster, name)) amend(cluster, NAMESPACES, found, [[['spec', 'finalizers'], undefined]]);
  },
});

function furnish(cluster: Cluster, namespace: string): void {
  if (!cluster.find(ACCOUNTS, namespace, 'default')) make(cluster, ACCOUNTS, { metadata: { name: 'default', namespace } });
  if (cluster.find(CONFIG_MAPS, namespace, ROOT)) return;
  const annotations = { 'kubernetes.io/description': 'Contains a CA bundle that can be used to verify the kube-apiserver.' };
  make(cluster, CONFIG_MAPS, { metadata: { name: ROOT, namespace, annotations }, data: { 'ca.crt': cluster.authority } });
}

/** Asks everything to go, and says whether nothing is left. */
function empty(cluster: Cluster, namespace: string): boolean {
  let left = 0;
  for (const type of cluster.types.filter(({ namespaced }) => namespaced)) {
    for (const stored of cluster.all(type, namespace)) {
      if (!isLeaving(stored)) remove(cluster, type, stored, AT_ONCE);
      if (cluster.find(type, namespace, stored.view.metadata.name)) left++;
    }
  }
  return left === 0;
}
