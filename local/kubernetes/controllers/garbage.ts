import type { Change, Cluster, Found } from '../cluster.ts';
import { withoutFinalizer } from '../defaults.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import { type ResourceType, typeKey } from '../types.ts';
import { amend, type Controller, commit, isLeaving, keyIn, look } from './controller.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';
/** What names an owner that never was is gone half a second later (kubernetes.md §3.4). */
const LOOKING = 0.4;

interface Reference {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
  readonly blockOwnerDeletion?: boolean;
}

const ownersOf = ({ view }: Stored): readonly Reference[] => view.metadata.ownerReferences ?? [];

/** Deletes what its owners have left behind, by their uids (Kubernetes, "Garbage Collection"). */
export const garbage = (): Controller => {
  const types = new Map<string, ResourceType>();
  const seen = new Map<string, number>();
  const title = (type: ResourceType, stored: Stored): string => {
    types.set(typeKey(type), type);
    return `${typeKey(type)} ${keyIn(stored)}`;
  };
  return {
    name: 'garbage',
    *concerns(cluster, change) {
      const stored = (change.after ?? change.before)!;
      if (change.after && (ownersOf(change.after).length > 0 || isAwaiting(change.after))) yield title(change.type, change.after);
      if (!change.after || isLeaving(change.after))
        for (const found of cluster.dependentsOf(stored.view.metadata.uid)) yield title(found.type, found.stored);
      if (!change.after) yield* waitingOwners(cluster, change, title);
    },
    reconcile(cluster, key) {
      const [typed = '', name = ''] = key.split(' ');
      const type = types.get(typed)!;
      const found = look(cluster, type, name);
      if (!found) return void seen.delete(key);
      if (isLeaving(found)) return release(cluster, type, found);
      const dead = ownersOf(found).filter((owner) => !isAlive(cluster, owner, found));
      if (dead.length === 0) return;
      const first = seen.get(key) ?? cluster.now();
      seen.set(key, first);
      const wait = LOOKING - (cluster.now() - first) / 1000;
      if (wait > 0 && dead.some(({ uid }) => !cluster.byUid(uid))) return wait;
      collect(cluster, type, found, dead);
    },
  };
};

const isAwaiting = ({ view }: Stored): boolean =>
  (view.metadata.finalizers ?? []).some((finalizer: string) => finalizer === FOREGROUND || finalizer === ORPHAN);

/** Owners that are being deleted in the foreground wait for each of their dependents. */
function* waitingOwners(
  cluster: Cluster,
  { before }: Change,
  title: (type: ResourceType, stored: Stored) => string,
): Iterable<string> {
  for (const { uid } of ownersOf(before!)) {
    const location = cluster.byUid(uid);
    const stored = location && cluster.find(location.type, location.namespace, location.name);
    if (stored && isAwaiting(stored)) yield title(location.type, stored);
  }
}

/** An owner is in the same namespace or in none, and one that is deleted in the foreground counts as gone already. */
function isAlive(cluster: Cluster, { uid, kind, name }: Reference, dependent: Stored): boolean {
  const location = cluster.byUid(uid);
  if (!location || location.type.kind !== kind || location.name !== name) return false;
  if (location.namespace !== undefined && location.namespace !== dependent.view.metadata.namespace) return false;
  const owner = cluster.find(location.type, location.namespace, location.name);
  return owner !== undefined && !(owner.view.metadata.finalizers ?? []).includes(FOREGROUND);
}

function collect(cluster: Cluster, type: ResourceType, found: Stored, dead: readonly Reference[]): void {
  const left = ownersOf(found).filter(({ uid }) => !dead.some((owner) => owner.uid === uid));
  if (left.length > 0) amend(cluster, type, found, [[['metadata', 'ownerReferences'], left]]);
  else remove(cluster, type, found, { propagation: dead.some(({ uid }) => cluster.byUid(uid)) ? 'Foreground' : 'Background' });
}

/** Lets an owner go when its dependents have gone, or have been told that they have no owner. */
function release(cluster: Cluster, type: ResourceType, found: Stored): void {
  const { uid, finalizers = [] } = found.view.metadata;
  const dependents = cluster.dependentsOf(uid);
  if (finalizers.includes(ORPHAN)) {
    for (const dependent of dependents) disown(cluster, dependent, uid);
    commit(cluster, type, found, withoutFinalizer(found.object, ORPHAN));
  } else if (finalizers.includes(FOREGROUND) && !dependents.some(({ stored }) => blocks(stored, uid))) {
    commit(cluster, type, found, withoutFinalizer(found.object, FOREGROUND));
  }
}

const blocks = (dependent: Stored, uid: string): boolean =>
  ownersOf(dependent).some((owner) => owner.uid === uid && owner.blockOwnerDeletion);

function disown(cluster: Cluster, { type, stored }: Found, uid: string): void {
  const left = ownersOf(stored).filter((owner) => owner.uid !== uid);
  amend(cluster, type, stored, [[['metadata', 'ownerReferences'], left.length > 0 ? left : undefined]]);
}
