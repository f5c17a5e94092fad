import type { Cluster } from '../cluster.ts';
import { withoutFinalizer } from '../defaults.ts';
import { remove } from '../deletion.ts';
import type { Stored } from '../store.ts';
import {
  ASKING,
  annotation,
  BY_CONTROLLER,
  CLAIMS,
  enter,
  PROVISIONED_BY,
  PROVISIONER_FINALIZER,
  RETRY,
  refers,
  VOLUMES,
} from './binding.ts';
import { amend, type Controller, commit, type Edit, keyIn, look, note, own } from './controller.ts';
import { handleOf, isEbsProvisioner } from './disks.ts';
import { deleteDisk, Errands } from './provisioner.ts';

/** What becomes of a volume by what its claim does. */
export const volumes = (): Controller => {
  const errands = new Errands();
  return {
    name: 'volumes',
    *concerns(cluster, change) {
      yield* own(VOLUMES)(change);
      if (change.type !== CLAIMS) return;
      const claim = (change.after ?? change.before)!;
      for (const volume of cluster.all(VOLUMES)) if (refers(volume, claim)) yield keyIn(volume);
    },
    reconcile(cluster, name) {
      const volume = look(cluster, VOLUMES, name);
      if (!volume) return;
      const { claimRef } = volume.view.spec;
      if (!claimRef?.uid) return void enter(cluster, volume, 'Available');
      const claim = cluster.find(CLAIMS, claimRef.namespace, claimRef.name);
      if (claim?.view.metadata.uid !== claimRef.uid) return release(cluster, volume, errands);
      const bound = claim!.view.spec.volumeName;
      if (bound === name) enter(cluster, volume, 'Bound');
      else if (bound) unbind(cluster, volume);
    },
  };
};

/** Its claim is bound to another volume: what the controller had written is taken back, what people had written only loses the uid. */
function unbind(cluster: Cluster, volume: Stored): void {
  const ours = annotation(volume, BY_CONTROLLER) !== undefined;
  const edits: Edit[] = ours
    ? [
        [['spec', 'claimRef'], undefined],
        [['metadata', 'annotations', BY_CONTROLLER], undefined],
      ]
    : [
        [['spec', 'claimRef', 'uid'], undefined],
        [['spec', 'claimRef', 'resourceVersion'], undefined],
      ];
  amend(cluster, VOLUMES, volume, edits);
}

/** What becomes of a volume whose claim is gone, or never was the one that it names: its bytes go too where the policy says Delete. */
function release(cluster: Cluster, found: Stored, errands: Errands): number | undefined {
  const volume = found.view.status?.phase === 'Failed' ? found : enter(cluster, found, 'Released');
  if (volume.view.spec.persistentVolumeReclaimPolicy !== 'Delete') return undefined;
  const handle = handleOf(volume.view);
  if (!handle || !isEbsProvisioner(annotation(volume, PROVISIONED_BY) ?? '')) {
    note(
      cluster,
      VOLUMES,
      volume,
      'Warning',
      'VolumeFailedDelete',
      'error getting deleter volume plugin: no volume plugin matched',
    );
    enter(cluster, volume, 'Failed');
    return undefined;
  }
  const errand = errands.run(volume.view.metadata.uid, () => deleteDisk(cluster, handle));
  if (errand.state === 'under way') return ASKING;
  if (errand.state === 'failed') {
    note(cluster, VOLUMES, volume, 'Warning', 'VolumeFailedDelete', errand.why);
    return RETRY;
  }
  const bare = withoutFinalizer(volume.object, PROVISIONER_FINALIZER, 'kubernetes.io/pv-protection');
  const left = commit(cluster, VOLUMES, volume, bare);
  if (cluster.find(VOLUMES, undefined, left.view.metadata.name)) remove(cluster, VOLUMES, left);
  return undefined;
}
