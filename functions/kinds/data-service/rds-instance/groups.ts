import {
  DescribeDBParameterGroupsCommand,
  DescribeDBSubnetGroupsCommand,
  DescribeOptionGroupsCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import type { Door } from '../../../aws/verb.ts';
import { samePlace } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { factsOf } from './instance.ts';

const { read } = calls('rds', RDSClient);

export const looksAtGroups = {
  parameterGroups: read(DescribeDBParameterGroupsCommand),
  optionGroups: read(DescribeOptionGroupsCommand),
  subnetGroups: read(DescribeDBSubnetGroupsCommand),
};
type Looking = Door<typeof looksAtGroups>;
type Placings = Pick<Looking, 'subnetGroups'>;

/** What a restored instance is put into, in the members of RDS's restore calls. */
export interface Placing {
  readonly DBParameterGroupName?: string;
  readonly OptionGroupName?: string;
  readonly DBSubnetGroupName?: string;
  readonly VpcSecurityGroupIds?: string[];
}

/**
 * The groups of the target: of the original's names, which must be there; the subnet group that lies in the target's subnets, where it names any;
 * the target's security groups. At home, the original's own.
 */
export async function placingOf(aws: Placings, work: RestoreWork): Promise<Placing> {
  const { resource, target } = work;
  const { parameterGroup, optionGroup, subnetGroup, securityGroups } = factsOf(resource);
  const atHome = samePlace(target.place, resource.place);
  const groups = target.securityGroups.length > 0 ? target.securityGroups : atHome ? securityGroups : [];
  const subnets = target.subnets.length > 0 ? await groupWithin(aws, target.subnets) : undefined;
  const subnetGroupName = subnets ?? subnetGroup;
  return {
    ...(parameterGroup ? { DBParameterGroupName: parameterGroup } : {}),
    ...(optionGroup ? { OptionGroupName: optionGroup } : {}),
    ...(subnetGroupName ? { DBSubnetGroupName: subnetGroupName } : {}),
    ...(groups.length > 0 ? { VpcSecurityGroupIds: [...groups] } : {}),
  };
}

/** A DB subnet group that has no subnets but these. */
async function groupWithin(aws: Placings, subnets: readonly string[]): Promise<string | undefined> {
  let Marker: string | undefined;
  do {
    const page = await aws.subnetGroups(Marker ? { Marker } : {});
    const found = page.DBSubnetGroups?.find(
      ({ Subnets = [] }) =>
        Subnets.length > 0 && Subnets.every(({ SubnetIdentifier = '' }) => subnets.includes(SubnetIdentifier)),
    );
    if (found) return found.DBSubnetGroupName;
    Marker = page.Marker || undefined;
  } while (Marker);
  return undefined;
}

/** Which of these groups the target lacks, one sentence each. Default groups come to be when they are first used. */
export async function lackingGroups(aws: Looking, placing: Placing, { target, resource }: RestoreWork): Promise<string[]> {
  const { DBParameterGroupName, OptionGroupName, DBSubnetGroupName } = placing;
  const missing = (what: string, name: string, fix: string) =>
    `The ${what} ${name} of ${resource.name} does not exist in ${target.place.region}; ${fix}.`;
  const isThere = (asked: Promise<unknown>, gone: string) =>
    asked.then(
      () => true,
      when(gone, () => false),
    );
  const lacks: string[] = [];
  if (
    DBParameterGroupName &&
    !DBParameterGroupName.startsWith('default.') &&
    !(await isThere(aws.parameterGroups({ DBParameterGroupName }), 'DBParameterGroupNotFoundFault'))
  )
    lacks.push(missing('parameter group', DBParameterGroupName, 'make one of that name there'));
  if (
    OptionGroupName &&
    !OptionGroupName.startsWith('default:') &&
    !(await isThere(aws.optionGroups({ OptionGroupName }), 'OptionGroupNotFoundFault'))
  )
    lacks.push(missing('option group', OptionGroupName, 'make one of that name there'));
  if (
    DBSubnetGroupName &&
    DBSubnetGroupName !== 'default' &&
    !(await isThere(aws.subnetGroups({ DBSubnetGroupName }), 'DBSubnetGroupNotFoundFault'))
  )
    lacks.push(
      missing(
        'DB subnet group',
        DBSubnetGroupName,
        'make one of that name there, or name the subnets of another under target.subnets',
      ),
    );
  return lacks;
}
