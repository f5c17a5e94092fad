import type { Cluster } from '../cluster.ts';
import { bytesOf } from '../quantity.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Edit } from './controller.ts';

/**
 * Persistent volumes and their claims (Kubernetes, "Persistent Volumes"), by what a real binder was seen to do (kubernetes.md §3.6): a volume
 * that names another claim's uid is Released, a claim that says it is bound to a volume that is not there is Lost and stays so.
 */
export const VOLUMES = builtIn('persistentvolumes');
export const CLAIMS = builtIn('persistentvolumeclaims');
export const CLASSES = builtIn('storage.k8s.io/storageclasses');

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
export const BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const PROVISIONER_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';

export const annotation = ({ view }: Stored, key: string): string | undefined => view.metadata.annotations?.[key];
/** Whether a volume names a claim, by its name alone. */
export const refers = ({ view }: Stored, claim: Stored): boolean =>
  view.spec.claimRef?.namespace === claim.view.metadata.namespace && view.spec.claimRef?.name === claim.view.metadata.name;
/** Whether a volume may be bound to a claim: nobody has it, or it means this one and no other of that name. */
export const isUnclaimedOr = (volume: Stored, claim: Stored): boolean =>
  !volume.view.spec.claimRef ||
  (refers(volume, claim) && [undefined, '', claim.view.metadata.uid].includes(volume.view.spec.claimRef.uid));

export const classOf = (cluster: Cluster, claim: Stored): Stored | undefined =>
  cluster.find(CLASSES, undefined, claim.view.spec.storageClassName ?? '');
/** Whether a class waits with its volume until a Pod says where (Kubernetes, "Storage Classes", "Volume binding mode"). */
export const isLate = (storageClass: Stored | undefined): boolean =>
  storageClass?.view.volumeBindingMode === 'WaitForFirstConsumer';

/** How soon a call to EC2 is asked after, and how soon one that failed is tried again, in virtual seconds. */
export const ASKING = 0.5;
export const RETRY = 30;

/** The volume in its phase; when that began is told with it. */
export function enter(cluster: Cluster, volume: Stored, phase: string): Stored {
  if (volume.view.status?.phase === phase) return volume;
  return amend(cluster, VOLUMES, volume, [[['status'], { phase, lastPhaseTransitionTime: cluster.timestamp() }]]);
}

export const sizeOf = ({ view }: Stored): number => bytesOf(view.spec.capacity?.storage) ?? 0;

/** Whether a volume that means nobody will do for a claim. */
export function fits(volume: Stored, claim: Stored): boolean {
  const [has, wants] = [volume.view.spec, claim.view.spec];
  return (
    (has.storageClassName ?? '') === (wants.storageClassName ?? '') &&
    (has.volumeMode ?? 'Filesystem') === (wants.volumeMode ?? 'Filesystem') &&
    sizeOf(volume) >= (bytesOf(wants.resources?.requests?.storage) ?? 0) &&
    (wants.accessModes ?? []).every((mode: string) => has.accessModes?.includes(mode))
  );
}

/** Both sides name each other; who was named by people before is not marked as found by the controller. */
export function bind(cluster: Cluster, volume: Stored, claim: Stored): void {
  const { uid, namespace, name, resourceVersion } = claim.view.metadata;
  const ref = volume.view.spec.claimRef;
  const claimed: Edit[] =
    ref?.uid === uid
      ? []
      : ref
        ? [
            [['spec', 'claimRef', 'uid'], uid],
            [['spec', 'claimRef', 'resourceVersion'], resourceVersion],
          ]
        : [
            [['spec', 'claimRef'], { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion }],
            [['metadata', 'annotations', BY_CONTROLLER], 'yes'],
          ];
  enter(cluster, amend(cluster, VOLUMES, volume, claimed), 'Bound');
  const { capacity, accessModes } = volume.view.spec;
  const found: Edit[] = claim.view.spec.volumeName
    ? []
    : [
        [['spec', 'volumeName'], volume.view.metadata.name],
        [['metadata', 'annotations', BY_CONTROLLER], 'yes'],
      ];
  amend(cluster, CLAIMS, claim, [
    ...found,
    [['metadata', 'annotations', BIND_COMPLETED], 'yes'],
    [['status'], { phase: 'Bound', accessModes, capacity }],
  ]);
}
