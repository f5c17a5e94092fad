import type { Cluster } from '../cluster.ts';
import { withoutFinalizer } from '../defaults.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { PROVISIONER_FINALIZER } from './binding.ts';
import { type Controller, commit, isLeaving, look, own } from './controller.ts';
import { claimsOf } from './pod-claims.ts';
import { isFinished, PODS } from './templates.ts';

const CLAIMS = builtIn('persistentvolumeclaims');
const VOLUMES = builtIn('persistentvolumes');

/** A claim that a Pod uses outlives its deletion (Kubernetes, "Storage Object in Use Protection"). */
export const claimProtection = (): Controller => ({
  name: 'claim protection',
  *concerns(_, change) {
    yield* own(CLAIMS)(change);
    if (change.type !== PODS || (change.after && !isFinished(change.after))) return;
    const pod = (change.after ?? change.before)!;
    for (const name of claimsOf(pod)) yield `${pod.view.metadata.namespace}/${name}`;
  },
  reconcile(cluster, key) {
    const claim = look(cluster, CLAIMS, key);
    if (!claim || !isLeaving(claim) || isUsed(cluster, claim)) return;
    commit(cluster, CLAIMS, claim, withoutFinalizer(claim.object, 'kubernetes.io/pvc-protection'));
  },
});

function isUsed(cluster: Cluster, { view }: Stored): boolean {
  const { namespace, name } = view.metadata;
  return cluster.all(PODS, namespace).some((pod) => !isFinished(pod) && pod.view.spec.nodeName && claimsOf(pod).includes(name));
}

/** So does a volume that a claim is bound to. The EBS driver lets go of its own: nothing is attached, and Delete has been seen to. */
export const volumeProtection = (): Controller => ({
  name: 'volume protection',
  concerns: (_, change) => own(VOLUMES)(change),
  reconcile(cluster, name) {
    const volume = look(cluster, VOLUMES, name);
    if (!volume || !isLeaving(volume)) return;
    const { status, spec, metadata } = volume.view;
    const isToBeReclaimed = status?.phase === 'Released' && spec.persistentVolumeReclaimPolicy === 'Delete';
    if (status?.phase === 'Bound' || (isToBeReclaimed && metadata.finalizers?.includes(PROVISIONER_FINALIZER))) return;
    const ours = ['kubernetes.io/pv-protection', 'external-attacher/ebs-csi-aws-com', PROVISIONER_FINALIZER];
    commit(cluster, VOLUMES, volume, withoutFinalizer(volume.object, ...ours));
  },
});
