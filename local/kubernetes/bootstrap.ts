import { addressAt } from './addresses.ts';
import type { Cluster } from './cluster.ts';
import { objectOf } from './json.ts';
import { apiVersionOf, builtIn } from './types.ts';

const BOOTSTRAPPED = { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' } };
const EVERYTHING = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
const READING = { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] };

/** What a new cluster of EKS has before anybody writes to it, as far as an application meets it. The roles are named as they are, and coarser. */
const furniture = ({ serviceCidr }: Cluster): readonly (readonly [string, object])[] => [
  ...['default', 'kube-node-lease', 'kube-public', 'kube-system'].map(
    (name) =>
      [
        'namespaces',
        {
          metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
          spec: { finalizers: ['kubernetes'] },
          status: { phase: 'Active' },
        },
      ] as const,
  ),
  ['rbac.authorization.k8s.io/clusterroles', { metadata: { name: 'cluster-admin', ...BOOTSTRAPPED }, rules: [EVERYTHING] }],
  ['rbac.authorization.k8s.io/clusterroles', { metadata: { name: 'admin', ...BOOTSTRAPPED }, rules: [EVERYTHING] }],
  ['rbac.authorization.k8s.io/clusterroles', { metadata: { name: 'edit', ...BOOTSTRAPPED }, rules: [EVERYTHING] }],
  ['rbac.authorization.k8s.io/clusterroles', { metadata: { name: 'view', ...BOOTSTRAPPED }, rules: [READING] }],
  [
    'rbac.authorization.k8s.io/clusterrolebindings',
    {
      metadata: { name: 'cluster-admin', ...BOOTSTRAPPED },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:masters' }],
    },
  ],
  ['scheduling.k8s.io/priorityclasses', priorityClass('system-cluster-critical', 2_000_000_000)],
  ['scheduling.k8s.io/priorityclasses', priorityClass('system-node-critical', 2_000_001_000)],
  [
    'storage.k8s.io/csidrivers',
    {
      metadata: { name: 'ebs.csi.aws.com' },
      spec: { attachRequired: true, podInfoOnMount: false, volumeLifecycleModes: ['Persistent'] },
    },
  ],
  // From 1.30 on no class is the default one (EKS guide, "Kubernetes version 1.30").
  [
    'storage.k8s.io/storageclasses',
    {
      metadata: { name: 'gp2' },
      provisioner: 'kubernetes.io/aws-ebs',
      parameters: { fsType: 'ext4', type: 'gp2' },
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    },
  ],
  [
    'services',
    {
      metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: {
        type: 'ClusterIP',
        clusterIP: addressAt(serviceCidr, 1),
        clusterIPs: [addressAt(serviceCidr, 1)],
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 443 }],
        sessionAffinity: 'None',
      },
      status: { loadBalancer: {} },
    },
  ],
];

const priorityClass = (name: string, value: number): object => ({
  metadata: { name, generation: 1 },
  value,
  preemptionPolicy: 'PreemptLowerPriority',
});

/** Furnishes an empty cluster. Controllers that watch already see it as any other write. */
export function bootstrap(cluster: Cluster): void {
  for (const [key, { metadata, ...rest }] of furniture(cluster) as [string, { metadata: object }][]) {
    const type = builtIn(key);
    const whole = { ...metadata, uid: cluster.random.uuid(), creationTimestamp: cluster.timestamp() };
    cluster.put(type, objectOf({ kind: type.kind, apiVersion: apiVersionOf(type), metadata: whole, ...rest }));
  }
}
