import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { samePlace } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { factsOf } from './file-system.ts';

export const lookingAtSubnets = { subnets: calls('ec2', EC2Client).read(DescribeSubnetsCommand) };

/** A mount target that a restored file system is to have. */
export interface Mount {
  readonly subnet: string;
  readonly zone: string;
  /** Undefined where the VPC's default group is to be taken. */
  readonly securityGroups: readonly string[] | undefined;
}

/**
 * Where the restored file system is to be mounted: in the target's subnets, one for each zone (EFS API, CreateMountTarget); at home, where
 * the target names none, where the original was. And what stands in the way. An original that nobody could mount is restored so.
 */
export async function mountsOf(
  aws: Door<typeof lookingAtSubnets>,
  { resource, target, vault }: RestoreWork,
): Promise<{ mounts: Mount[]; lacks: string[] }> {
  const { mountTargets } = factsOf(resource);
  const atHome = samePlace(target.place, resource.place);
  const SubnetIds = target.subnets.length > 0 ? target.subnets : atHome ? mountTargets.map(({ subnet }) => subnet) : [];
  if (mountTargets.length === 0) return { mounts: [], lacks: [] };
  const where = `vaults.${vault.name}.target.subnets`;
  if (SubnetIds.length === 0) {
    const lack = `${resource.name} was mounted, and the target names no subnets to mount it in; name them under ${where}.`;
    return { mounts: [], lacks: [lack] };
  }
  const found = await aws
    .subnets({ SubnetIds: [...SubnetIds] })
    .catch(when('InvalidSubnetID.NotFound', ({ message }) => message));
  if (typeof found === 'string') {
    const lack = `${resource.name} is to be mounted in ${SubnetIds.join(', ')} of ${target.place.region}, and not all of them exist (${found}); name those that do under ${where}.`;
    return { mounts: [], lacks: [lack] };
  }
  const mounts = new Map<string, Mount>();
  for (const { SubnetId = '', AvailabilityZone: zone = '' } of found.Subnets ?? []) {
    const original = atHome ? mountTargets.find((one) => one.zone === zone)?.securityGroups : undefined;
    const securityGroups = target.securityGroups.length > 0 ? target.securityGroups : original;
    if (!mounts.has(zone)) mounts.set(zone, { subnet: SubnetId, zone, securityGroups });
  }
  return { mounts: [...mounts.values()], lacks: [] };
}
