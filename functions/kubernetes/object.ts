/** One type of object that an API server offers, in one version. */
export interface ApiType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** The plural that paths name: `deployments`. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

/** What it takes to name an object's type in a path. */
export type TypeName = Pick<ApiType, 'group' | 'version' | 'resource' | 'namespaced'>;

/** An object as a server sent it. */
export interface Captured {
  readonly type: ApiType;
  /** Absent for objects of the cluster. */
  readonly namespace?: string;
  readonly name: string;
  /** The very text. Within a list of a built-in type it has neither `apiVersion` nor `kind`. */
  readonly raw: string;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** The parts of any object that we read. What is written is edited in the text, never made from this. */
export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly finalizers?: readonly string[];
  };
  readonly [field: string]: any;
}

export const read = (raw: string): KubernetesObject => JSON.parse(raw) as KubernetesObject;

/** `apps/deployments`, `configmaps`: how lists of types name one, whatever its version. */
export const typeKey = ({ group, resource }: Pick<ApiType, 'group' | 'resource'>): string =>
  group === '' ? resource : `${group}/${resource}`;

export const apiVersionOf = ({ group, version }: Pick<ApiType, 'group' | 'version'>): string =>
  group === '' ? version : `${group}/${version}`;

/** `/apis/apps/v1/namespaces/shop/deployments/web`; without a namespace all of them, without a name the whole list (API concepts, "Resource URIs"). */
export function pathOf(type: TypeName, namespace?: string, name?: string): string {
  const root = type.group === '' ? `/api/${type.version}` : `/apis/${type.group}/${type.version}`;
  const within = type.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
  return `${root}${within}/${type.resource}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** `Deployment shop/web`, for people. */
export const titleOf = ({ type, namespace, name }: { type: Pick<ApiType, 'kind'>; namespace?: string; name: string }): string =>
  `${type.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** `shop/web`, within one type. */
export const within = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** Types of the core that are asked for by name. */
export const NAMESPACES: ApiType = type('', 'v1', 'namespaces', 'Namespace', false);
export const PODS: ApiType = type('', 'v1', 'pods', 'Pod', true);
export const CLAIMS: ApiType = type('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', true);
export const VOLUMES: ApiType = type('', 'v1', 'persistentvolumes', 'PersistentVolume', false);

function type(group: string, version: string, resource: string, kind: string, namespaced: boolean): ApiType {
  return { group, version, resource, kind, namespaced, verbs: ['create', 'get', 'list'] };
}
