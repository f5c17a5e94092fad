import type { Cluster } from '../cluster.ts';
import { json } from '../json.ts';
import type { Stored } from '../store.ts';
import { builtIn } from '../types.ts';
import { classOf, isLate, SELECTED_NODE } from './binding.ts';
import { amend, isLeaving, make, owner } from './controller.ts';
import { NODES } from './nodes.ts';
import { claimsOf, volumesOf } from './pod-claims.ts';
import { PODS } from './templates.ts';

const CLAIMS = builtIn('persistentvolumeclaims');
const VOLUMES = builtIn('persistentvolumes');

/** The Node that a Pod goes to, or why there is none yet. */
export type Choice = { readonly node: string } | { readonly why: string; readonly isUnderWay?: boolean };

/**
 * Chooses a Node by the Pod's own selector and by where its volumes can be reached (Kubernetes, "Assigning Pods to Nodes", "Volume
 * Topology"). Affinities between Pods, taints and sizes are not looked at: a Node has room for everything.
 */
export function choose(cluster: Cluster, pod: Stored): Choice {
  const wanted = cluster.all(NODES).filter((node) => isWanted(pod, node));
  const all = cluster.all(NODES).length;
  if (wanted.length === 0)
    return { why: `0/${all} nodes are available: ${all} node(s) didn't match Pod's node affinity/selector.` };
  ensureEphemeral(cluster, pod);
  const claims: Stored[] = [];
  for (const name of claimsOf(pod)) {
    const claim = cluster.find(CLAIMS, pod.view.metadata.namespace, name);
    if (!claim) return { why: `0/${all} nodes are available: persistentvolumeclaim "${name}" not found.` };
    const why = whyNot(cluster, claim);
    if (why) return { why: `0/${all} nodes are available: ${why}.` };
    claims.push(claim);
  }
  const reaching = wanted.filter((node) => claims.every((claim) => reaches(cluster, node, claim)));
  const [node] = reaching.sort((a, b) => load(cluster, a) - load(cluster, b));
  if (!node) return { why: `0/${all} nodes are available: ${wanted.length} node(s) had volume node affinity conflict.` };
  return awaitVolumes(cluster, claims, node.view.metadata.name);
}

const TERMS = ['requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'] as const;

function isWanted({ view }: Stored, node: Stored): boolean {
  const { labels = {}, name } = node.view.metadata;
  const selector = Object.entries((view.spec.nodeSelector ?? {}) as Record<string, string>);
  const terms = view.spec.affinity?.nodeAffinity?.[TERMS[0]]?.[TERMS[1]] as readonly Term[] | undefined;
  return selector.every(([key, value]) => labels[key] === value) && (!terms || terms.some((term) => isMet(term, labels, name)));
}

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Term {
  readonly matchExpressions?: readonly Expression[];
  readonly matchFields?: readonly Expression[];
}

function isMet(
  { matchExpressions = [], matchFields = [] }: Term,
  labels: Readonly<Record<string, string>>,
  name: string,
): boolean {
  return (
    matchExpressions.every((one) => holds(one, labels[one.key])) &&
    matchFields.every((one) => holds(one, one.key === 'metadata.name' ? name : undefined))
  );
}

function holds({ operator, values = [] }: Expression, value: string | undefined): boolean {
  if (operator === 'Exists') return value !== undefined;
  if (operator === 'DoesNotExist') return value === undefined;
  if (operator === 'Gt' || operator === 'Lt')
    return value !== undefined && Number(value) > Number(values[0]) === (operator === 'Gt');
  return (value !== undefined && values.includes(value)) === (operator === 'In');
}

function whyNot(cluster: Cluster, claim: Stored): string | undefined {
  const { name } = claim.view.metadata;
  if (isLeaving(claim)) return `persistentvolumeclaim "${name}" is being deleted`;
  const phase = claim.view.status?.phase;
  if (phase === 'Lost')
    return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.view.spec.volumeName ?? ''}"`;
  if (phase === 'Bound' || (!claim.view.spec.volumeName && isLate(classOf(cluster, claim)))) return undefined;
  return 'pod has unbound immediate PersistentVolumeClaims';
}

function reaches(cluster: Cluster, node: Stored, claim: Stored): boolean {
  const selected = claim.view.metadata.annotations?.[SELECTED_NODE];
  if (claim.view.status?.phase !== 'Bound') return selected === undefined || selected === node.view.metadata.name;
  const volume = cluster.find(VOLUMES, undefined, claim.view.spec.volumeName);
  const terms = volume?.view.spec.nodeAffinity?.required?.nodeSelectorTerms as readonly Term[] | undefined;
  return (
    volume !== undefined &&
    (!terms || terms.some((term) => isMet(term, node.view.metadata.labels ?? {}, node.view.metadata.name)))
  );
}

const load = (cluster: Cluster, node: Stored): number =>
  cluster.all(PODS).filter(({ view }) => view.spec.nodeName === node.view.metadata.name).length;

/** A claim that waited for its first consumer is told the Node, and its volume is made where that Node can reach it. */
function awaitVolumes(cluster: Cluster, claims: readonly Stored[], node: string): Choice {
  const unbound = claims.filter(({ view }) => view.status?.phase !== 'Bound');
  for (const claim of unbound) amend(cluster, CLAIMS, claim, [[['metadata', 'annotations', SELECTED_NODE], node]]);
  return unbound.length > 0
    ? { why: `waiting for ${unbound.length} volume(s) to be provisioned on ${node}`, isUnderWay: true }
    : { node };
}

function ensureEphemeral(cluster: Cluster, pod: Stored): void {
  const { name, namespace } = pod.view.metadata;
  for (const { name: volume, ephemeral } of volumesOf(pod)) {
    if (!ephemeral || cluster.find(CLAIMS, namespace, `${name}-${volume}`)) continue;
    const { metadata = {}, spec } = ephemeral.volumeClaimTemplate as { metadata?: object; spec: object };
    make(cluster, CLAIMS, {
      metadata: { ...metadata, name: `${name}-${volume}`, namespace, ownerReferences: [json(owner(PODS, pod))] },
      spec,
    });
  }
}
