import { kind } from '../../kind.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { KIND } from './namespace.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What Kubernetes promises: a list names the revision of the store that it is of, and lists of other types can be had at that same revision
 * for as long as it is not compacted (API concepts, "Resource versions"). That one revision counts for all types is true of every
 * kube-apiserver and promised of none, so what cannot be had at it is told. EKS keeps the store; there is no other way to its past.
 */
export default kind({
  name: KIND,
  layer: 'application',
  cut: 'prompt',
  usual: { sealMinutes: 1, copyMinutes: 2 },
  quotas: [],
  loses: [
    'What a server sets: uids, resource versions, ages, managed fields, cluster IPs, node ports that nobody had chosen, and statuses.',
    'What controllers make again by themselves: Pods, ReplicaSets and their history, Endpoints, finished Jobs, Events, Leases.',
    'What claims keep on volumes that no kind protects (EFS, NFS, hostPath): such a claim comes back empty.',
    'Cluster-wide things that the namespace does not name: nodes, add-ons, admission webhooks, other namespaces’ roles.',
    'Names of load balancers: Services and Ingresses get new ones, so DNS records that name the old must be changed.',
    'Values inside Helm releases keep the old place’s names: give the next `helm upgrade` the new ones.',
    'IAM roles of ServiceAccounts trust the old cluster’s identity provider until their trust policies name the new one too.',
  ],
  discover,
  capture,
  copy,
  restore,
  preview,
  strays,
  expire,
});
