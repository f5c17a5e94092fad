import type { Artifact, Json, Resource } from '../../../domain.ts';
import type { RunImage } from '../images.ts';

export const KIND = 'eks-namespace';

/** A namespace of a cluster, by the id that its resource has: the cluster's ARN, a slash, the namespace. */
export interface NamespaceName {
  readonly cluster: string;
  readonly clusterArn: string;
  readonly namespace: string;
}

export const namespaceId = (clusterArn: string, namespace: string): string => `${clusterArn}/${namespace}`;

/** Throws a RangeError for what is no id of a namespace. */
export function namespaceOf(id: string): NamespaceName {
  const [, clusterArn, cluster, namespace] = /^(arn:[^:]+:eks:[^:]+:\d+:cluster\/([^/]+))\/([^/]+)$/.exec(id) ?? [];
  if (!clusterArn || !cluster || !namespace) throw new RangeError(`"${id}" is not a cluster's ARN, a slash and a namespace.`);
  return { cluster, clusterArn, namespace };
}

export interface HelmRelease {
  readonly name: string;
  readonly chart: string;
  readonly version: string;
  readonly appVersion: string;
  readonly revision: number;
  readonly status: string;
}

/** A claim that was bound, and the volume behind it. */
export interface BoundClaim {
  readonly claim: string;
  readonly volume: string;
  readonly driver: string;
  readonly handle: string;
}

/** What an artifact says of itself. No secret ever stands here. */
export interface NamespaceFacts {
  /** The revision of the cluster's store that the objects are of. */
  readonly revision: string;
  /** Digests of the two bundles: what may be read, and what is sealed. */
  readonly manifests: string;
  readonly secrets: string;
  /** Objects by type: `apps/deployments` → 3. */
  readonly counts: Readonly<Record<string, number>>;
  readonly images: readonly RunImage[];
  readonly helm: readonly HelmRelease[];
  readonly volumes: readonly BoundClaim[];
  /** What was not to be had at that revision, or not at all, and why. */
  readonly fallbacks: readonly string[];
}

export const factsOf = ({ facts }: Artifact): NamespaceFacts => facts as unknown as NamespaceFacts;

/** What the plan knew of it. */
export interface PlannedFacts {
  readonly uid: string;
  readonly volumes: readonly BoundClaim[];
  /** The ids of those file systems behind claims that are resources of the application themselves, so that they come back with it. */
  readonly members: readonly string[];
}

export const plannedFactsOf = ({ facts }: Resource): PlannedFacts => facts as unknown as PlannedFacts;

export const asFacts = (facts: NamespaceFacts | PlannedFacts): Resource['facts'] => facts as unknown as { [key: string]: Json };
