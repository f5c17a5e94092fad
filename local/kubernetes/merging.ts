import { at, type Json, objectOf, textAt, write } from './json.ts';
import { type ResourceType, typeKey } from './types.ts';

/**
 * How a list or an object is merged with another (Kubernetes, "Server-Side Apply", "Merge strategy"): whole, item by item by its keys, or
 * as a set of values. Objects are merged member by member unless they are atomic.
 */
export type Merging = 'atomic' | 'set' | 'granular' | { readonly keys: readonly string[] };

/** From the Go types' markers (`+listType=map`, `+listMapKey`), by the names that lead to a list: the last ones are enough to know it. */
const LISTS: Readonly<Record<string, 'set' | readonly string[]>> = {
  'metadata/finalizers': 'set',
  'metadata/ownerReferences': ['uid'],
  'status/conditions': ['type'],
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  'containers/ports': ['containerPort', 'protocol'],
  'initContainers/ports': ['containerPort', 'protocol'],
  'containers/env': ['name'],
  'initContainers/env': ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  'spec/volumes': ['name'],
  'spec/hostAliases': ['ip'],
  imagePullSecrets: ['name'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  'services:spec/ports': ['port', 'protocol'],
  'serviceaccounts:secrets': ['name'],
  webhooks: ['name'],
};

/** `+structType=atomic` and `+mapType=atomic`. */
const ATOMIC_OBJECTS = new Set([
  'selector',
  'podSelector',
  'namespaceSelector',
  'labelSelector',
  'nodeSelector',
  'nodeSelectorTerms',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'claimRef',
  'roleRef',
  'targetRef',
]);

export function mergingAt(type: ResourceType, names: readonly string[]): Merging {
  if (type.custom && names[0] !== 'metadata') return customAt(type.custom.schema, names);
  const last = names.at(-1) ?? '';
  const found = LISTS[`${typeKey(type)}:${names.join('/')}`] ?? LISTS[names.slice(-2).join('/')] ?? LISTS[last];
  if (found) return found === 'set' ? 'set' : { keys: found as readonly string[] };
  return ATOMIC_OBJECTS.has(last) ? 'atomic' : 'granular';
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
}

/** Lists of custom types are atomic unless their schema says otherwise (Kubernetes, "Server-Side Apply"). */
function customAt(root: unknown, names: readonly string[]): Merging {
  const schema = names.reduce<Schema | undefined>(
    (schema, name) => {
      const inner = schema?.items ?? schema;
      return inner?.properties?.[name] ?? inner?.additionalProperties;
    },
    root as Schema | undefined,
  );
  const list = schema?.['x-kubernetes-list-type'];
  if (list === 'map') return { keys: schema?.['x-kubernetes-list-map-keys'] ?? [] };
  if (list === 'set') return 'set';
  return schema?.['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular';
}

/** Keys that a type's defaults fill in when a client leaves them out. */
const DEFAULT_KEYS: Readonly<Record<string, Json>> = { protocol: 'TCP' };

/** What tells an item from the others of its list, as `fieldsV1` writes it: `{"name":"web"}`. */
export const itemKey = (item: Json, keys: readonly string[]): string =>
  write(objectOf(Object.fromEntries([...keys].sort().map((key) => [key, at(item, key) ?? DEFAULT_KEYS[key] ?? null]))));

/** The key by which a strategic merge patch finds an item: the first of them (Go types' `patchMergeKey`). */
export const patchKeyAt = (type: ResourceType, names: readonly string[]): string | 'set' | undefined => {
  const merging = mergingAt(type, names);
  return typeof merging === 'object' ? merging.keys[0] : merging === 'set' ? 'set' : undefined;
};

export const keyText = (item: Json, key: string): string => textAt(item, key) ?? write(at(item, key) ?? null);
