import type { Cluster } from '../cluster.ts';
import { withoutFinalizer } from '../defaults.ts';
import { remove } from '../objects.ts';
import { bytesOf } from '../quantity.ts';
import { selects } from '../select.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { amend, type Controller, commit, type Edit, isLeaving, keyIn, look, make, note, own } from './controller.ts';
import { handleOf, isEbsProvisioner } from './disks.ts';
import { NODES, zoneOf } from './nodes.ts';
import { createDisk, deleteDisk, Errands, provisioned } from './provisioner.ts';

/**
 * Persistent volumes and their claims (Kubernetes, "Persistent Volumes"), by what a real binder was seen to do (kubernetes.md §3.6): a volume
 * that names another claim's uid is Released, a claim that says it is bound to a volume that is not there is Lost and stays so.
 */
const VOLUMES = builtIn('persistentvolumes');
const CLAIMS = builtIn('persistentvolumeclaims');
const CLASSES = builtIn('storage.k8s.io/storageclasses');

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
export const PROVISIONER_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';

const ASKING = 0.5;
const RETRY = 30;

const annotation = ({ view }: Stored, key: string): string | undefined => view.metadata.annotations?.[key];
const refers = ({ view }: Stored, claim: Stored): boolean =>
  view.spec.claimRef?.namespace === claim.view.metadata.namespace && view.spec.claimRef?.name === claim.view.metadata.name;
const isUnclaimedOr = (volume: Stored, claim: Stored): boolean =>
  !volume.view.spec.claimRef ||
  (refers(volume, claim) && [undefined, '', claim.view.metadata.uid].includes(volume.view.spec.claimRef.uid));

export const classOf = (cluster: Cluster, claim: Stored): Stored | undefined =>
  cluster.find(CLASSES, undefined, claim.view.spec.storageClassName ?? '');
export const isLate = (storageClass: Stored | undefined): boolean =>
  storageClass?.view.volumeBindingMode === 'WaitForFirstConsumer';

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

function enter(cluster: Cluster, volume: Stored, phase: string): Stored {
  if (volume.view.status?.phase === phase) return volume;
  return amend(cluster, VOLUMES, volume, [[['status'], { phase, lastPhaseTransitionTime: cluster.timestamp() }]]);
}

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

export const claims = (): Controller => {
  const errands = new Errands();
  return {
    name: 'claims',
    *concerns(cluster, change) {
      yield* own(CLAIMS)(change);
      const ref = change.type === VOLUMES ? change.after?.view.spec.claimRef : undefined;
      if (ref) yield `${ref.namespace}/${ref.name}`;
      else if (change.type === VOLUMES || change.type === CLASSES) {
        for (const claim of cluster.all(CLAIMS)) if (!annotation(claim, BIND_COMPLETED)) yield keyIn(claim);
      }
    },
    reconcile(cluster, key) {
      const claim = look(cluster, CLAIMS, key);
      if (!claim || isLeaving(claim)) return;
      if (annotation(claim, BIND_COMPLETED) === undefined) return seek(cluster, claim, errands);
      keepBound(cluster, claim);
    },
  };
};

/** A claim that says it is bound must be: no later sight of its volume heals one that was Lost. */
function keepBound(cluster: Cluster, claim: Stored): void {
  if (claim.view.status?.phase === 'Lost') return;
  const name = claim.view.spec.volumeName;
  const volume = name ? cluster.find(VOLUMES, undefined, name) : undefined;
  const ref = volume?.view.spec.claimRef;
  if (volume && (!ref || ref.uid === claim.view.metadata.uid)) {
    bind(cluster, volume, claim);
    return;
  }
  const why = !volume
    ? 'Bound claim has lost its PersistentVolume. Data on the volume is lost!'
    : 'Two claims are bound to the same volume, this one is bound incorrectly';
  note(cluster, CLAIMS, claim, 'Warning', volume ? 'ClaimMisbound' : 'ClaimLost', why);
  amend(cluster, CLAIMS, claim, [[['status'], { phase: 'Lost' }]]);
}

