import type * as SDK from '@aws-sdk/client-eks';
import { type Context, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import type { EksState, Kept } from './state.ts';

/** Seconds until a new cluster answers; AWS speaks of several minutes (EKS guide, "Create an Amazon EKS cluster"), the seed decides. */
const CREATING = [480, 900] as const;
const DELETING = [120, 300] as const;
const UPDATING = [60, 180] as const;
/** A new version comes to one machine of the control plane after the other. */
const UPGRADING = [480, 900] as const;
const NEWEST = '1.34';

function describe(cluster: Kept, { state }: Pick<Context<EksState>, 'state'>): SDK.Cluster {
  const { world, place } = state;
  const { network, api } = cluster;
  return {
    name: cluster.name,
    arn: state.arn('cluster', cluster.name),
    id: cluster.id,
    createdAt: cluster.createdAt,
    version: cluster.version,
    platformVersion: 'eks.1',
    status: cluster.status,
    roleArn: cluster.role,
    resourcesVpcConfig: {
      subnetIds: network.subnetIds ?? [],
      securityGroupIds: network.securityGroupIds ?? [],
      endpointPublicAccess: network.endpointPublicAccess ?? true,
      endpointPrivateAccess: network.endpointPrivateAccess ?? false,
      publicAccessCidrs: network.publicAccessCidrs ?? ['0.0.0.0/0'],
    },
    kubernetesNetworkConfig: { serviceIpv4Cidr: cluster.serviceCidr, ipFamily: 'ipv4' },
    accessConfig: { authenticationMode: cluster.authenticationMode },
    identity: {
      oidc: { issuer: `https://oidc.eks.${place.region}.amazonaws.com/id/${cluster.id.toUpperCase().replaceAll('-', '')}` },
    },
    tags: cluster.tags,
    ...(cluster.logging ? { logging: cluster.logging } : {}),
    ...(cluster.encryption ? { encryptionConfig: cluster.encryption } : {}),
    ...(api
      ? {
          endpoint: `${world.origin}/_eks/${place.account}/${place.region}/${cluster.name}`,
          certificateAuthority: { data: Buffer.from(api.authority).toString('base64') },
        }
      : {}),
  };
}

function begin(cluster: Kept, type: SDK.UpdateType, { world, now }: Context<EksState>): SDK.Update {
  const update: SDK.Update = { id: world.random.uuid(), status: 'InProgress', type, createdAt: now(), params: [], errors: [] };
  cluster.updates.set(update.id!, update);
  cluster.status = 'UPDATING';
  return update;
}

const minor = (version: string): number => Number(version.split('.')[1]);

export const clusters = operations<typeof SDK, EksState>()({
  CreateCluster(input, context) {
    const { state, now, after, world } = context;
    const { name = '', roleArn: role, version = NEWEST, resourcesVpcConfig: network, clientRequestToken: token } = input;
    const known = state.clusters.get(name);
    if (known && token !== undefined && known.token === token) return { cluster: describe(known, context) };
    if (known) refuse('ResourceInUseException', `Cluster already exists with name: ${name}`);
    if (!/^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/.test(name))
      refuse('InvalidParameterException', `The cluster name "${name}" is not valid.`);
    if (!role) return refuse('InvalidParameterException', 'roleArn is required');
    if (!network?.subnetIds?.length) return refuse('InvalidParameterException', 'subnetIds are required');
    const cluster: Kept = {
      id: world.random.uuid(),
      name,
      role,
      version,
      network,
      token,
      createdAt: now(),
      serviceCidr: input.kubernetesNetworkConfig?.serviceIpv4Cidr ?? '10.100.0.0/16',
      encryption: input.encryptionConfig,
      logging: input.logging,
      authenticationMode: input.accessConfig?.authenticationMode ?? 'API_AND_CONFIG_MAP',
      status: 'CREATING',
      tags: { ...input.tags },
      nodegroups: new Map(),
      entries: new Map(),
      associations: new Map(),
      addons: new Map(),
      updates: new Map(),
    };
    state.clusters.set(name, cluster);
    after(CREATING, () => {
      if (cluster.status === 'CREATING') state.open(cluster);
    });
    return { cluster: describe(cluster, context) };
  },

  DescribeCluster: ({ name }, context) => ({ cluster: describe(context.state.find(name), context) }),

  ListClusters({ maxResults, nextToken }, { state }) {
    const { page, ...next } = paged([...state.clusters.keys()].sort(), maxResults, nextToken);
    return { clusters: page, ...next };
  },

  /** What is in the cluster's namespaces goes with it; what its volumes hold stays (EKS guide, "Delete a cluster"). */
  DeleteCluster({ name }, context) {
    const { state, after } = context;
    const cluster = state.find(name);
    if (cluster.nodegroups.size > 0) refuse('ResourceInUseException', 'Cluster has nodegroups attached');
    cluster.status = 'DELETING';
    after(DELETING, () => state.close(cluster));
    return { cluster: describe(cluster, context) };
  },

  UpdateClusterConfig({ name, resourcesVpcConfig, logging, accessConfig }, context) {
    const cluster = context.state.active(name);
    const type = logging ? 'LoggingUpdate' : accessConfig ? 'AccessConfigUpdate' : 'EndpointAccessUpdate';
    const update = begin(cluster, type, context);
    context.after(UPDATING, () => {
      cluster.network = { ...cluster.network, ...resourcesVpcConfig };
      if (logging) cluster.logging = logging;
      if (accessConfig?.authenticationMode) cluster.authenticationMode = accessConfig.authenticationMode;
      cluster.status = 'ACTIVE';
      update.status = 'Successful';
    });
    return { update };
  },

  /** One minor version at a time, and never back (EKS guide, "Update existing cluster to new Kubernetes version"). */
  UpdateClusterVersion({ name, version = '' }, context) {
    const cluster = context.state.active(name);
    if (minor(version) !== minor(cluster.version) + 1) {
      refuse('InvalidParameterException', `Unsupported Kubernetes minor version update from ${cluster.version} to ${version}`);
    }
    const update = begin(cluster, 'VersionUpdate', context);
    context.after(UPGRADING, () => {
      Object.assign(cluster, { version, status: 'ACTIVE' });
      if (cluster.api) cluster.api.version = version;
      update.status = 'Successful';
    });
    return { update };
  },

  DescribeUpdate({ name, updateId = '' }, { state }) {
    const update = state.find(name).updates.get(updateId);
    return { update: update ?? refuse('ResourceNotFoundException', `No update found for ID: ${updateId}`) };
  },

  ListUpdates: ({ name }, { state }) => ({ updateIds: [...state.find(name).updates.keys()] }),
});
