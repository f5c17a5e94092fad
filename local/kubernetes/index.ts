import { Refusal } from '../world/service.ts';
import { type Caller, ConnectionLost, type Place, type World } from '../world/world.ts';
import { answer, type Wish, wishOf } from './api.ts';
import type { ApiRequest } from './bodies.ts';
import type { Cluster } from './cluster.ts';
import { write } from './json.ts';
import { Problem, statusOf } from './problem.ts';
import { targetOf } from './request.ts';
import { callerFrom, unauthorized } from './token.ts';

export type { Cluster } from './cluster.ts';
export { awaken, seed } from './seed.ts';

export interface KubernetesRequest {
  readonly method: string;
  /** Path and query, from `/_eks/` on. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface KubernetesResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a principal may do in a cluster: `all`, or only read; in some namespaces, or everywhere. */
export interface Rights {
  readonly access: 'all' | 'read' | 'none';
  readonly namespaces?: readonly string[];
}

/** What the local EKS knows of its clusters. */
interface Clusters {
  /** The API server of a cluster; undefined where there is none that answers. */
  apiOf(cluster: string): Cluster | undefined;
  /** Undefined for who is not known to the cluster at all. */
  rightsOf(cluster: string, caller: Caller): Rights | undefined;
}

/** The API server of a cluster, for tests and demonstrations that look inside. */
export function clusterAt(world: World, place: Place, name: string): Cluster {
  const cluster = clustersAt(world, place)?.apiOf(name);
  if (!cluster) throw new Error(`There is no active cluster "${name}" in ${place.account}/${place.region}.`);
  return cluster;
}

const clustersAt = (world: World, place: Place): Clusters | undefined =>
  world.services.has('eks') ? world.state<Clusters>('eks', place) : undefined;

/**
 * Answers one request to the API server of a cluster, with the same journal, latency and faults as every other request of the world (its
 * service is `kubernetes`, its operation such as `list configmaps`). Rejects with ConnectionLost where the region is dark, and where no
 * cluster of that name answers, whose name would not resolve.
 */
export async function serveKubernetes(world: World, request: KubernetesRequest): Promise<KubernetesResponse> {
  const target = targetOf(request.url);
  if (!target) throw new ConnectionLost(`${request.url} is no cluster's`);
  const { place, cluster: name, path, query } = target;
  const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key.toLowerCase(), value]));
  const asked: ApiRequest = { method: request.method, path, query, headers, body: request.body ?? new Uint8Array() };
  const wish = wishOf(asked);
  const entry = {
    place,
    service: 'kubernetes',
    operation: `${wish.verb} ${wish.resource}`,
    input: { cluster: name, url: request.url },
  };
  try {
    const said = await world.carry(entry, () => {
      const clusters = clustersAt(world, place);
      const cluster = clusters?.apiOf(name);
      if (!clusters || !cluster) throw new ConnectionLost(`no cluster ${name} answers in ${place.account}/${place.region}`);
      const caller = callerFrom(headers['authorization'], name, world);
      if (caller) authorize(clusters.rightsOf(name, caller), wish, caller);
      return answer(cluster, asked);
    });
    return response(world, said.status, said.text, said.contentType);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { code, object } = statusOf(error);
    return response(world, code, write(object));
  }
}

/** EKS knows a principal by its access entry; what it may do is in the policies that are associated with it (EKS guide, "Grant IAM users access"). */
function authorize(rights: Rights | undefined, { verb, resource, namespace, writes }: Wish, { arn }: Caller): void {
  if (!rights) throw unauthorized();
  const isHere = rights.namespaces === undefined || (namespace !== undefined && rights.namespaces.includes(namespace));
  if (isHere && (rights.access === 'all' || (rights.access === 'read' && !writes))) return;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const message = `${resource} is forbidden: User "${arn}" cannot ${verb} resource "${resource}" ${where}`;
  throw new Problem(403, 'Forbidden', message, { kind: resource });
}

function response(world: World, status: number, text: string, contentType = 'application/json'): KubernetesResponse {
  return {
    status,
    headers: {
      'content-type': contentType,
      'cache-control': 'no-cache, private',
      date: new Date(world.clock.now()).toUTCString(),
    },
    body: new TextEncoder().encode(text),
  };
}
