/** A type of object as an API server offers it (Kubernetes API concepts, "Standard API terminology"). */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly verbs: readonly string[];
  /** Whether `metadata.generation` counts the changes of what is wanted. */
  readonly generations: boolean;
  /** Where lists are merged by keys: of custom types, by their schema. */
  readonly custom?: CustomType;
}

export type Subresource = 'status' | 'scale';

export interface CustomType {
  readonly definition: string;
  /** The OpenAPI schema of the version; empty where it has none. */
  readonly schema: unknown;
  /** Whether its versions differ in their name only. */
  readonly converts: boolean;
  readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string };
}

/** What is stored under one name whatever the version: `apps/deployments`, `configmaps`. */
export const typeKey = ({ group, resource }: Pick<ResourceType, 'group' | 'resource'>): string =>
  group ? `${group}/${resource}` : resource;

export const apiVersionOf = ({ group, version }: Pick<ResourceType, 'group' | 'version'>): string =>
  group ? `${group}/${version}` : version;

/** No watch: every answer is whole. */
export const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update'] as const;

interface More {
  readonly short?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly Subresource[];
  /** A strategy that counts generations; types that have none keep what the client sent (kubernetes.md §3.4). */
  readonly counted?: boolean;
  readonly version?: string;
  readonly verbs?: readonly string[];
}

type Row = readonly [resource: string, kind: string, more?: More];

const STATUS = ['status'] as const;
const SCALE = ['scale', 'status'] as const;
const EXTENSIONS = ['api-extensions'] as const;
const ALL = ['all'] as const;

interface Rows {
  readonly namespaced?: readonly Row[];
  readonly cluster?: readonly Row[];
}

