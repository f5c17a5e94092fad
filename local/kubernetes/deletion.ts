import type { Cluster } from './cluster.ts';
import { withFinalizer } from './defaults.ts';
import { at, type JsonObject, set, write } from './json.ts';
import { conflict, forbidden } from './problem.ts';
import { Stored } from './store.ts';
import { type ResourceType, typeKey } from './types.ts';

/** Whether nothing holds an object any more that is being deleted: no finalizer, and of a namespace none of its own kind either. */
export function isReleased(type: ResourceType, { view }: Stored): boolean {
  if (view.metadata.finalizers?.length > 0) return false;
  if (typeKey(type) === 'namespaces') return !(view.spec?.finalizers?.length > 0);
  return typeKey(type) !== 'pods' || view.metadata.deletionGracePeriodSeconds === 0;
}

export interface Deletion {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly graceSeconds?: number | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
  readonly dryRun?: boolean;
}

const PERMANENT = ['default', 'kube-system', 'kube-public'];

/** Only these are waited for by their own means: a Pod by its node, a namespace by what is in it. */
const OWN_FINALIZERS: Readonly<Record<string, string>> = {
  'apiextensions.k8s.io/customresourcedefinitions': 'customresourcecleanup.apiextensions.k8s.io',
};
const PROPAGATION: Readonly<Record<string, string>> = { Foreground: 'foregroundDeletion', Orphan: 'orphan' };

/** Deletes an object, or marks it where something must be done first (Kubernetes, "Finalizers", "Garbage Collection"). Answers it as it is then, and whether it is gone. */
export function remove(
  cluster: Cluster,
  type: ResourceType,
  live: Stored,
  how: Deletion = {},
): { stored: Stored; gone: boolean } {
  const { metadata } = live.view;
  refuseOthers(type, live, how);
  if (typeKey(type) === 'namespaces' && PERMANENT.includes(metadata.name)) {
    throw forbidden(type, metadata.name, 'this namespace may not be deleted');
  }
  const grace = graceOf(type, live, how);
  const waits = [PROPAGATION[how.propagation ?? ''], OWN_FINALIZERS[typeKey(type)]].filter(
    (finalizer) => finalizer !== undefined,
  );
  const held = waits.reduce<JsonObject>((done, finalizer) => withFinalizer(done, finalizer), live.object);
  const marked = metadata.deletionTimestamp ? shortened(held, grace) : terminating(cluster, type, held, grace);
  const stored = new Stored(marked, live.revision);
  const gone = isReleased(type, stored);
  if (how.dryRun) return { stored, gone };
  if (gone) {
    cluster.erase(type, live);
    return { stored: live, gone };
  }
  return { stored: write(marked) === live.text ? live : cluster.put(type, marked), gone };
}

function refuseOthers(type: ResourceType, { view: { metadata } }: Stored, { preconditions }: Deletion): void {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(type, metadata.name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      type,
      metadata.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${metadata.resourceVersion}`,
    );
  }
}

/** A Pod that no node has taken yet has nobody to wait for (Kubernetes, "Pod Lifecycle", "Termination of Pods"). */
function graceOf(type: ResourceType, { view }: Stored, { graceSeconds }: Deletion): number {
  if (typeKey(type) !== 'pods') return 0;
  if (!view.spec?.nodeName || ['Succeeded', 'Failed'].includes(view.status?.phase)) return 0;
  return graceSeconds ?? view.spec.terminationGracePeriodSeconds ?? 30;
}

function terminating(cluster: Cluster, type: ResourceType, object: JsonObject, grace: number): JsonObject {
  const timed = set(
    set(object, ['metadata', 'deletionTimestamp'], cluster.timestamp(grace)),
    ['metadata', 'deletionGracePeriodSeconds'],
    grace,
  );
  return typeKey(type) === 'namespaces' ? set(timed, ['status', 'phase'], 'Terminating') : timed;
}

/** A second delete may only hasten the end. */
const shortened = (object: JsonObject, grace: number): JsonObject =>
  Number(at(object, 'metadata', 'deletionGracePeriodSeconds') ?? 0) > grace
    ? set(object, ['metadata', 'deletionGracePeriodSeconds'], grace)
    : object;
