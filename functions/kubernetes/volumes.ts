import type { Document } from './document.ts';
import type { KubernetesObject } from './object.ts';

/**
 * Static volumes, by what the binder of kube-controller-manager 1.26 was seen to do. A volume that keeps its claim's old uid is Released at once, and with `Delete` its
 * disk is removed; a claim that says it is bound before its volume is there is Lost for ever. So both are written as if nothing had ever
 * bound them, and each names the other.
 */

/** Where a volume's bytes are. */
export interface VolumeSource {
  readonly driver: string;
  /** `vol-…` for EBS, whatever the driver calls it otherwise. */
  readonly handle: string;
}

const EBS = 'ebs.csi.aws.com';
const ZONE = 'topology.kubernetes.io/zone';
const REGION = 'topology.kubernetes.io/region';
const ZONE_KEYS = new Set([
  ZONE,
  'topology.ebs.csi.aws.com/zone',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.k8s.aws/zone-id',
]);
const REGION_KEYS = new Set([REGION, 'failure-domain.beta.kubernetes.io/region']);
/** The policy that a restored volume gets back once it is sure that its claim holds it. */
export const RECLAIM_ANNOTATION = 'stillpoint/reclaim-policy';

/** The disk of a PersistentVolume; undefined for one that no driver of ours or anybody's provides (hostPath, local, NFS, …). */
export function sourceOf({ spec }: KubernetesObject): VolumeSource | undefined {
  const inTree = spec?.awsElasticBlockStore?.volumeID as string | undefined;
  if (inTree !== undefined) return { driver: EBS, handle: volumeId(inTree) };
  const { driver, volumeHandle } = (spec?.csi ?? {}) as { driver?: string; volumeHandle?: string };
  if (driver === undefined || volumeHandle === undefined) return undefined;
  return { driver, handle: driver === EBS ? volumeId(volumeHandle) : volumeHandle };
}

export const isEbs = (source: Pick<VolumeSource, 'driver'> | undefined): boolean => source?.driver === EBS;

/** The file system in a handle: after it come a path and an access point, `fs-…:/path:fsap-…` (aws-efs-csi-driver, "Volume handle"). */
export const fileSystemIn = ({ handle }: Pick<VolumeSource, 'handle'>): string => handle.split(':')[0] as string;

/** EBS handles were `aws://us-east-1a/vol-…` once and are `vol-…` now (aws-ebs-csi-driver). */
const volumeId = (handle: string): string => /vol-[0-9a-f]+/.exec(handle)?.[0] ?? handle;

/** What became of a disk. */
export interface NewVolume {
  readonly id: string;
  readonly zone: string;
  readonly gibibytes: number;
}

export interface Rebinding {
  readonly name: string;
  readonly claim: { readonly namespace: string; readonly name: string };
  /** Present for EBS: where the restored disk is. Other handles are renamed by their text. */
  readonly disk?: NewVolume;
}

/** Makes a PersistentVolume one that was never bound, for the restored disk and its one claim. It keeps the disk whatever happens to the claim. */
export function rebindVolume(doc: Document, pv: KubernetesObject, { name, claim, disk }: Rebinding): void {
  doc.set(['metadata', 'name'], name);
  doc.set(['spec', 'claimRef'], { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim });
  const policy = doc.string('spec', 'persistentVolumeReclaimPolicy') ?? 'Retain';
  if (policy !== 'Retain') {
    doc.set(['spec', 'persistentVolumeReclaimPolicy'], 'Retain').set(['metadata', 'annotations', RECLAIM_ANNOTATION], policy);
  }
  for (const key of ['pv.kubernetes.io/bound-by-controller', 'pv.kubernetes.io/migrated-to'])
    doc.remove('metadata', 'annotations', key);
  doc.removeWhere(['metadata', 'finalizers'], (finalizer) =>
    /pv-protection|external-(attacher|provisioner)/.test(String(finalizer)),
  );
  doc.remove('spec', 'csi', 'volumeAttributes', 'storage.kubernetes.io/csiProvisionerIdentity');
  doc.remove('spec', 'volumeAttributesClassName');
  if (disk) placeDisk(doc, pv, disk);
}

