import { suffix } from '../admission.ts';
import type { Cluster } from '../cluster.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, isLeaving, keyIn, look, make, own, ownedBy, owner } from './controller.ts';
import { isFinished, isReady, PODS } from './templates.ts';

const SERVICES = builtIn('services');
const ENDPOINTS = builtIn('endpoints');
const SLICES = builtIn('discovery.k8s.io/endpointslices');

type Labels = Readonly<Record<string, string>>;

/** Writes which Pods stand behind a Service that has a selector (Kubernetes, "Service", "EndpointSlices"). */
export const services = (): Controller => ({
  name: 'services',
  *concerns(cluster, change) {
    yield* own(SERVICES)(change);
    if (change.type !== PODS) return;
    const { namespace } = (change.after ?? change.before)!.view.metadata;
    const labels = [change.before, change.after].map((pod) => (pod?.view.metadata.labels ?? {}) as Labels);
    for (const service of cluster.all(SERVICES, namespace)) if (labels.some((of) => isBehind(service, of))) yield keyIn(service);
  },
  reconcile(cluster, key) {
    const service = look(cluster, SERVICES, key);
    const endpoints = look(cluster, ENDPOINTS, key);
    if (!service) {
      if (endpoints?.view.metadata.labels?.[MANAGED]) remove(cluster, ENDPOINTS, endpoints);
      return;
    }
    if (isLeaving(service) || Object.keys(service.view.spec.selector ?? {}).length === 0) return;
    const pods = cluster
      .all(PODS, service.view.metadata.namespace)
      .filter(
        (pod) =>
          isBehind(service, pod.view.metadata.labels ?? {}) && pod.view.status?.podIP && !isFinished(pod) && !isLeaving(pod),
      );
    writeEndpoints(cluster, service, endpoints, pods);
    writeSlice(cluster, service, pods);
  },
});

const MANAGED = 'endpoints.kubernetes.io/managed-by';

function isBehind({ view }: Stored, labels: Labels): boolean {
  const selector = Object.entries((view.spec.selector ?? {}) as Labels);
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

interface Port {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly targetPort?: number | string;
}

const portsOf = (service: Stored, [pod]: readonly Stored[]): object[] =>
  (service.view.spec.ports ?? []).map(({ name, port, protocol, targetPort }: Port) => ({
    ...(name === undefined ? {} : { name }),
    port: typeof targetPort === 'string' ? containerPort(pod, targetPort) : (targetPort ?? port),
    protocol: protocol ?? 'TCP',
  }));

const containerPort = (pod: Stored | undefined, wanted: string): number | undefined =>
  (pod?.view.spec.containers ?? []).flatMap((one: any) => one.ports ?? []).find(({ name }: { name?: string }) => name === wanted)
    ?.containerPort;

const targetOf = ({ view }: Stored): object => {
  const { namespace, name, uid } = view.metadata;
  return { kind: 'Pod', namespace, name, uid };
};

function writeEndpoints(cluster: Cluster, service: Stored, known: Stored | undefined, pods: readonly Stored[]): void {
  const addresses = (ready: boolean): object[] =>
    pods
      .filter((pod) => isReady(pod) === ready)
      .map((pod) => ({ ip: pod.view.status.podIP, nodeName: pod.view.spec.nodeName, targetRef: targetOf(pod) }));
  const [ready, unready] = [addresses(true), addresses(false)];
  const subset = {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(unready.length > 0 ? { notReadyAddresses: unready } : {}),
    ports: portsOf(service, pods),
  };
  const subsets = pods.length > 0 ? [subset] : undefined;
  const { name, namespace, labels = {} } = service.view.metadata;
  if (known) amend(cluster, ENDPOINTS, known, [[['subsets'], subsets]]);
  else
    make(cluster, ENDPOINTS, { metadata: { name, namespace, labels: { ...labels, [MANAGED]: 'endpoint-controller' } }, subsets });
}

/** One slice, however many Pods: a real one holds a hundred. */
function writeSlice(cluster: Cluster, service: Stored, pods: readonly Stored[]): void {
  const endpoints = pods.map((pod) => ({
    addresses: [pod.view.status.podIP],
    conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
    targetRef: targetOf(pod),
    nodeName: pod.view.spec.nodeName,
  }));
  const content = {
    endpoints: endpoints.length > 0 ? endpoints : null,
    ports: endpoints.length > 0 ? portsOf(service, pods) : null,
  };
  const { name, namespace, uid, labels = {} } = service.view.metadata;
  const [known] = ownedBy(cluster, uid, SLICES);
  if (known) {
    amend(cluster, SLICES, known, [
      [['endpoints'], content.endpoints],
      [['ports'], content.ports],
    ]);
    return;
  }
  make(cluster, SLICES, {
    metadata: {
      name: `${name}-${suffix(cluster)}`,
      generateName: `${name}-`,
      namespace,
      labels: {
        ...labels,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': name,
      },
      ownerReferences: [owner(SERVICES, service)],
    },
    addressType: 'IPv4',
    ...content,
  });
}
