import { type ApiType, type Captured, type KubernetesObject, read, typeKey } from './object.ts';

/**
 * What is not captured and what is captured but not restored, a superset of what Velero and AWS Backup for EKS leave out: what a cluster
 * makes by itself, what is true of one moment only, and what belongs to another tool.
 */
const NEVER_CAPTURED = new Set([
  'bindings',
  'componentstatuses',
  'events',
  'events.k8s.io/events',
  'nodes',
  'apiregistration.k8s.io/apiservices',
  'certificates.k8s.io/certificatesigningrequests',
  'coordination.k8s.io/leases',
  'coordination.k8s.io/leasecandidates',
  'eks.amazonaws.com/nodediagnostics',
  'internal.apiserver.k8s.io/storageversions',
  'karpenter.sh/nodeclaims',
  'networking.k8s.aws/policyendpoints',
  'networking.k8s.io/ipaddresses',
  'networking.k8s.io/servicecidrs',
  'resource.k8s.io/resourceslices',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/csistoragecapacities',
  'storage.k8s.io/volumeattachments',
  'storagemigration.k8s.io/storageversionmigrations',
  'vpcresources.k8s.aws/cninodes',
  'wgpolicyk8s.io/policyreports',
]);
const NEVER_CAPTURED_GROUPS = new Set([
  'authentication.k8s.io',
  'authorization.k8s.io',
  'cilium.io',
  'crd.projectcalico.org',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
  'metrics.eks.amazonaws.com',
  'metrics.k8s.io',
  'velero.io',
]);
/** Cilium's and Calico's own types that people write. */
const CAPTURED_NONETHELESS = new Set([
  'cilium.io/ciliumnetworkpolicies',
  'cilium.io/ciliumclusterwidenetworkpolicies',
  'crd.projectcalico.org/networkpolicies',
]);

/** Whether objects of a type are captured: they can be listed, read and made again, and somebody wrote them. */
export function isCaptured(type: ApiType): boolean {
  const key = typeKey(type);
  const able = ['list', 'get', 'create'].every((verb) => type.verbs.includes(verb));
  return able && !NEVER_CAPTURED.has(key) && (!NEVER_CAPTURED_GROUPS.has(type.group) || CAPTURED_NONETHELESS.has(key));
}

interface Rule {
  readonly why: string;
  /** The types that it is about; all where absent. */
  readonly types?: readonly string[];
  holds(object: KubernetesObject, name: string): boolean;
}

const controllerOf = ({ metadata }: KubernetesObject) => metadata?.ownerReferences?.find(({ controller }) => controller);
const label = (object: KubernetesObject, key: string): string | undefined => object.metadata?.labels?.[key];
const annotation = (object: KubernetesObject, key: string): string | undefined => object.metadata?.annotations?.[key];
const isFinished = ({ status }: KubernetesObject): boolean =>
  status?.completionTime !== undefined ||
  (status?.conditions ?? []).some(
    ({ type, status: is }: { type: string; status: string }) => is === 'True' && ['Complete', 'Failed'].includes(type),
  );

const LEFT_OUT: readonly Rule[] = [
  { why: 'it was being deleted', holds: ({ metadata }) => metadata?.deletionTimestamp !== undefined },
  {
    why: 'it mirrors a file of its node',
    types: ['pods'],
    holds: (pod) => annotation(pod, 'kubernetes.io/config.mirror') !== undefined,
  },
  {
    why: 'it had ended',
    types: ['pods'],
    holds: (pod) => !controllerOf(pod) && ['Succeeded', 'Failed'].includes(pod['status']?.phase),
  },
  { why: 'it had ended', types: ['batch/jobs'], holds: isFinished },
  {
    why: 'its controller makes it again',
    types: ['pods', 'apps/replicasets', 'apps/controllerrevisions', 'batch/jobs', 'cert-manager.io/certificaterequests'],
    holds: (object) => controllerOf(object) !== undefined,
  },
  {
    why: 'its Pod makes it again, and its content was as short-lived as the Pod',
    types: ['persistentvolumeclaims'],
    holds: (claim) => controllerOf(claim)?.kind === 'Pod',
  },
  {
    why: 'the cluster makes it again from its Service',
    types: ['discovery.k8s.io/endpointslices'],
    holds: (slice) => label(slice, 'endpointslice.kubernetes.io/managed-by') !== undefined,
  },
  {
    why: 'the cluster makes it in every namespace',
    types: ['configmaps'],
    holds: (_, name) => ['kube-root-ca.crt', 'openshift-service-ca.crt'].includes(name),
  },
  {
    why: 'a cluster makes tokens for its own ServiceAccounts',
    types: ['secrets'],
    holds: (secret, name) =>
      secret['type'] === 'kubernetes.io/service-account-token' &&
      name.startsWith(`${annotation(secret, 'kubernetes.io/service-account.name')}-token-`),
  },
  {
    why: 'every cluster has it',
    types: [
      'rbac.authorization.k8s.io/clusterroles',
      'rbac.authorization.k8s.io/clusterrolebindings',
      'rbac.authorization.k8s.io/roles',
      'rbac.authorization.k8s.io/rolebindings',
    ],
    holds: (role, name) => label(role, 'kubernetes.io/bootstrapping') === 'rbac-defaults' || /^(system|eks):/.test(name),
  },
  { why: 'every cluster has it', types: ['scheduling.k8s.io/priorityclasses'], holds: (_, name) => name.startsWith('system-') },
  {
    why: 'the load balancer controller makes it again',
    types: ['elbv2.k8s.aws/targetgroupbindings'],
    holds: (binding) =>
      Object.keys(binding.metadata?.labels ?? {}).some((key) => /^(ingress|service|gateway)\.k8s\.aws\/stack/.test(key)),
  },
  {
    why: 'cert-manager makes it again',
    types: ['acme.cert-manager.io/orders', 'acme.cert-manager.io/challenges'],
    holds: () => true,
  },
  {
    why: 'it belongs to an EKS add-on, which the cluster installs',
    holds: (object) => label(object, 'eks.amazonaws.com/component') !== undefined,
  },
  {
    why: 'it names a snapshot of the storage system, which stays where it is',
    types: ['snapshot.storage.k8s.io/volumesnapshots', 'snapshot.storage.k8s.io/volumesnapshotcontents'],
    holds: () => true,
  },
];

/** Why an object is not restored; undefined for one that is. */
export function leftOut({ type, name, raw }: Captured): string | undefined {
  const key = typeKey(type);
  const rules = LEFT_OUT.filter(({ types }) => types === undefined || types.includes(key));
  const object = read(raw);
  return rules.find((rule) => rule.holds(object, name))?.why;
}

/** Endpoints that no selector fills are somebody's own; the others come again with their Service. */
export const endpointsOfServices = (services: readonly KubernetesObject[]): ReadonlySet<string> =>
  new Set(
    services.filter(({ spec }) => Object.keys(spec?.selector ?? {}).length > 0).map(({ metadata }) => metadata?.name ?? ''),
  );