function placeDisk(doc: Document, pv: KubernetesObject, { id, zone, gibibytes }: NewVolume): void {
  if (doc.has('spec', 'awsElasticBlockStore')) leaveTree(doc, pv);
  doc.set(['spec', 'csi', 'volumeHandle'], id);
  doc.set(['spec', 'nodeAffinity'], { required: { nodeSelectorTerms: termsIn(zone, pv) } });
  for (const key of doc.keys('metadata', 'labels')) {
    if (ZONE_KEYS.has(key) && key !== 'topology.k8s.aws/zone-id') doc.set(['metadata', 'labels', key], zone);
    if (REGION_KEYS.has(key)) doc.set(['metadata', 'labels', key], zone.slice(0, -1));
  }
  if (bytesOf(doc.string('spec', 'capacity', 'storage')) !== gibibytes * 2 ** 30) {
    doc.set(['spec', 'capacity', 'storage'], `${gibibytes}Gi`);
  }
}

/** An in-tree volume becomes one of the EBS CSI driver, which is what the migration makes of it anyway (Kubernetes, "CSI migration"). */
function leaveTree(doc: Document, { spec }: KubernetesObject): void {
  const { fsType, partition, readOnly } = spec.awsElasticBlockStore as {
    fsType?: string;
    partition?: number;
    readOnly?: boolean;
  };
  doc.remove('spec', 'awsElasticBlockStore').set(['spec', 'csi'], {
    driver: EBS,
    volumeHandle: '',
    ...(fsType === undefined ? {} : { fsType }),
    ...(readOnly ? { readOnly } : {}),
    ...(partition ? { volumeAttributes: { partition: String(partition) } } : {}),
  });
  if (doc.has('metadata', 'annotations', 'pv.kubernetes.io/provisioned-by')) {
    doc.set(['metadata', 'annotations', 'pv.kubernetes.io/provisioned-by'], EBS);
  }
}

interface Term {
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator?: string;
    readonly values?: readonly string[];
  }[];
}

/** The volume's own demands on its node, with the zone that its disk is in now. */
function termsIn(zone: string, { spec }: KubernetesObject): Term[] {
  const terms = (spec?.nodeAffinity?.required?.nodeSelectorTerms ?? []) as readonly Term[];
  const kept = terms.map(({ matchExpressions = [], ...rest }) => ({
    ...rest,
    matchExpressions: [
      { key: ZONE, operator: 'In', values: [zone] },
      ...matchExpressions.filter(({ key }) => !ZONE_KEYS.has(key) && !REGION_KEYS.has(key)),
    ],
  }));
  return kept.length > 0 ? kept : [{ matchExpressions: [{ key: ZONE, operator: 'In', values: [zone] }] }];
}

/** Makes a claim one that was never bound, for the volume of that name; without a volume, one that its class provides for anew. */
export function rebindClaim(doc: Document, volume?: { readonly name: string; readonly gibibytes?: number }): void {
  for (const key of [
    'pv.kubernetes.io/bind-completed',
    'pv.kubernetes.io/bound-by-controller',
    'volume.kubernetes.io/selected-node',
    'volume.kubernetes.io/storage-provisioner',
    'volume.beta.kubernetes.io/storage-provisioner',
  ]) {
    doc.remove('metadata', 'annotations', key);
  }
  doc.removeWhere(['metadata', 'finalizers'], (finalizer) => finalizer === 'kubernetes.io/pvc-protection');
  for (const field of ['dataSource', 'dataSourceRef', 'volumeAttributesClassName', 'volumeName']) doc.remove('spec', field);
  if (!volume) return;
  doc.remove('spec', 'selector').set(['spec', 'volumeName'], volume.name);
  const size = (volume.gibibytes ?? Number.POSITIVE_INFINITY) * 2 ** 30;
  if ((bytesOf(doc.string('spec', 'resources', 'requests', 'storage')) ?? 0) > size) {
    doc.set(['spec', 'resources', 'requests', 'storage'], `${volume.gibibytes}Gi`);
  }
}

const SUFFIXES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A quantity in bytes; undefined for what is none (Kubernetes, "Quantity"). */
export function bytesOf(quantity: string | undefined): number | undefined {
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(quantity ?? '') ?? [];
  const factor = SUFFIXES[suffix];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}
