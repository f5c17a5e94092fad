import type * as SDK from '@aws-sdk/client-eks';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import type { Addon, EksState, Kept } from './state.ts';

const CREATING = [20, 90] as const;

const describe = (cluster: Kept, addon: Addon, state: EksState): SDK.Addon => ({
  addonName: addon.name,
  clusterName: cluster.name,
  status: addon.status,
  addonVersion: addon.version,
  health: { issues: [] },
  addonArn: state.arn('addon', cluster.name, addon.name),
  createdAt: addon.createdAt,
  modifiedAt: addon.createdAt,
  ...(addon.role === undefined ? {} : { serviceAccountRoleArn: addon.role }),
  tags: addon.tags,
});

function find(cluster: Kept, name = ''): Addon {
  return cluster.addons.get(name) ?? refuse('ResourceNotFoundException', `No addon: ${name} found in cluster: ${cluster.name}`);
}

/** Add-ons by their names: what they install is not in the cluster, and the EBS driver works whether it is listed or not. */
export const addons = operations<typeof SDK, EksState>()({
  CreateAddon(
    { clusterName, addonName: name = '', addonVersion: version = 'v1.0.0-eksbuild.1', serviceAccountRoleArn: role, tags },
    { state, now, after },
  ) {
    const cluster = state.find(clusterName);
    if (cluster.addons.has(name)) refuse('ResourceInUseException', 'Addon already exists.');
    const addon: Addon = { name, version, role, createdAt: now(), status: 'CREATING', tags: { ...tags } };
    cluster.addons.set(name, addon);
    after(CREATING, () => {
      addon.status = 'ACTIVE';
    });
    return { addon: describe(cluster, addon, state) };
  },

  DescribeAddon({ clusterName, addonName }, { state }) {
    const cluster = state.find(clusterName);
    return { addon: describe(cluster, find(cluster, addonName), state) };
  },

  ListAddons({ clusterName, maxResults, nextToken }, { state }) {
    const { page, ...next } = paged([...state.find(clusterName).addons.keys()].sort(), maxResults, nextToken);
    return { addons: page, ...next };
  },

  DeleteAddon({ clusterName, addonName }, { state }) {
    const cluster = state.find(clusterName);
    const addon = find(cluster, addonName);
    cluster.addons.delete(addon.name);
    addon.status = 'DELETING';
    return { addon: describe(cluster, addon, state) };
  },
});