function seek(cluster: Cluster, claim: Stored, errands: Errands): number | undefined {
  const { volumeName } = claim.view.spec;
  if (volumeName) return seekNamed(cluster, claim, volumeName);
  const meant = cluster.all(VOLUMES).find((volume) => refers(volume, claim) && isUnclaimedOr(volume, claim));
  if (meant) return void bind(cluster, meant, claim);
  const storageClass = classOf(cluster, claim);
  if (isLate(storageClass) && !annotation(claim, SELECTED_NODE)) {
    note(cluster, CLAIMS, claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    return undefined;
  }
  const fitting = best(cluster, claim);
  if (fitting) return void bind(cluster, fitting, claim);
  if (storageClass) return provide(cluster, claim, storageClass, errands);
  const why = claim.view.spec.storageClassName
    ? `storageclass.storage.k8s.io "${claim.view.spec.storageClassName}" not found`
    : 'no persistent volumes available for this claim and no storage class is set';
  note(cluster, CLAIMS, claim, 'Warning', claim.view.spec.storageClassName ? 'ProvisioningFailed' : 'FailedBinding', why);
  return undefined;
}

function seekNamed(cluster: Cluster, claim: Stored, name: string): undefined {
  const volume = cluster.find(VOLUMES, undefined, name);
  if (!volume) return;
  if (!isUnclaimedOr(volume, claim)) {
    note(cluster, CLAIMS, claim, 'Warning', 'FailedBinding', `volume "${name}" already bound to a different claim.`);
  } else if (volume.view.spec.claimRef || fits(volume, claim)) bind(cluster, volume, claim);
  else
    note(
      cluster,
      CLAIMS,
      claim,
      'Warning',
      'VolumeMismatch',
      `Cannot bind to requested volume "${name}": it does not fit the claim`,
    );
}

/** The smallest that is free and large enough. */
function best(cluster: Cluster, claim: Stored): Stored | undefined {
  const { selector } = claim.view.spec;
  return cluster
    .all(VOLUMES)
    .filter((volume) => !volume.view.spec.claimRef && !isLeaving(volume) && fits(volume, claim))
    .filter((volume) => !selector || selects(selector, volume.view.metadata.labels))
    .sort((a, b) => sizeOf(a) - sizeOf(b))[0];
}

const sizeOf = ({ view }: Stored): number => bytesOf(view.spec.capacity?.storage) ?? 0;

function fits(volume: Stored, claim: Stored): boolean {
  const [has, wants] = [volume.view.spec, claim.view.spec];
  return (
    (has.storageClassName ?? '') === (wants.storageClassName ?? '') &&
    (has.volumeMode ?? 'Filesystem') === (wants.volumeMode ?? 'Filesystem') &&
    sizeOf(volume) >= (bytesOf(wants.resources?.requests?.storage) ?? 0) &&
    (wants.accessModes ?? []).every((mode: string) => has.accessModes?.includes(mode))
  );
}

/** Both sides name each other; who was named by people before is not marked as found by the controller. */
function bind(cluster: Cluster, volume: Stored, claim: Stored): void {
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

function provide(cluster: Cluster, claim: Stored, { view }: Stored, errands: Errands): number | undefined {
  if (!isEbsProvisioner(view.provisioner)) {
    const message = `Waiting for a volume to be created either by the external provisioner '${view.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    note(cluster, CLAIMS, claim, 'Normal', 'ExternalProvisioning', message);
    return undefined;
  }
  const zone = zoneFor(cluster, claim);
  if (zone === undefined) return RETRY;
  const parameters = view.parameters ?? {};
  const errand = errands.run(claim.view.metadata.uid, () => createDisk(cluster, claim, parameters, zone));
  if (errand.state === 'under way') return ASKING;
  if (errand.state === 'failed') {
    note(
      cluster,
      CLAIMS,
      claim,
      'Warning',
      'ProvisioningFailed',
      `failed to provision volume with StorageClass "${view.metadata.name}": ${errand.why}`,
    );
    return RETRY;
  }
  const by = {
    name: view.metadata.name,
    reclaimPolicy: view.reclaimPolicy ?? 'Delete',
    fsType: parameters['csi.storage.k8s.io/fstype'],
  };
  make(cluster, VOLUMES, provisioned(claim, by, errand.id!, zone));
  return undefined;
}

/** The zone of the Node that the scheduler has chosen, or any that there is a Node in. */
function zoneFor(cluster: Cluster, claim: Stored): string | undefined {
  const chosen = annotation(claim, SELECTED_NODE);
  const nodes = cluster.all(NODES);
  const node = nodes.find(({ view }) => view.metadata.name === chosen) ?? nodes[0];
  return node && zoneOf(node);
}
