import { Permanent } from '../../../aws/errors.ts';
import type { Cluster } from '../../../kubernetes/client.ts';
import { type Offered, preferred } from '../../../kubernetes/discovery.ts';
import { type Listed, listAt } from '../../../kubernetes/list.ts';
import {
  type ApiType,
  type Captured,
  type KubernetesObject,
  NAMESPACES,
  read,
  typeKey,
  VOLUMES,
} from '../../../kubernetes/object.ts';
import { isCaptured } from '../../../kubernetes/rules.ts';
import { inParallel } from '../../items.ts';

/** A namespace at one revision: its objects, and those of the cluster that it cannot do without. */
export interface Gathered {
  readonly objects: readonly Captured[];
  /** What was not to be had at that revision, or not at all: one sentence each. */
  readonly fallbacks: readonly string[];
  /** Whether anything was read at another moment than the revision's. */
  readonly late: boolean;
}

/** Types at a time: more lists do not make a server faster. */
const WIDTH = 8;

/** Groups that every API server has; whatever else stands in a namespace has its definition among the cluster's. */
const BUILT_IN =
  /^(|apps|batch|autoscaling|policy|extensions|(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|flowcontrol\.apiserver|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io)$/;

/** Permanent where there is no such namespace at that revision. */
export async function gather(cluster: Cluster, offered: Offered, namespace: string, revision: string): Promise<Gathered> {
  const listed: Listed[] = [];
  const list = async (type: ApiType, options: Parameters<typeof listAt>[3]): Promise<readonly Captured[]> => {
    const answer = await listAt(cluster, type, revision, options);
    if (answer) listed.push(answer);
    return answer?.objects ?? [];
  };
  const byKey = new Map(preferred(offered).map((type) => [typeKey(type), type]));
  const named = async (key: string, name: string) => (byKey.has(key) ? list(byKey.get(key)!, { name }) : []);

  const [itself] = await list(NAMESPACES, { name: namespace });
  if (!itself) throw new Permanent(`There is no namespace ${namespace} in cluster ${cluster.name}.`);
  const types = [...byKey.values()].filter((type) => type.namespaced && isCaptured(type));
  const own = (await inParallel(types, WIDTH, (type) => list(type, { namespace }))).flat();
  const parsed = own.map((object) => ({ object, content: read(object.raw) }));

  const definitions = [...new Set(own.map(({ type }) => type))]
    .filter(({ group }) => !BUILT_IN.test(group))
    .map(({ group, resource }): [string, string] => ['apiextensions.k8s.io/customresourcedefinitions', `${resource}.${group}`]);
  const [volumes, bindings] = await Promise.all([list(VOLUMES, {}), byKey.has(BINDINGS) ? list(byKey.get(BINDINGS)!, {}) : []]);
  const bound = volumes.filter(({ raw }) => read(raw)['spec']?.claimRef?.namespace === namespace);
  const granted = bindings.filter(({ raw }) => grantsTo(read(raw), namespace));
  const roles = rolesOf([...granted.map(({ raw }) => read(raw)), ...parsed.map(({ content }) => content)]);
  const needs = [...definitions, ...roles, ...classesOf(parsed.map(({ content }) => content))];
  const needed = await inParallel(needs, WIDTH, ([key, name]) => named(key, name));

  return {
    objects: [itself, ...own, ...bound, ...granted, ...needed.flat()],
    fallbacks: [
      ...listed.flatMap(({ fallback }) =>
        fallback === undefined ? [] : [`${fallback} It was listed as it was a moment later.`],
      ),
      ...offered.stale.map((group) => `${group} was not captured: its own API server does not answer.`),
    ],
    late: listed.some(({ fallback }) => fallback !== undefined),
  };
}

const BINDINGS = 'rbac.authorization.k8s.io/clusterrolebindings';

/** Whether a binding grants to ServiceAccounts of the namespace, one or all (RBAC, "Referring to subjects"). */
const grantsTo = (binding: KubernetesObject, namespace: string): boolean =>
  ((binding['subjects'] ?? []) as readonly { kind?: string; name?: string; namespace?: string }[]).some(
    ({ kind, name = '', namespace: of }) =>
      (kind === 'ServiceAccount' && of === namespace) ||
      (kind === 'Group' && name === `system:serviceaccounts:${namespace}`) ||
      (kind === 'User' && name.startsWith(`system:serviceaccount:${namespace}:`)),
  );

function rolesOf(objects: readonly KubernetesObject[]): [string, string][] {
  const names = objects.flatMap(({ roleRef }) => (roleRef?.kind === 'ClusterRole' ? [roleRef.name as string] : []));
  return [...new Set(names)].map((name) => ['rbac.authorization.k8s.io/clusterroles', name]);
}

const CLASSES: Readonly<Record<string, string>> = {
  storageClassName: 'storage.k8s.io/storageclasses',
  priorityClassName: 'scheduling.k8s.io/priorityclasses',
  runtimeClassName: 'node.k8s.io/runtimeclasses',
  ingressClassName: 'networking.k8s.io/ingressclasses',
};

/** The classes that objects name, wherever they do: in claims, templates of Pods, Ingresses. */
export function classesOf(objects: readonly KubernetesObject[]): [string, string][] {
  const found = new Map<string, [string, string]>();
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    for (const [key, inner] of Object.entries(value)) {
      const type = Object.hasOwn(CLASSES, key) ? CLASSES[key] : undefined;
      if (type !== undefined && typeof inner === 'string' && inner !== '') found.set(`${type}/${inner}`, [type, inner]);
      else walk(inner);
    }
  };
  for (const object of objects) walk(object['spec']);
  return [...found.values()];
}
