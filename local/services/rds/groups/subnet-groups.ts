import type * as SDK from '@aws-sdk/client-rds';
import { type Context, operations, refuse } from '../../../world/service.ts';
import type { Ec2State } from '../../ec2/state.ts';
import { paged } from '../paging.ts';
import type { RdsState } from '../state.ts';
import { tagsOf } from '../tags.ts';
import type { SubnetGroup } from './group.ts';

const MOST = 50;
/** RDS guide, "Working with a DB instance in a VPC": subnets in at least two Availability Zones. */
const LEAST_ZONES = 2;

export const describeSubnetGroup = (name: string, state: RdsState): SDK.DBSubnetGroup => {
  const group = state.subnetGroups.get(name);
  return {
    DBSubnetGroupName: name,
    DBSubnetGroupDescription: group?.description ?? 'default',
    ...(group?.vpc ? { VpcId: group.vpc } : {}),
    SubnetGroupStatus: 'Complete',
    DBSubnetGroupArn: state.arn('subgrp', name),
    Subnets: (group?.subnets ?? []).map(({ id, zone }) => ({
      SubnetIdentifier: id,
      SubnetAvailabilityZone: { Name: zone },
      SubnetStatus: 'Active',
    })),
  };
};

function subnetsOf(ids: readonly string[] | undefined, context: Context<RdsState>) {
  const ec2 = context.peer<Ec2State>('ec2');
  const found = (ids ?? []).map((id) => ec2.subnets.get(id) ?? refuse('InvalidSubnet', `The subnet ID '${id}' does not exist`));
  if (new Set(found.map(({ vpc }) => vpc)).size > 1)
    refuse('InvalidParameterValue', 'The DB subnet group spans several VPCs; all of its subnets must be in one.');
  if (new Set(found.map(({ zone }) => zone)).size < LEAST_ZONES)
    refuse(
      'DBSubnetGroupDoesNotCoverEnoughAZs',
      `The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: ${[...new Set(found.map(({ zone }) => zone))].join(', ')}. Add subnets to cover at least ${LEAST_ZONES} AZs.`,
    );
  return { vpc: found[0]?.vpc, subnets: found.map(({ id, zone }) => ({ id, zone })) };
}

const find = (name: string | undefined, state: RdsState): SubnetGroup =>
  state.subnetGroups.get((name ?? '').toLowerCase()) ??
  refuse('DBSubnetGroupNotFoundFault', `DB subnet group '${name}' does not exist.`, { status: 404 });

export const subnetGroups = operations<typeof SDK, RdsState>()({
  CreateDBSubnetGroup({ DBSubnetGroupName = '', DBSubnetGroupDescription = '', SubnetIds, Tags }, context) {
    const { state } = context;
    const name = DBSubnetGroupName.toLowerCase();
    if (!/^[a-z][a-z0-9 ._-]{0,254}$/.test(name) || name === 'default')
      refuse('InvalidParameterValue', `"${DBSubnetGroupName}" is not a valid name of a DB subnet group.`);
    if (state.subnetGroups.has(name)) refuse('DBSubnetGroupAlreadyExistsFault', `The DB subnet group '${name}' already exists.`);
    if (state.subnetGroups.size >= MOST)
      refuse('DBSubnetGroupQuotaExceededFault', `Cannot create more than ${MOST} DB subnet groups`);
    const group = { name, description: DBSubnetGroupDescription, ...subnetsOf(SubnetIds, context), tags: tagsOf(Tags) };
    state.subnetGroups.set(name, group);
    return { DBSubnetGroup: describeSubnetGroup(name, state) };
  },

  DescribeDBSubnetGroups({ DBSubnetGroupName, ...paging }, { state }) {
    const names = DBSubnetGroupName
      ? [DBSubnetGroupName === 'default' ? 'default' : find(DBSubnetGroupName, state).name]
      : [...state.subnetGroups.keys()];
    const { page, ...next } = paged(names, paging);
    return { DBSubnetGroups: page.map((name) => describeSubnetGroup(name, state)), ...next };
  },

  DeleteDBSubnetGroup({ DBSubnetGroupName }, { state }) {
    const { name } = find(DBSubnetGroupName, state);
    if ([...state.instances.values(), ...state.clusters.values()].some(({ settings }) => settings.subnetGroup === name))
      refuse(
        'InvalidDBSubnetGroupStateFault',
        `Cannot delete the subnet group '${name}' because at least one database instance is still using it.`,
      );
    state.subnetGroups.delete(name);
    return {};
  },
});
