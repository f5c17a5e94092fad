import type { Ec2State, Volume } from '../../services/ec2/state.ts';
import type { Cluster } from '../cluster.ts';

export const EBS = 'ebs.csi.aws.com';
const IN_TREE = 'kubernetes.io/aws-ebs';

/** Whether the EBS driver provides for a class; the in-tree name is its own by migration (Kubernetes, "CSI migration"). */
export const isEbsProvisioner = (provisioner: string): boolean => provisioner === EBS || provisioner === IN_TREE;

/** The EBS volume that a PersistentVolume's view names; undefined where it is of another kind. */
export function handleOf({ spec }: any): string | undefined {
  if (spec?.csi?.driver === EBS) return spec.csi.volumeHandle;
  const inTree = spec?.awsElasticBlockStore?.volumeID as string | undefined;
  return inTree?.split('/').at(-1);
}

/** An EBS volume of the cluster's own account and region; undefined where there is none of that id. */
export function diskOf({ world, place }: Cluster, id: string): Volume | undefined {
  return world.services.has('ec2') ? world.state<Ec2State>('ec2', place).volumes.get(id) : undefined;
}

/** Why a volume cannot be attached to a machine in a zone; undefined where it can. */
export function whyNotAttached(cluster: Cluster, id: string, zone: string): string | undefined {
  const disk = diskOf(cluster, id);
  if (!disk) return `rpc error: code = NotFound desc = volume "${id}" does not exist in ${cluster.place.region}`;
  if (disk.zone !== zone) {
    return `rpc error: code = Internal desc = InvalidVolume.ZoneMismatch: the volume "${id}" is in ${disk.zone}, and the node in ${zone}`;
  }
  if (disk.state === 'available' || disk.state === 'in-use') return undefined;
  return `rpc error: code = Internal desc = IncorrectState: the volume "${id}" is ${disk.state}`;
}
