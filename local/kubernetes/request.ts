import type { Place } from '../world/world.ts';

/** Where a request goes: a cluster, and a path of its API server. */
export interface Target {
  readonly place: Place;
  readonly cluster: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** `/_eks/<account>/<region>/<cluster>/…`; undefined for anything else. */
export function targetOf(url: string): Target | undefined {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  const [, door, account, region, cluster, ...rest] = path.split('/').map(decodeURIComponent);
  if (door !== '_eks' || !account || !region || !cluster) return undefined;
  return { place: { account, region }, cluster, path: rest.filter((step) => step !== ''), query: new URLSearchParams(query) };
}

/** What a path of the API names (Kubernetes API concepts, "Resource URIs"). */
export interface Named {
  readonly group: string;
  readonly version: string;
  readonly namespace?: string;
  readonly resource: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** Undefined for a path that names no resource: a group, a version, something else. */
export function namedBy(path: readonly string[]): Named | undefined {
  const [root, ...rest] = path;
  const [group, version, ...within] = root === 'api' ? ['', ...rest] : rest;
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined || within.length === 0)
    return undefined;
  const [first, second, third, fourth, fifth] = within as [string, ...string[]];
  // A namespace is an object itself, and so are its parts; every other third step is a type within it.
  if (first === 'namespaces' && second !== undefined && third !== undefined && !PARTS_OF_NAMESPACE.has(third)) {
    return { group, version, namespace: second, resource: third, ...named(fourth, fifth) };
  }
  return { group, version, resource: first, ...named(second, third) };
}

const PARTS_OF_NAMESPACE = new Set(['status', 'finalize']);

const named = (name: string | undefined, subresource: string | undefined): Pick<Named, 'name' | 'subresource'> => ({
  ...(name === undefined ? {} : { name }),
  ...(subresource === undefined ? {} : { subresource }),
});
