import type * as SDK from '@aws-sdk/client-eks';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import type { EksState, Kept, Nodegroup } from './state.ts';

const CREATING = [90, 240] as const;
const DELETING = [120, 300] as const;

const describe = (cluster: Kept, group: Nodegroup, state: EksState): SDK.Nodegroup => ({
  nodegroupName: group.name,
  nodegroupArn: state.arn('nodegroup', cluster.name, group.name, group.id),
  clusterName: cluster.name,
  version: cluster.version,
  createdAt: group.createdAt,
  status: group.status,
  capacityType: 'ON_DEMAND',
  scalingConfig: group.scaling,
  instanceTypes: [...group.instanceTypes],
  subnets: [...group.subnets],
  nodeRole: group.role,
  labels: group.labels,
  health: { issues: [] },
  tags: group.tags,
});

function find(cluster: Kept, name = ''): Nodegroup {
  return cluster.nodegroups.get(name) ?? refuse('ResourceNotFoundException', `No node group found for name: ${name}.`);
}

/** Node groups give a cluster its machines: here one for each zone of their subnets, whatever their sizes say. */
export const nodegroups = operations<typeof SDK, EksState>()({
  CreateNodegroup(input, { state, now, after, world }) {
    const cluster = state.active(input.clusterName);
    const { nodegroupName: name = '', nodeRole: role, subnets = [] } = input;
    if (cluster.nodegroups.has(name))
      refuse('ResourceInUseException', `NodeGroup already exists with name ${name} and cluster name ${cluster.name}`);
    if (!role) return refuse('InvalidParameterException', 'nodeRole is required');
    if (subnets.length === 0) refuse('InvalidParameterException', 'Subnets are required');
    const group: Nodegroup = {
      id: world.random.uuid(),
      name,
      subnets,
      role,
      createdAt: now(),
      labels: { ...input.labels },
      instanceTypes: input.instanceTypes ?? ['t3.medium'],
      scaling: input.scalingConfig ?? { minSize: 1, maxSize: 2, desiredSize: 2 },
      status: 'CREATING',
      tags: { ...input.tags },
    };
    cluster.nodegroups.set(name, group);
    after(CREATING, () => {
      group.status = 'ACTIVE';
      state.equip(cluster);
    });
    return { nodegroup: describe(cluster, group, state) };
  },

  DescribeNodegroup({ clusterName, nodegroupName }, { state }) {
    const cluster = state.find(clusterName);
    return { nodegroup: describe(cluster, find(cluster, nodegroupName), state) };
  },

  ListNodegroups({ clusterName, maxResults, nextToken }, { state }) {
    const { page, ...next } = paged([...state.find(clusterName).nodegroups.keys()], maxResults, nextToken);
    return { nodegroups: page, ...next };
  },

  DeleteNodegroup({ clusterName, nodegroupName }, { state, after }) {
    const cluster = state.find(clusterName);
    const group = find(cluster, nodegroupName);
    group.status = 'DELETING';
    after(DELETING, () => {
      cluster.nodegroups.delete(group.name);
      state.equip(cluster);
    });
    return { nodegroup: describe(cluster, group, state) };
  },
});