/** What a cluster of EKS serves by itself, as far as it is modelled: names as its discovery gives them, groups in its order. */
const GROUPS: Readonly<Record<string, Rows>> = {
  '': {
    namespaced: [
      ['configmaps', 'ConfigMap', { short: ['cm'] }],
      ['endpoints', 'Endpoints', { short: ['ep'] }],
      ['events', 'Event', { short: ['ev'] }],
      ['limitranges', 'LimitRange', { short: ['limits'] }],
      ['persistentvolumeclaims', 'PersistentVolumeClaim', { short: ['pvc'], subresources: STATUS }],
      ['pods', 'Pod', { short: ['po'], categories: ALL, subresources: STATUS, counted: true }],
      ['podtemplates', 'PodTemplate'],
      ['replicationcontrollers', 'ReplicationController', { short: ['rc'], categories: ALL, subresources: SCALE, counted: true }],
      ['resourcequotas', 'ResourceQuota', { short: ['quota'], subresources: STATUS }],
      ['secrets', 'Secret'],
      ['serviceaccounts', 'ServiceAccount', { short: ['sa'] }],
      ['services', 'Service', { short: ['svc'], categories: ALL, subresources: STATUS }],
    ],
    cluster: [
      [
        'namespaces',
        'Namespace',
        { short: ['ns'], subresources: STATUS, verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'] },
      ],
      ['nodes', 'Node', { short: ['no'], subresources: STATUS }],
      ['persistentvolumes', 'PersistentVolume', { short: ['pv'], subresources: STATUS }],
    ],
  },
  'apiregistration.k8s.io': { cluster: [['apiservices', 'APIService', { categories: EXTENSIONS, subresources: STATUS }]] },
  apps: {
    namespaced: [
      ['controllerrevisions', 'ControllerRevision'],
      ['daemonsets', 'DaemonSet', { short: ['ds'], categories: ALL, subresources: STATUS, counted: true }],
      ['deployments', 'Deployment', { short: ['deploy'], categories: ALL, subresources: SCALE, counted: true }],
      ['replicasets', 'ReplicaSet', { short: ['rs'], categories: ALL, subresources: SCALE, counted: true }],
      ['statefulsets', 'StatefulSet', { short: ['sts'], categories: ALL, subresources: SCALE, counted: true }],
    ],
  },
  autoscaling: {
    namespaced: [
      [
        'horizontalpodautoscalers',
        'HorizontalPodAutoscaler',
        { short: ['hpa'], categories: ALL, subresources: STATUS, version: 'v2' },
      ],
    ],
  },
  batch: {
    namespaced: [
      ['cronjobs', 'CronJob', { short: ['cj'], categories: ALL, subresources: STATUS, counted: true }],
      ['jobs', 'Job', { categories: ALL, subresources: STATUS, counted: true }],
    ],
  },
  'networking.k8s.io': {
    namespaced: [
      ['ingresses', 'Ingress', { short: ['ing'], subresources: STATUS, counted: true }],
      ['networkpolicies', 'NetworkPolicy', { short: ['netpol'], counted: true }],
    ],
    cluster: [['ingressclasses', 'IngressClass', { counted: true }]],
  },
  policy: {
    namespaced: [['poddisruptionbudgets', 'PodDisruptionBudget', { short: ['pdb'], subresources: STATUS, counted: true }]],
  },
  'rbac.authorization.k8s.io': {
    namespaced: [
      ['rolebindings', 'RoleBinding'],
      ['roles', 'Role'],
    ],
    cluster: [
      ['clusterrolebindings', 'ClusterRoleBinding'],
      ['clusterroles', 'ClusterRole'],
    ],
  },
  'storage.k8s.io': {
    namespaced: [['csistoragecapacities', 'CSIStorageCapacity']],
    cluster: [
      ['csidrivers', 'CSIDriver'],
      ['csinodes', 'CSINode'],
      ['storageclasses', 'StorageClass', { short: ['sc'] }],
      ['volumeattachments', 'VolumeAttachment', { subresources: STATUS }],
    ],
  },
  'admissionregistration.k8s.io': {
    cluster: [
      ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', { categories: EXTENSIONS, counted: true }],
      [
        'validatingadmissionpolicies',
        'ValidatingAdmissionPolicy',
        { categories: EXTENSIONS, subresources: STATUS, counted: true },
      ],
      ['validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', { categories: EXTENSIONS, counted: true }],
      ['validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', { categories: EXTENSIONS, counted: true }],
    ],
  },
  'apiextensions.k8s.io': {
    cluster: [
      [
        'customresourcedefinitions',
        'CustomResourceDefinition',
        { short: ['crd', 'crds'], categories: EXTENSIONS, subresources: STATUS, counted: true },
      ],
    ],
  },
  'scheduling.k8s.io': { cluster: [['priorityclasses', 'PriorityClass', { short: ['pc'], counted: true }]] },
  'coordination.k8s.io': { namespaced: [['leases', 'Lease']] },
  'node.k8s.io': { cluster: [['runtimeclasses', 'RuntimeClass']] },
  'discovery.k8s.io': { namespaced: [['endpointslices', 'EndpointSlice', { counted: true }]] },
};

function typeIn(group: string, namespaced: boolean, [resource, kind, more = {}]: Row): ResourceType {
  return {
    group,
    version: more.version ?? 'v1',
    resource,
    kind,
    singular: kind.toLowerCase(),
    namespaced,
    shortNames: more.short ?? [],
    categories: more.categories ?? [],
    subresources: more.subresources ?? [],
    verbs: more.verbs ?? VERBS,
    generations: more.counted ?? false,
  };
}

const inGroup = ([group, { namespaced = [], cluster = [] }]: [string, Rows]): ResourceType[] =>
  [...namespaced.map((row) => typeIn(group, true, row)), ...cluster.map((row) => typeIn(group, false, row))].sort((a, b) =>
    a.resource < b.resource ? -1 : 1,
  );

/** The same for every cluster, and made once. */
export const BUILT_IN: readonly ResourceType[] = Object.entries(GROUPS).flatMap(inGroup);

const BY_KEY = new Map(BUILT_IN.map((type) => [typeKey(type), type]));

/** A built-in type by its key; asking for another is a mistake of ours. */
export function builtIn(key: string): ResourceType {
  const type = BY_KEY.get(key);
  if (!type) throw new Error(`No cluster has the type ${key} by itself.`);
  return type;
}
