import { Refusal } from '../../world/service.ts';
import { ConnectionLost } from '../../world/world.ts';
import type { Cluster } from '../cluster.ts';
import { bytesOf, gibibytesOf } from '../quantity.ts';
import type { Stored } from '../store.ts';
import { diskOf, EBS } from './disks.ts';

/** A call to EC2 that is under way, or what came of it. */
export type Errand =
  | { readonly state: 'under way' }
  | { readonly state: 'done'; readonly id?: string }
  | { readonly state: 'failed'; readonly why: string };

/** Calls EC2 as the EBS driver does, and remembers what came of it until somebody asks. */
export class Errands {
  readonly #errands = new Map<string, Errand>();

  /** Begins, or says how far it is; what has ended is told once. */
  run(key: string, begin: () => Promise<string | undefined>): Errand {
    const known = this.#errands.get(key);
    if (known) {
      if (known.state !== 'under way') this.#errands.delete(key);
      return known;
    }
    const underWay: Errand = { state: 'under way' };
    this.#errands.set(key, underWay);
    void begin().then(
      (id) => this.#errands.set(key, { state: 'done', ...(id === undefined ? {} : { id }) }),
      (error: Error) => {
        if (!(error instanceof Refusal) && !(error instanceof ConnectionLost)) throw error;
        this.#errands.set(key, { state: 'failed', why: `${error.name}: ${error.message}` });
      },
    );
    return underWay;
  }
}

/** What a class asks of EBS (aws-ebs-csi-driver, "StorageClass parameters"). */
interface Parameters {
  readonly type?: string;
  readonly encrypted?: string;
  readonly kmsKeyId?: string;
  readonly iops?: string;
  readonly throughput?: string;
}

/** The driver answers when a volume can be attached. */
const POLLING_MILLIS = 1000;

/** Makes a volume for a claim, with the tags by which the driver knows its own (aws-ebs-csi-driver, "Volume Tagging"). */
export async function createDisk(
  cluster: Cluster,
  claim: Stored,
  { type = 'gp3', encrypted, kmsKeyId, iops, throughput }: Parameters,
  zone: string,
): Promise<string> {
  const { name, namespace, uid } = claim.view.metadata;
  const tags = {
    CSIVolumeName: nameFor(claim),
    'ebs.csi.aws.com/cluster': 'true',
    KubernetesCluster: cluster.name,
    [`kubernetes.io/cluster/${cluster.name}`]: 'owned',
    'kubernetes.io/created-for/pvc/name': name,
    'kubernetes.io/created-for/pvc/namespace': namespace,
    'kubernetes.io/created-for/pv/name': nameFor(claim),
  };
  const input = {
    AvailabilityZone: zone,
    Size: sizeOf(claim),
    VolumeType: type,
    ClientToken: uid,
    ...(encrypted === 'true' ? { Encrypted: true } : {}),
    ...(kmsKeyId ? { KmsKeyId: kmsKeyId } : {}),
    ...(iops ? { Iops: Number(iops) } : {}),
    ...(throughput ? { Throughput: Number(throughput) } : {}),
    TagSpecifications: [{ ResourceType: 'volume', Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }],
  };
  const { VolumeId } = (await cluster.world.call({ place: cluster.place, service: 'ec2', operation: 'CreateVolume', input })) as {
    VolumeId: string;
  };
  while (diskOf(cluster, VolumeId)?.state === 'creating') await cluster.world.clock.sleep(POLLING_MILLIS);
  return VolumeId;
}

/** Deletes a volume; one that is gone already is deleted. */
export async function deleteDisk({ world, place }: Cluster, id: string): Promise<undefined> {
  await world.call({ place, service: 'ec2', operation: 'DeleteVolume', input: { VolumeId: id } }).catch((error: Error) => {
    if (error.name !== 'InvalidVolume.NotFound') throw error;
  });
}

const nameFor = ({ view }: Stored): string => `pvc-${view.metadata.uid}`;
const sizeOf = ({ view }: Stored): number => gibibytesOf(bytesOf(view.spec.resources?.requests?.storage) ?? 1);

/** The PersistentVolume that the driver's provisioner writes for a volume that it made: bound to its claim from the first moment. */
export function provisioned(
  claim: Stored,
  { name: storageClass, reclaimPolicy, fsType }: { name: string; reclaimPolicy: string; fsType?: string },
  id: string,
  zone: string,
): object {
  const { name, namespace, uid, resourceVersion } = claim.view.metadata;
  return {
    metadata: {
      name: nameFor(claim),
      annotations: { 'pv.kubernetes.io/provisioned-by': EBS },
      finalizers: ['external-provisioner.volume.kubernetes.io/finalizer', 'kubernetes.io/pv-protection'],
    },
    spec: {
      capacity: { storage: `${sizeOf(claim)}Gi` },
      csi: { driver: EBS, volumeHandle: id, fsType: fsType ?? 'ext4' },
      accessModes: claim.view.spec.accessModes,
      claimRef: { kind: 'PersistentVolumeClaim', namespace, name, uid, apiVersion: 'v1', resourceVersion },
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: storageClass,
      volumeMode: claim.view.spec.volumeMode,
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: [zone] }] }],
        },
      },
    },
  };
}
