import type { Cluster } from '../../../kubernetes/client.ts';
import {
  type Captured,
  type KubernetesObject,
  PODS,
  pathOf,
  read,
  type TypeName,
  titleOf,
  typeKey,
} from '../../../kubernetes/object.ts';
import { inParallel } from '../../items.ts';

/** Something that has come up when it is as ready as it was at the cut. */
export interface Expected {
  readonly type: TypeName & { readonly kind: string };
  readonly namespace: string;
  readonly name: string;
  /** How many of its Pods must be ready; 1 for a claim, which must be Bound. */
  readonly wanted: number;
}

/**
 * What must come up, of what was captured. What was not up at the cut is not waited for: it would not come up now either, and a restore
 * brings back what was.
 */
export function expectedOf({ type, name, raw }: Captured, namespace: string): Expected | undefined {
  const wanted = READY[typeKey(type)]?.(read(raw)).was ?? 0;
  const { verbs: _, ...named } = type;
  return wanted > 0 ? { type: named, namespace, name, wanted } : undefined;
}

interface Standing {
  /** How many were ready when it was captured, and are now. */
  readonly was: number;
  /** Whether its controller has seen its latest specification, so that its status tells of it. */
  readonly seen: boolean;
}

const replicas = (spec: KubernetesObject, ready: number | undefined): number => Math.min(spec['replicas'] ?? 1, ready ?? 0);
const isSeen = ({ metadata, status }: KubernetesObject): boolean =>
  (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
const isTrue = ({ status }: KubernetesObject, condition: string): boolean =>
  ((status?.conditions ?? []) as readonly { type: string; status: string }[]).some(
    ({ type, status: is }) => type === condition && is === 'True',
  );

const READY: Readonly<Record<string, (object: KubernetesObject) => Standing>> = {
  'apps/deployments': (it) => ({ was: replicas(it['spec'], it['status']?.availableReplicas), seen: isSeen(it) }),
  'apps/statefulsets': (it) => ({ was: replicas(it['spec'], it['status']?.readyReplicas), seen: isSeen(it) }),
  'apps/replicasets': (it) => ({ was: replicas(it['spec'], it['status']?.readyReplicas), seen: isSeen(it) }),
  'apps/daemonsets': (it) => ({ was: Math.min(1, it['status']?.numberReady ?? 0), seen: isSeen(it) }),
  pods: (it) => ({ was: isTrue(it, 'Ready') ? 1 : 0, seen: true }),
  persistentvolumeclaims: (it) => ({ was: it['status']?.phase === 'Bound' ? 1 : 0, seen: true }),
};

/** How things stand: what has not come up, and what never will. */
export interface Standstill {
  readonly behind: readonly string[];
  readonly lost: readonly string[];
}

/** Asks after each; what is behind says how far, and why if its Pods tell. */
export async function standing(cluster: Cluster, expected: readonly Expected[]): Promise<Standstill> {
  const found = await inParallel(expected, 16, async (one) => {
    const reply = await cluster.find(pathOf(one.type, one.namespace, one.name));
    return { one, object: reply && read(reply.text) };
  });
  const behind = found.filter(({ one, object }) => !object || !isUp(one, object));
  const lost = behind.filter(({ object }) => object?.['status']?.phase === 'Lost').map(({ one }) => titleOf(one));
  const reasons = behind.length > 0 ? await reasonsOf(cluster, [...new Set(behind.map(({ one }) => one.namespace))]) : [];
  return {
    lost,
    behind: behind.map(({ one, object }) => {
      const why = reasons.find(({ pod }) => pod.startsWith(`${one.namespace}/${one.name}`))?.why;
      return `${titleOf(one)} (${object ? howFar(one, object) : 'not there'}${why === undefined ? '' : `: ${why}`})`;
    }),
  };
}

function isUp({ type, wanted }: Expected, object: KubernetesObject): boolean {
  const { was, seen } = READY[typeKey(type)]!(object);
  return seen && was >= wanted;
}

const howFar = ({ type, wanted }: Expected, object: KubernetesObject): string =>
  typeKey(type) === 'persistentvolumeclaims'
    ? (object['status']?.phase ?? 'Pending')
    : `${READY[typeKey(type)]!(object).was} of ${wanted} ready`;

interface Reason {
  readonly pod: string;
  readonly why: string;
}

/** Why Pods are not ready, in the words of their containers and conditions. */
async function reasonsOf(cluster: Cluster, namespaces: readonly string[]): Promise<Reason[]> {
  const lists = await inParallel(namespaces, 4, (namespace) => cluster.get(`${pathOf(PODS, namespace)}?limit=500`));
  const pods = lists.flatMap(({ text }) => (read(text)['items'] ?? []) as readonly KubernetesObject[]);
  return pods.flatMap(({ metadata, status }): Reason[] => {
    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const waiting = statuses.map(({ state }) => state?.waiting).find((one) => one?.reason !== undefined);
    const unmet = (status?.conditions ?? []).find(
      ({ status: is, message }: { status: string; message?: string }) => is === 'False' && message,
    );
    const why = [waiting?.reason, waiting?.message ?? unmet?.message].filter(Boolean).join(': ');
    return why === '' ? [] : [{ pod: `${metadata?.namespace}/${metadata?.name}`, why }];
  });
}
