import type { Change, Cluster } from '../cluster.ts';
import { isReleased } from '../deletion.ts';
import { at, type Json, type JsonObject, json, objectOf, type Path, set, textAt, without, write } from '../json.ts';
import { create } from '../objects.ts';
import type { Stored } from '../store.ts';
import { apiVersionOf, builtIn, type ResourceType } from '../types.ts';

/**
 * Something that brings a cluster nearer to what its objects want. It is told by key what to look at, looks at what is there now, and does
 * one step; what it writes tells it again (Kubernetes, "Controllers").
 */
export interface Controller {
  readonly name: string;
  /** What must be looked at after a change, by its key. */
  concerns(cluster: Cluster, change: Change): Iterable<string>;
  /** Answers after how many seconds to look again, where time alone may change something. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a controller that never looks again by itself returns nothing
  reconcile(cluster: Cluster, key: string): number | undefined | void;
}

/** `namespace/name` as its parts; what is not in a namespace has a name only. */
export function partsOf(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const [namespace, name] = key.split('/');
  return name === undefined ? { namespace: undefined, name: key } : { namespace, name };
}

export const keyIn = ({ view }: Stored): string =>
  view.metadata.namespace === undefined ? view.metadata.name : `${view.metadata.namespace}/${view.metadata.name}`;

/** The key of what changed, if it is of that type. */
export const own =
  (type: ResourceType) =>
  (change: Change): string[] =>
    change.type === type ? [keyIn((change.after ?? change.before)!)] : [];

/** The keys of the owners of that kind of what changed. */
export function ownersIn({ before, after }: Change, kind: string): string[] {
  const { metadata } = (after ?? before)!.view;
  return (metadata.ownerReferences ?? []).flatMap((owner: any) =>
    owner.kind === kind && owner.controller ? [`${metadata.namespace}/${owner.name}`] : [],
  );
}

export const look = (cluster: Cluster, type: ResourceType, key: string): Stored | undefined => {
  const { namespace, name } = partsOf(key);
  return cluster.find(type, namespace, name);
};

export const isLeaving = ({ view }: Stored): boolean => view.metadata.deletionTimestamp !== undefined;

/** Who a controller is to `metadata.managedFields`: what it writes is not accounted for there, which keeps a busy cluster cheap. */
const WRITER = { manager: 'kube-controller-manager', time: '' };

/** Makes an object as a controller does: by the same rules as everybody. */
export function make(cluster: Cluster, type: ResourceType, object: object | JsonObject): Stored {
  const typed = new Map<string, Json>([
    ['kind', type.kind],
    ['apiVersion', apiVersionOf(type)],
    ...(object instanceof Map ? object : objectOf(object)),
  ]);
  return create(cluster, type, textAt(typed, 'metadata', 'namespace'), typed, { writer: WRITER, accounted: true });
}

/** One member and what it becomes; undefined takes it away. */
export type Edit = readonly [path: Path, value: unknown];

/** Writes the object with these edits, or nothing where they change nothing. */
export function amend(cluster: Cluster, type: ResourceType, stored: Stored, edits: readonly Edit[]): Stored {
  const edited = edits.reduce<JsonObject>(
    (object, [path, value]) => (value === undefined ? without(object, path) : set(object, path, json(value))),
    stored.object,
  );
  const wanted = edits.some(([[first]]) => first === 'spec') && type.generations;
  return commit(
    cluster,
    type,
    stored,
    wanted ? set(edited, ['metadata', 'generation'], generationOf(stored) + 1) : edited,
    edited,
  );
}

const generationOf = ({ object }: Stored): number => Number(at(object, 'metadata', 'generation') ?? 0);

export function commit(cluster: Cluster, type: ResourceType, stored: Stored, object: JsonObject, compared = object): Stored {
  if (write(compared) === stored.text) return stored;
  const written = cluster.put(type, object);
  if (isLeaving(written) && isReleased(type, written)) cluster.erase(type, written);
  return written;
}

export const owner = (type: ResourceType, { view }: Stored): object => ({
  apiVersion: apiVersionOf(type),
  kind: type.kind,
  name: view.metadata.name,
  uid: view.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** Whether it is the controller's own: others' of the same labels are left alone. */
export const isOwnedBy = (stored: Stored, uid: string): boolean =>
  (stored.view.metadata.ownerReferences ?? []).some((reference: any) => reference.uid === uid && reference.controller);

/** What a controller owns of a type and is not on its way out, in the order of their names. */
export const ownedBy = (cluster: Cluster, uid: string, type: ResourceType): Stored[] =>
  cluster
    .dependentsOf(uid)
    .filter((found) => found.type === type && isOwnedBy(found.stored, uid))
    .map(({ stored }) => stored)
    .sort((a, b) => (keyIn(a) < keyIn(b) ? -1 : 1));

const EVENTS = builtIn('events');

/** Tells people what happened to an object; the same only once (Kubernetes API, "Event"; a real server counts repetitions). */
export function note(
  cluster: Cluster,
  type: ResourceType,
  about: Stored,
  kind: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  const { name, namespace = 'default', uid } = about.view.metadata;
  const known = cluster
    .all(EVENTS, namespace)
    .some(({ view }) => view.involvedObject?.uid === uid && view.reason === reason && view.message === message);
  const home = cluster.find(builtIn('namespaces'), undefined, namespace);
  if (known || !home || isLeaving(home)) return;
  const now = cluster.timestamp();
  make(cluster, EVENTS, {
    metadata: { generateName: `${name}.`, namespace },
    involvedObject: { kind: type.kind, namespace, name, uid, apiVersion: apiVersionOf(type) },
    reason,
    message,
    type: kind,
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
    source: { component: 'local-kubernetes' },
  });
}

/** A condition among others; its time moves only when its status does (Kubernetes API conventions, "Typical status properties"). */
export function condition(
  cluster: Cluster,
  stored: Stored,
  type: string,
  status: 'True' | 'False',
  reason: string,
  message: string,
): object {
  const known = (stored.view.status?.conditions ?? []).find((one: any) => one.type === type);
  const lastTransitionTime = known?.status === status ? known.lastTransitionTime : cluster.timestamp();
  return { type, status, lastTransitionTime, reason, message };
}
