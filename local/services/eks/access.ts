import type * as SDK from '@aws-sdk/client-eks';
import { operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import type { Association, EksState, Entry, Kept } from './state.ts';

const describeEntry = (cluster: Kept, entry: Entry, state: EksState): SDK.AccessEntry => ({
  clusterName: cluster.name,
  principalArn: entry.principal,
  accessEntryArn: state.arn('access-entry', cluster.name, entry.id),
  kubernetesGroups: [...entry.groups],
  createdAt: entry.createdAt,
  modifiedAt: entry.createdAt,
  username: entry.username ?? entry.principal,
  type: entry.type,
  tags: entry.tags,
});

function entryOf(cluster: Kept, principal = ''): Entry {
  const found = cluster.entries.get(principal);
  return found ?? refuse('ResourceNotFoundException', `The specified principalArn could not be found: ${principal}`);
}

const describeAssociation = (cluster: Kept, one: Association, state: EksState): SDK.PodIdentityAssociation => ({
  clusterName: cluster.name,
  namespace: one.namespace,
  serviceAccount: one.serviceAccount,
  roleArn: one.role,
  associationArn: state.arn('podidentityassociation', cluster.name, one.id),
  associationId: one.id,
  createdAt: one.createdAt,
  modifiedAt: one.createdAt,
  tags: one.tags,
});

function associationOf(cluster: Kept, id = ''): Association {
  return cluster.associations.get(id) ?? refuse('ResourceNotFoundException', `No association found with ID: ${id}`);
}

/** Who may talk to a cluster, and whom its Pods are to AWS. */
export const access = operations<typeof SDK, EksState>()({
  CreateAccessEntry(input, { state, now, world }) {
    const cluster = state.find(input.clusterName);
    const { principalArn: principal = '', kubernetesGroups: groups = [], type = 'STANDARD', username } = input;
    if (!/^arn:aws[\w-]*:iam::\d{12}:/.test(principal))
      refuse('InvalidParameterException', `The principalArn parameter format is not valid: ${principal}`);
    if (cluster.entries.has(principal)) {
      refuse('ResourceInUseException', 'The specified access entry resource is already in use on this cluster.');
    }
    const entry: Entry = {
      principal,
      id: world.random.uuid(),
      type,
      createdAt: now(),
      username,
      groups,
      tags: { ...input.tags },
      policies: new Map(),
    };
    cluster.entries.set(principal, entry);
    return { accessEntry: describeEntry(cluster, entry, state) };
  },

  DescribeAccessEntry({ clusterName, principalArn }, { state }) {
    const cluster = state.find(clusterName);
    return { accessEntry: describeEntry(cluster, entryOf(cluster, principalArn), state) };
  },

  ListAccessEntries({ clusterName, associatedPolicyArn, maxResults, nextToken }, { state }) {
    const entries = [...state.find(clusterName).entries.values()].filter(
      ({ policies }) => !associatedPolicyArn || policies.has(associatedPolicyArn),
    );
    const { page, ...next } = paged(
      entries.map(({ principal }) => principal),
      maxResults,
      nextToken,
    );
    return { accessEntries: page, ...next };
  },

  DeleteAccessEntry({ clusterName, principalArn }, { state }) {
    const cluster = state.find(clusterName);
    cluster.entries.delete(entryOf(cluster, principalArn).principal);
    return {};
  },

  AssociateAccessPolicy({ clusterName, principalArn, policyArn = '', accessScope }, { state, now }) {
    const cluster = state.find(clusterName);
    const entry = entryOf(cluster, principalArn);
    if (!/^arn:aws[\w-]*:eks::aws:cluster-access-policy\/\w+$/.test(policyArn)) {
      refuse('InvalidParameterException', `The policyArn parameter format is not valid: ${policyArn}`);
    }
    const policy = {
      policyArn,
      accessScope: accessScope ?? { type: 'cluster' as const },
      associatedAt: now(),
      modifiedAt: now(),
    };
    entry.policies.set(policyArn, policy);
    return { clusterName: cluster.name, principalArn: entry.principal, associatedAccessPolicy: policy };
  },

  DisassociateAccessPolicy({ clusterName, principalArn, policyArn = '' }, { state }) {
    entryOf(state.find(clusterName), principalArn).policies.delete(policyArn);
    return {};
  },

  ListAssociatedAccessPolicies({ clusterName, principalArn }, { state }) {
    const cluster = state.find(clusterName);
    const entry = entryOf(cluster, principalArn);
    return { clusterName: cluster.name, principalArn: entry.principal, associatedAccessPolicies: [...entry.policies.values()] };
  },

  /** One role for each ServiceAccount (EKS guide, "Learn how EKS Pod Identity grants Pods access to AWS services"). */
  CreatePodIdentityAssociation(input, { state, now, id }) {
    const cluster = state.find(input.clusterName);
    const { namespace = '', serviceAccount = '', roleArn: role = '' } = input;
    const known = [...cluster.associations.values()].some(
      (one) => one.namespace === namespace && one.serviceAccount === serviceAccount,
    );
    if (known)
      refuse('ResourceInUseException', `Association already exists: service account ${serviceAccount} in namespace ${namespace}`);
    const association: Association = { id: id('a'), namespace, serviceAccount, role, createdAt: now(), tags: { ...input.tags } };
    cluster.associations.set(association.id, association);
    return { association: describeAssociation(cluster, association, state) };
  },

  DescribePodIdentityAssociation({ clusterName, associationId }, { state }) {
    const cluster = state.find(clusterName);
    return { association: describeAssociation(cluster, associationOf(cluster, associationId), state) };
  },

  ListPodIdentityAssociations({ clusterName, namespace, serviceAccount, maxResults, nextToken }, { state }) {
    const cluster = state.find(clusterName);
    const matching = [...cluster.associations.values()].filter(
      (one) => (!namespace || one.namespace === namespace) && (!serviceAccount || one.serviceAccount === serviceAccount),
    );
    const summaries = matching.map((one) => {
      const { associationArn, associationId, namespace, serviceAccount } = describeAssociation(cluster, one, state);
      return { clusterName: cluster.name, namespace, serviceAccount, associationArn, associationId };
    });
    const { page, ...next } = paged(summaries, maxResults, nextToken);
    return { associations: page, ...next };
  },

  UpdatePodIdentityAssociation({ clusterName, associationId, roleArn }, { state }) {
    const cluster = state.find(clusterName);
    const association = associationOf(cluster, associationId);
    if (roleArn) association.role = roleArn;
    return { association: describeAssociation(cluster, association, state) };
  },

  DeletePodIdentityAssociation({ clusterName, associationId }, { state }) {
    const cluster = state.find(clusterName);
    const association = associationOf(cluster, associationId);
    cluster.associations.delete(association.id);
    return { association: describeAssociation(cluster, association, state) };
  },
});
