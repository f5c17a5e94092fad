import { type Cluster, Refused, type Reply } from './client.ts';
import type { ApiType } from './object.ts';

/** What an API server offers. */
export interface Offered {
  /** Every type in every version that is served, a group's preferred version first. */
  readonly types: readonly ApiType[];
  /** Groups whose own server does not answer, `metrics.k8s.io/v1beta1`: what they hold cannot be seen. */
  readonly stale: readonly string[];
}

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',');

/**
 * Two calls where the server aggregates its discovery (KEP-3352: by default from 1.27, `v2` from 1.30), one per group version where it
 * does not. A group that cannot be reached is told and fails nothing.
 */
export async function discover(cluster: Cluster): Promise<Offered> {
  const [core, groups] = await Promise.all([cluster.get('/api', AGGREGATED), cluster.get('/apis', AGGREGATED)]);
  const aggregated = [core, groups].map(aggregatedOf);
  if (aggregated.every((list) => list !== undefined)) return joined(aggregated.flatMap((list) => list.map(offeredBy)));
  return legacy(cluster, core, groups);
}

/** One version of each type: the one that its group prefers. */
export function preferred({ types }: Offered): ApiType[] {
  const first = new Map<string, ApiType>();
  for (const type of types) {
    const key = `${type.group}/${type.resource}`;
    if (!first.has(key)) first.set(key, type);
  }
  return [...first.values()];
}

export const serves = ({ types }: Offered, wanted: ApiType): boolean =>
  types.some(
    ({ group, version, resource }) => group === wanted.group && version === wanted.version && resource === wanted.resource,
  );

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions?: readonly {
    readonly version: string;
    readonly freshness?: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind?: { readonly kind?: string };
      readonly scope: string;
      readonly verbs?: readonly string[];
    }[];
  }[];
}

function aggregatedOf({ text }: Reply): GroupDiscovery[] | undefined {
  const list = JSON.parse(text) as { kind?: string; items?: GroupDiscovery[] };
  return list.kind === 'APIGroupDiscoveryList' ? (list.items ?? []) : undefined;
}

function offeredBy({ metadata, versions = [] }: GroupDiscovery): Offered {
  const group = metadata?.name ?? '';
  const types = versions.flatMap(({ version, resources = [] }) =>
    resources.map(({ resource, responseKind, scope, verbs = [] }): ApiType => {
      return { group, version, resource, kind: responseKind?.kind ?? '', namespaced: scope === 'Namespaced', verbs };
    }),
  );
  return { types, stale: versions.filter(({ freshness }) => freshness === 'Stale').map(({ version }) => `${group}/${version}`) };
}

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly version: string }[];
  readonly preferredVersion?: { readonly version: string };
}

async function legacy(cluster: Cluster, core: Reply, groups: Reply): Promise<Offered> {
  const { versions = [] } = JSON.parse(core.text) as { versions?: string[] };
  const { groups: named = [] } = JSON.parse(groups.text) as { groups?: Group[] };
  const asked = [
    ...versions.map((version) => resourcesOf(cluster, '', version)),
    ...named.flatMap((group) => versionsOf(group).map((version) => resourcesOf(cluster, group.name, version))),
  ];
  return joined(await Promise.all(asked));
}

const versionsOf = ({ versions, preferredVersion }: Group): string[] =>
  [...new Set([preferredVersion?.version, ...versions.map(({ version }) => version)])].filter((version) => version !== undefined);

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
}

/** A dead aggregated API answers 503 here, and is stale. */
async function resourcesOf(cluster: Cluster, group: string, version: string): Promise<Offered> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  try {
    const { resources = [] } = JSON.parse((await cluster.get(path)).text) as ResourceList;
    const types = resources
      .filter(({ name }) => !name.includes('/'))
      .map(({ name, kind, namespaced, verbs = [] }): ApiType => ({ group, version, resource: name, kind, namespaced, verbs }));
    return { types, stale: [] };
  } catch (error) {
    if (group === '' || (error instanceof Refused && error.status === 403)) throw error;
    return { types: [], stale: [`${group}/${version}`] };
  }
}

const joined = (parts: readonly Offered[]): Offered => ({
  types: parts.flatMap(({ types }) => types),
  stale: parts.flatMap(({ stale }) => stale),
});
