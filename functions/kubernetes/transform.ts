import type { Document } from './document.ts';
import { type ApiType, apiVersionOf, type KubernetesObject, typeKey } from './object.ts';

/** Everything that we make bears it, so that what is ours can be told from what was there before. */
export const RESTORE_LABEL = 'stillpoint/restore';

/** What a server sets and refuses, ignores or misunderstands when an object is made (API conventions, "Metadata"; seen on kube-apiserver 1.26). */
const SET_BY_SERVER = [
  'generateName',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
];

/** Finalizers of controllers that the target may not have, or that put them there themselves: an object that keeps one could not be deleted. */
const FINALIZER_OF_CONTROLLER =
  /^(foregroundDeletion|orphan|kubernetes$|service\.kubernetes\.io\/load-balancer-cleanup|(service|ingress|elbv2|gateway)\.k8s\.aws\/|group\.ingress\.k8s\.aws\/|resources-finalizer\.argocd\.argoproj\.io|customresourcecleanup\.apiextensions\.k8s\.io)/;

/**
 * Takes away what the old server had set, so that the new one sets its own, and what would not work a second time. What people wrote stays
 * as they wrote it, byte by byte. `object` is the text parsed, for looking; `doc` is the text, for editing.
 */
export function strip(doc: Document, object: KubernetesObject, type: ApiType): void {
  for (const field of SET_BY_SERVER) doc.remove('metadata', field);
  doc.remove('status');
  doc.removeWhere(['metadata', 'finalizers'], (finalizer) => FINALIZER_OF_CONTROLLER.test(String(finalizer)));
  ADJUST[typeKey(type)]?.(doc, object);
}

/** Objects of built-in types stand in lists without saying what they are; alone they must. */
export function nameType(doc: Document, type: ApiType): void {
  if (!doc.has('apiVersion')) doc.set(['apiVersion'], apiVersionOf(type), { first: true });
  if (!doc.has('kind')) doc.set(['kind'], type.kind, { first: true });
}

/** What has changed about an object besides what everything loses: sentences for the report. */
export function pauseReconciler(doc: Document, object: KubernetesObject, type: ApiType): string | undefined {
  const key = typeKey(type);
  if (key === 'argoproj.io/applications' && object['spec']?.syncPolicy?.automated !== undefined) {
    doc.remove('spec', 'syncPolicy', 'automated');
    return 'its automated sync is off: Argo CD would undo what was rewired; switch it on when its repository names the new place';
  }
  if (FLUX.has(key) && object['spec']?.suspend !== true) {
    doc.set(['spec', 'suspend'], true);
    return 'it is suspended: Flux would undo what was rewired; resume it when its repository names the new place';
  }
  return undefined;
}

const FLUX = new Set(['kustomize.toolkit.fluxcd.io/kustomizations', 'helm.toolkit.fluxcd.io/helmreleases']);

type Adjust = (doc: Document, object: KubernetesObject) => void;

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Types of which more must change than of every object (as Velero's restore actions do, and more). */
const ADJUST: Readonly<Record<string, Adjust>> = {
  namespaces: (doc) => {
    doc.remove('spec');
  },
  services: adjustService,
  'batch/jobs': adjustJob,
  pods: (doc, pod) => {
    for (const field of ['nodeName', 'priority']) doc.remove('spec', field);
    doc.removeWhere(['spec', 'volumes'], (volume) => isToken(volume));
    for (const list of ['containers', 'initContainers']) {
      (pod['spec']?.[list] ?? []).forEach((_: unknown, i: number) => {
        doc.removeWhere(['spec', list, i, 'volumeMounts'], (mount) => isToken(mount));
      });
    }
  },
  secrets: (doc, secret) => {
    if (secret['type'] !== 'kubernetes.io/service-account-token') return;
    doc.remove('metadata', 'annotations', 'kubernetes.io/service-account.uid');
    for (const key of ['token', 'ca.crt', 'namespace']) doc.remove('data', key);
  },
  serviceaccounts: (doc, { metadata }) => {
    doc.removeWhere(['secrets'], (secret) => (secret as { name?: string }).name?.startsWith(`${metadata?.name}-token-`) === true);
  },
  'apps/deployments': (doc) => {
    doc.remove('metadata', 'annotations', 'deployment.kubernetes.io/revision');
  },
  'apps/daemonsets': (doc) => {
    doc.remove('metadata', 'annotations', 'deprecated.daemonset.template.generation');
  },
  endpoints: (doc) => {
    doc.remove('metadata', 'annotations', 'endpoints.kubernetes.io/last-change-trigger-time');
  },
};

/** The volume of the Pod's own token, which admission adds to every Pod (Kubernetes, "Configure Service Accounts for Pods"). */
const isToken = (named: unknown): boolean => (named as { name?: string }).name?.startsWith('kube-api-access-') === true;

/** Addresses belong to a cluster's own range and ports to its nodes: the new cluster chooses, but where somebody had chosen a port. */
function adjustService(doc: Document, service: KubernetesObject): void {
  if (service['spec']?.clusterIP !== 'None') doc.remove('spec', 'clusterIP').remove('spec', 'clusterIPs');
  doc.remove('spec', 'ipFamilies');
  const chosen = chosenPorts(service);
  (service['spec']?.ports ?? []).forEach(({ nodePort }: { nodePort?: number }, i: number) => {
    if (nodePort !== undefined && !chosen.has(nodePort)) doc.remove('spec', 'ports', i, 'nodePort');
  });
  if (!chosen.has(service['spec']?.healthCheckNodePort)) doc.remove('spec', 'healthCheckNodePort');
}

/** The node ports that somebody wrote, as what kubectl last applied tells. */
function chosenPorts({ metadata }: KubernetesObject): ReadonlySet<number | undefined> {
  const applied = metadata?.annotations?.[LAST_APPLIED];
  if (applied === undefined) return new Set();
  try {
    const { spec = {} } = JSON.parse(applied) as KubernetesObject;
    const ports = (spec.ports ?? []).map(({ nodePort }: { nodePort?: number }) => nodePort);
    return new Set([...ports, spec.healthCheckNodePort].filter((port) => port !== undefined));
  } catch {
    return new Set();
  }
}

/** A Job finds its Pods by an id of its own, which the server makes again, unless its author has taken that upon himself. */
function adjustJob(doc: Document, job: KubernetesObject): void {
  if (job['spec']?.manualSelector === true) return;
  doc.remove('spec', 'selector');
  for (const key of ['controller-uid', 'job-name', 'batch.kubernetes.io/controller-uid', 'batch.kubernetes.io/job-name']) {
    doc.remove('metadata', 'labels', key).remove('spec', 'template', 'metadata', 'labels', key);
  }
}

/** Gives up the ports of nodes, where the new cluster has given them to somebody else. */
export function freePorts(doc: Document): Document {
  for (let i = 0; i < doc.length('spec', 'ports'); i++) doc.remove('spec', 'ports', i, 'nodePort');
  return doc.remove('spec', 'healthCheckNodePort');
}
