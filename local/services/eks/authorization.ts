import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import type { EksState } from './state.ts';

/** Service Authorization Reference, "Amazon Elastic Kubernetes Service"; what happens inside a cluster its access entries decide. */
export const authorization: Authorization<EksState> = {
  refusing: { code: 'AccessDeniedException', status: 403 },
  members: { name: 'cluster', clusterName: 'cluster' },
  also: {
    CreateCluster: ({ roleArn }) => passing(roleArn, 'eks.amazonaws.com'),
    CreateNodegroup: ({ nodeRole }) => passing(nodeRole, 'eks.amazonaws.com'),
    CreatePodIdentityAssociation: ({ roleArn }) => passing(roleArn, 'pods.eks.amazonaws.com'),
  },
};
