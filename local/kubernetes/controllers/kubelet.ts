import { addressAt } from '../addresses.ts';
import type { Cluster } from '../cluster.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { condition } from './controller.ts';
import { handleOf, whyNotAttached } from './disks.ts';
import { pull } from './images.ts';
import { NODES, zoneOf } from './nodes.ts';
import { claimsOf } from './pod-claims.ts';

const CLAIMS = builtIn('persistentvolumeclaims');
const VOLUMES = builtIn('persistentvolumes');
const SOURCES = { configMap: builtIn('configmaps'), secret: builtIn('secrets') };

/** Why a Pod's containers cannot start: what its status says, and what is told as an event. */
export interface Hindrance {
  readonly reason: string;
  readonly message: string;
  readonly event: string;
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly valueFrom?: Readonly<Record<string, any>> }[];
  readonly envFrom?: readonly Readonly<Record<string, any>>[];
}

export const containersOf = ({ view }: Stored): Container[] => view.spec.containers ?? [];
const initContainersOf = ({ view }: Stored): Container[] => view.spec.initContainers ?? [];

/** What stands in the way of a Pod on its Node; undefined where nothing does. */
export const hindrance = (cluster: Cluster, pod: Stored): Hindrance | undefined =>
  unattached(cluster, pod) ?? unmounted(cluster, pod) ?? unpulled(cluster, pod) ?? unconfigured(cluster, pod);

/** EBS volumes must be there, in the Node's zone, and ready (aws-ebs-csi-driver, ControllerPublishVolume). */
function unattached(cluster: Cluster, pod: Stored): Hindrance | undefined {
  const { namespace } = pod.view.metadata;
  const node = cluster.find(NODES, undefined, pod.view.spec.nodeName);
  for (const name of claimsOf(pod)) {
    const volume = cluster.find(VOLUMES, undefined, cluster.find(CLAIMS, namespace, name)?.view.spec.volumeName ?? '');
    const handle = volume && handleOf(volume.view);
    const why = handle === undefined ? undefined : whyNotAttached(cluster, handle, node ? zoneOf(node) : '');
    if (why) {
      const message = `AttachVolume.Attach failed for volume "${volume!.view.metadata.name}" : ${why}`;
      return { reason: 'ContainerCreating', message, event: 'FailedAttachVolume' };
    }
  }
  return undefined;
}

/** A ConfigMap or Secret that is named: where, which, one key of it or all, and whether it may be missing. */
interface Need {
  readonly source: 'configMap' | 'secret';
  readonly name: string;
  readonly key?: string;
  readonly optional?: boolean;
}

function missing(cluster: Cluster, namespace: string, { source, name, key, optional }: Need): string | undefined {
  if (optional) return undefined;
  const type = SOURCES[source];
  const found = cluster.find(type, namespace, name);
  if (!found) return `${type.singular} "${name}" not found`;
  const isThere = key === undefined || [found.view.data, found.view.binaryData].some((data) => data && key in data);
  return isThere ? undefined : `couldn't find key ${key} in ${type.kind} ${namespace}/${name}`;
}

function unmounted(cluster: Cluster, pod: Stored): Hindrance | undefined {
  const { namespace } = pod.view.metadata;
  for (const volume of pod.view.spec.volumes ?? []) {
    const sources = [volume, ...(volume.projected?.sources ?? [])];
    for (const { configMap, secret } of sources) {
      const needs: Need[] = [
        ...(configMap ? [{ source: 'configMap' as const, name: configMap.name, optional: configMap.optional }] : []),
        ...(secret ? [{ source: 'secret' as const, name: secret.secretName ?? secret.name, optional: secret.optional }] : []),
      ];
      const why = needs.map((need) => missing(cluster, namespace, need)).find((one) => one !== undefined);
      if (why)
        return {
          reason: 'ContainerCreating',
          message: `MountVolume.SetUp failed for volume "${volume.name}" : ${why}`,
          event: 'FailedMount',
        };
    }
  }
  return undefined;
}

