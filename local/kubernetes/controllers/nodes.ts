import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, make, own } from './controller.ts';

export const NODES = builtIn('nodes');
const PODS = builtIn('pods');

/** A machine that Pods can run on. */
export interface Machine {
  readonly name: string;
  readonly zone: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export const zoneOf = ({ view }: Stored): string => view.metadata.labels?.['topology.kubernetes.io/zone'] ?? '';

/** Makes a cluster's Nodes those machines: what is new joins, what is gone leaves with its Pods. */
export function join(cluster: Cluster, machines: readonly Machine[]): void {
  const wanted = new Map(machines.map((machine) => [machine.name, machine]));
  for (const node of cluster.all(NODES)) if (!wanted.delete(node.view.metadata.name)) remove(cluster, NODES, node);
  for (const machine of wanted.values()) enlist(cluster, machine);
}

function enlist(cluster: Cluster, { name, zone, labels = {} }: Machine): void {
  const region = cluster.place.region;
  const node = make(cluster, NODES, {
    metadata: {
      name,
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.ebs.csi.aws.com/zone': zone,
        'topology.kubernetes.io/region': region,
        'topology.kubernetes.io/zone': zone,
        ...labels,
      },
    },
    spec: { providerID: `aws:///${zone}/${name}` },
  });
  const conditions = [
    {
      type: 'Ready',
      status: 'True',
      lastTransitionTime: cluster.timestamp(),
      reason: 'KubeletReady',
      message: 'kubelet is posting ready status',
    },
  ];
  amend(cluster, NODES, node, [[['status'], { conditions }]]);
}

/** Pods of a Node that is gone are gone with it (Kubernetes, "Nodes", "Node controller"; at once, where a real one waits five minutes). */
export const nodes = (): Controller => ({
  name: 'nodes',
  concerns: (_, change) => (change.after ? [] : own(NODES)(change)),
  reconcile(cluster, name) {
    if (cluster.find(NODES, undefined, name)) return;
    const stranded = cluster.all(PODS).filter(({ view }) => view.spec?.nodeName === name);
    for (const pod of stranded) remove(cluster, PODS, pod, { graceSeconds: 0 });
  },
});
