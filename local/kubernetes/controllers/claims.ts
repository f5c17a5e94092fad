import type { Cluster } from '../cluster.ts';
import { selects } from '../select.ts';
import type { Stored } from '../store.ts';
import {
  ASKING,
  annotation,
  BIND_COMPLETED,
  bind,
  CLAIMS,
  CLASSES,
  classOf,
  fits,
  isLate,
  isUnclaimedOr,
  RETRY,
  refers,
  SELECTED_NODE,
  sizeOf,
  VOLUMES,
} from './binding.ts';
import { amend, type Controller, isLeaving, keyIn, look, make, note, own } from './controller.ts';
import { isEbsProvisioner } from './disks.ts';
import { NODES, zoneOf } from './nodes.ts';
import { createDisk, Errands, provisioned } from './provisioner.ts';

/** Finds or makes a volume for each claim, and holds it to it. */
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