function unpulled({ world }: Cluster, pod: Stored): Hindrance | undefined {
  for (const { image } of [...initContainersOf(pod), ...containersOf(pod)]) {
    const pulled = pull(world, image);
    if ('why' in pulled)
      return { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ${pulled.why}`, event: 'Failed' };
  }
  return undefined;
}

function unconfigured(cluster: Cluster, pod: Stored): Hindrance | undefined {
  const { namespace } = pod.view.metadata;
  for (const { env = [], envFrom = [] } of [...initContainersOf(pod), ...containersOf(pod)]) {
    const needs: Need[] = [
      ...env.flatMap(({ valueFrom: { configMapKeyRef, secretKeyRef } = {} }) => [
        ...(configMapKeyRef ? [{ source: 'configMap' as const, ...configMapKeyRef }] : []),
        ...(secretKeyRef ? [{ source: 'secret' as const, ...secretKeyRef }] : []),
      ]),
      ...envFrom.flatMap(({ configMapRef, secretRef }) => [
        ...(configMapRef ? [{ source: 'configMap' as const, ...configMapRef }] : []),
        ...(secretRef ? [{ source: 'secret' as const, ...secretRef }] : []),
      ]),
    ];
    const why = needs.map((need) => missing(cluster, namespace, need)).find((one) => one !== undefined);
    if (why) return { reason: 'CreateContainerConfigError', message: why, event: 'Failed' };
  }
  return undefined;
}

const POD_RANGE = '10.0.0.0/16';

/** The status of a Pod that waits for its Node, or for what its containers need. */
export function waitingStatus(cluster: Cluster, pod: Stored, { reason, message }: Hindrance): object {
  return {
    ...begun(cluster, pod),
    phase: 'Pending',
    conditions: conditions(cluster, pod, 'False'),
    containerStatuses: containersOf(pod).map(({ name, image }) => {
      const state = { waiting: { reason, message } };
      return { name, state, lastState: {}, ready: false, restartCount: 0, image, imageID: '', started: false };
    }),
  };
}

export function runningStatus(cluster: Cluster, pod: Stored): object {
  const startedAt = cluster.timestamp();
  const ip = pod.view.status?.podIP ?? addressAt(POD_RANGE, cluster.random.integer(16, 65_000));
  return {
    ...begun(cluster, pod),
    phase: 'Running',
    conditions: conditions(cluster, pod, 'True'),
    podIP: ip,
    podIPs: [{ ip }],
    ...(initContainersOf(pod).length > 0
      ? { initContainerStatuses: initContainersOf(pod).map((one) => ended(cluster, one, startedAt)) }
      : {}),
    containerStatuses: containersOf(pod).map((container) => ({
      ...pulledBy(cluster, container),
      state: { running: { startedAt } },
      ready: true,
      started: true,
    })),
  };
}

export function finishedStatus(cluster: Cluster, pod: Stored): object {
  const { podIP, podIPs } = pod.view.status ?? {};
  return {
    ...begun(cluster, pod),
    phase: 'Succeeded',
    conditions: conditions(cluster, pod, 'False', 'PodCompleted'),
    podIP,
    podIPs,
    containerStatuses: containersOf(pod).map((container) => ended(cluster, container, pod.view.status?.startTime)),
  };
}

const ended = (cluster: Cluster, container: Container, startedAt: string): object => ({
  ...pulledBy(cluster, container),
  state: { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt: cluster.timestamp() } },
  ready: false,
  started: false,
});

function pulledBy({ world, random }: Cluster, { name, image }: Container): object {
  const pulled = pull(world, image);
  const imageID = 'imageId' in pulled ? pulled.imageId : '';
  return { name, lastState: {}, restartCount: 0, image, imageID, containerID: `containerd://${random.hex(64)}` };
}

const begun = (cluster: Cluster, { view }: Stored): object => ({
  qosClass: qosOf(view.spec),
  startTime: view.status?.startTime ?? cluster.timestamp(),
});

function conditions(cluster: Cluster, pod: Stored, ready: 'True' | 'False', reason?: string): object[] {
  const why = reason ?? (ready === 'True' ? '' : 'ContainersNotReady');
  const message =
    ready === 'True' || reason
      ? ''
      : `containers with unready status: [${containersOf(pod)
          .map(({ name }) => name)
          .join(' ')}]`;
  return [
    condition(cluster, pod, 'Initialized', 'True', reason ?? '', ''),
    condition(cluster, pod, 'Ready', ready, why, message),
    condition(cluster, pod, 'ContainersReady', ready, why, message),
    condition(cluster, pod, 'PodScheduled', 'True', '', ''),
  ];
}

/** Kubernetes, "Pod Quality of Service Classes". */
export function qosOf(spec: any): string {
  const resources = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((one: any) => one.resources ?? {});
  const names = ['cpu', 'memory'];
  if (
    resources.every(({ limits = {}, requests = limits }) =>
      names.every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
    )
  ) {
    return 'Guaranteed';
  }
  const asks = ({ limits = {}, requests = {} }: any): boolean =>
    names.some((name) => limits[name] !== undefined || requests[name] !== undefined);
  return resources.some(asks) ? 'Burstable' : 'BestEffort';
}
