import { type ApiType, type OwnerReference, typeKey } from './object.ts';

/**
 * The order in which objects are made: what others need first, what wakes or guards others last. Claims stand before
 * StatefulSets, which would else make empty ones; webhooks stand last, for one whose backend is not there refuses everything.
 */
const ORDER: readonly { readonly name: string; readonly types: readonly string[] }[] = [
  { name: 'definitions', types: ['apiextensions.k8s.io/customresourcedefinitions'] },
  { name: 'namespaces', types: ['namespaces'] },
  {
    name: 'classes',
    types: [
      'scheduling.k8s.io/priorityclasses',
      'node.k8s.io/runtimeclasses',
      'storage.k8s.io/storageclasses',
      'storage.k8s.io/volumeattributesclasses',
      'snapshot.storage.k8s.io/volumesnapshotclasses',
      'networking.k8s.io/ingressclasses',
    ],
  },
  { name: 'limits', types: ['resourcequotas', 'limitranges'] },
  {
    name: 'roles',
    types: ['rbac.authorization.k8s.io/clusterroles', 'rbac.authorization.k8s.io/roles', 'serviceaccounts'],
  },
  { name: 'bindings', types: ['rbac.authorization.k8s.io/clusterrolebindings', 'rbac.authorization.k8s.io/rolebindings'] },
  { name: 'configuration', types: ['secrets', 'configmaps'] },
  { name: 'volumes', types: ['persistentvolumes'] },
  { name: 'claims', types: ['persistentvolumeclaims'] },
  { name: 'services', types: ['services', 'endpoints', 'discovery.k8s.io/endpointslices'] },
  { name: 'network policies', types: ['networking.k8s.io/networkpolicies'] },
  { name: 'custom resources', types: [] },
  {
    name: 'workloads',
    types: ['apps/statefulsets', 'apps/deployments', 'apps/daemonsets', 'apps/replicasets', 'replicationcontrollers', 'pods'],
  },
  { name: 'jobs', types: ['batch/cronjobs', 'batch/jobs'] },
  { name: 'scaling', types: ['autoscaling/horizontalpodautoscalers', 'policy/poddisruptionbudgets'] },
  {
    name: 'entry points',
    types: [
      'networking.k8s.io/ingresses',
      'gateway.networking.k8s.io/gateways',
      'gateway.networking.k8s.io/httproutes',
      'elbv2.k8s.aws/targetgroupbindings',
    ],
  },
  {
    name: 'webhooks',
    types: [
      'admissionregistration.k8s.io/validatingwebhookconfigurations',
      'admissionregistration.k8s.io/mutatingwebhookconfigurations',
      'admissionregistration.k8s.io/validatingadmissionpolicies',
      'admissionregistration.k8s.io/validatingadmissionpolicybindings',
    ],
  },
];

const PLACES = new Map(ORDER.flatMap(({ types }, place) => types.map((type) => [type, place] as const)));
/** What is not named comes with the custom resources: their operators' definitions are there, and their own workloads follow. */
const OTHERS = ORDER.findIndex(({ types }) => types.length === 0);

/** What is known of an object when its wave is chosen. */
export interface Waiting {
  readonly type: ApiType;
  readonly name: string;
  readonly uid?: string;
  readonly owners: readonly Pick<OwnerReference, 'uid'>[];
}

export interface Wave<T> {
  readonly name: string;
  readonly objects: readonly T[];
}

/**
 * Sorts objects into waves; all of one wave may be made at once. An owner always stands in an earlier wave than what it owns, whatever
 * their types, for the owner's new uid must be known by then. Owners that are not among the objects do not count.
 */
export function waves<T extends Waiting>(objects: readonly T[]): Wave<T>[] {
  const byUid = new Map(objects.flatMap((object) => (object.uid === undefined ? [] : [[object.uid, object] as const])));
  const ranks = new Map<T, Rank>();
  const rankOf = (object: T, below: ReadonlySet<T>): Rank => {
    const known = ranks.get(object);
    if (known) return known;
    const own: Rank = { place: PLACES.get(typeKey(object.type)) ?? OTHERS, depth: 0 };
    const inside = new Set([...below, object]);
    const rank = object.owners
      .map(({ uid }) => byUid.get(uid))
      .filter((owner): owner is T => owner !== undefined && !inside.has(owner))
      .map((owner) => rankOf(owner, inside))
      .reduce((latest, { place, depth }) => later(latest, { place, depth: depth + 1 }), own);
    ranks.set(object, rank);
    return rank;
  };
  const grouped = Map.groupBy(objects, (object) => {
    const { place, depth } = rankOf(object, new Set());
    return place * 1000 + depth;
  });
  return [...grouped]
    .sort(([a], [b]) => a - b)
    .map(([rank, members]) => ({ name: ORDER[Math.floor(rank / 1000)]!.name, objects: members }));
}

interface Rank {
  readonly place: number;
  readonly depth: number;
}

const later = (a: Rank, b: Rank): Rank => (b.place > a.place || (b.place === a.place && b.depth > a.depth) ? b : a);
