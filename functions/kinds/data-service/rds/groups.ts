import { DescribeDBParameterGroupsCommand, DescribeDBSubnetGroupsCommand, RDSClient } from '@aws-sdk/client-rds';
import { calls } from '../../../aws/call.ts';
import { when } from '../../../aws/errors.ts';
import { verb } from '../../../aws/verb.ts';
import { samePlace } from '../../../domain.ts';
import type { RestoreWork } from '../../kind.ts';
import { everyPage } from './databases.ts';
import { databaseFacts } from './facts.ts';

const { read } = calls('rds', RDSClient);
const subnets = { subnetGroups: read(DescribeDBSubnetGroupsCommand) };

/** Where a restored database lies, in the members of RDS's restore calls. */
export interface Network {
  readonly DBSubnetGroupName?: string;
  readonly VpcSecurityGroupIds?: string[];
}

/**
 * The subnet group that lies in the target's subnets, where it names any, else of the original's name; the target's security groups, at home
 * the original's own.
 */
export const networkOf = verb(subnets, async (aws, { resource, target }: RestoreWork): Promise<Network> => {
  const { subnetGroup, securityGroups } = databaseFacts(resource);
  const atHome = samePlace(target.place, resource.place);
  const groups = target.securityGroups.length > 0 ? target.securityGroups : atHome ? securityGroups : [];
  const every = async () =>
    everyPage(async (marker) => {
      const { DBSubnetGroups, Marker } = await aws.subnetGroups(marker);
      return { found: DBSubnetGroups, Marker };
    });
  const within =
    target.subnets.length > 0
      ? (await every()).find(
          ({ Subnets = [] }) =>
            Subnets.length > 0 && Subnets.every(({ SubnetIdentifier = '' }) => target.subnets.includes(SubnetIdentifier)),
        )
      : undefined;
  const name = within?.DBSubnetGroupName ?? subnetGroup;
  return {
    ...(name ? { DBSubnetGroupName: name } : {}),
    ...(groups.length > 0 ? { VpcSecurityGroupIds: [...groups] } : {}),
  };
});

/** What a restored database is put into, by what it is called and its name; null where the original had none. */
export interface Group {
  readonly what: string;
  readonly name: string | null | undefined;
}

/** A sentence for a group that the target lacks. Default groups come to be when they are first used. */
export async function lacking(
  { what, name }: Group,
  { resource, target }: RestoreWork,
  ask: (name: string) => Promise<unknown>,
  gone: string,
): Promise<string[]> {
  if (!name || /^default([.:]|$)/.test(name)) return [];
  const there = await ask(name).then(
    () => true,
    when(gone, () => false),
  );
  const orElse = what === SUBNET_GROUP ? ', or name the subnets of another under target.subnets' : '';
  return there
    ? []
    : [`The ${what} ${name} of ${resource.name} does not exist in ${target.place.region}; make one of that name there${orElse}.`];
}
const SUBNET_GROUP = 'DB subnet group';

export const lackingSubnetGroup = verb(subnets, (aws, { work, network }: { work: RestoreWork; network: Network }) =>
  lacking(
    { what: SUBNET_GROUP, name: network.DBSubnetGroupName },
    work,
    (DBSubnetGroupName) => aws.subnetGroups({ DBSubnetGroupName }),
    'DBSubnetGroupNotFoundFault',
  ),
);

export const lackingParameterGroup = verb(
  { parameterGroups: read(DescribeDBParameterGroupsCommand) },
  (aws, { work, name }: { work: RestoreWork; name: string | null }) =>
    lacking(
      { what: 'parameter group', name },
      work,
      (DBParameterGroupName) => aws.parameterGroups({ DBParameterGroupName }),
      'DBParameterGroupNotFoundFault',
    ),
);
