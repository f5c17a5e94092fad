import { applied } from './apply.ts';
import {
  type ApiRequest,
  appliedFrom,
  deletionFrom,
  intentOf,
  isApply,
  isTrue,
  objectFrom,
  patched,
  patchedObject,
} from './bodies.ts';
import type { Cluster } from './cluster.ts';
import { asVersion } from './definitions.ts';
import { remove } from './deletion.ts';
import { discovery, formOf } from './discovery.ts';
import { at, type JsonObject, objectOf, parse, plain, textAt, without, write } from './json.ts';
import { list } from './lists.ts';
import { create, update, wrongUid } from './objects.ts';
import { badRequest, invalid, noSuchPath, notAllowed, notModelled, type Problem, required, titleOf } from './problem.ts';
import { type Named, namedBy } from './request.ts';
import { scaled, scaleOf } from './scale.ts';
import type { Stored } from './store.ts';
import type { ResourceType } from './types.ts';

export interface ApiResponse {
  readonly status: number;
  readonly text: string;
  readonly contentType?: string;
}

/** What a request wants to do, in the words of RBAC (Kubernetes, "Authorization", "Determine the request verb"). */
export interface Wish {
  readonly verb: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly writes: boolean;
}

export function wishOf({ method, path }: Pick<ApiRequest, 'method' | 'path'>): Wish {
  const named = namedBy(path);
  if (!named) return { verb: 'get', resource: `/${path.join('/')}`, writes: false };
  const verbs = named.name === undefined ? ON_ALL : ON_ONE;
  const verb = verbs[method] ?? method.toLowerCase();
  const resource = named.subresource ? `${named.resource}/${named.subresource}` : named.resource;
  return { verb, resource, writes: method !== 'GET', ...(named.namespace === undefined ? {} : { namespace: named.namespace }) };
}

const ON_ALL: Readonly<Record<string, string>> = { GET: 'list', POST: 'create', DELETE: 'deletecollection' };
const ON_ONE: Readonly<Record<string, string>> = { GET: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Answers a request whose sender may do it. Throws a Problem for everything else. */
export function answer(cluster: Cluster, request: ApiRequest): ApiResponse {
  const { path, headers, method } = request;
  const named = namedBy(path);
  if (named) return toResource(cluster, request, named);
  if (method !== 'GET') throw notAllowed();
  const said = about(cluster, path, headers['accept'] ?? '');
  if (!said) throw noSuchPath();
  return said;
}

function about(cluster: Cluster, path: readonly string[], accept: string): ApiResponse | undefined {
  const [root] = path;
  if (path.length === 1 && root === 'version') return ok(write(objectOf(versionOf(cluster))));
  if (path.length === 1 && ['healthz', 'livez', 'readyz'].includes(root!))
    return { status: 200, text: 'ok', contentType: 'text/plain' };
  if (root === 'openapi')
    throw notModelled('OpenAPI documents: no client-side validation is possible (kubectl --validate=false)');
  const form = formOf(accept);
  const text = root === 'api' || root === 'apis' ? discovery(cluster.types, path, accept) : undefined;
  if (text === undefined) return undefined;
  const isAggregated = form !== 'legacy' && path.length === 1;
  return isAggregated
    ? { status: 200, text, contentType: `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList` }
    : ok(text);
}

function versionOf({ version }: Cluster): object {
  const [major = '1', minor = '0'] = version.split('.');
  return { major, minor, gitVersion: `v${version}.0-local`, platform: 'linux/amd64' };
}

const ok = (text: string): ApiResponse => ({ status: 200, text });

function toResource(cluster: Cluster, request: ApiRequest, named: Named): ApiResponse {
  const type = cluster.typeOf(named.group, named.version, named.resource);
  if (!type || (named.namespace !== undefined && !type.namespaced)) throw noSuchPath();
  formOf(request.headers['accept'] ?? '');
  if (named.name === undefined) return toAll(cluster, request, type, named);
  if (type.namespaced && named.namespace === undefined) throw noSuchPath();
  if (named.subresource !== undefined) return toPart(cluster, request, type, named);
  return toOne(cluster, request, type, named, named.name);
}

function toAll(cluster: Cluster, request: ApiRequest, type: ResourceType, { namespace }: Named): ApiResponse {
  const { method, query } = request;
  if (method === 'GET') {
    if (isTrue(query.get('watch'))) throw notModelled('watches; list again instead');
    return ok(list(cluster, type, namespace, query));
  }
  if (type.namespaced && namespace === undefined) throw notAllowed();
  if (method === 'POST') {
    const made = create(cluster, type, namespace, objectFrom(request), intentOf(cluster, request));
    return { status: 201, text: made.text };
  }
  if (method !== 'DELETE' || !type.verbs.includes('deletecollection')) throw notAllowed();
  const text = list(cluster, type, namespace, query);
  for (const item of plain(at(parse(text), 'items')) as { metadata: { name: string } }[]) {
    remove(cluster, type, cluster.get(type, namespace, item.metadata.name), deletionFrom(request));
  }
  return ok(text);
}

function toOne(cluster: Cluster, request: ApiRequest, type: ResourceType, { namespace }: Named, name: string): ApiResponse {
  const { method } = request;
  if (method === 'GET') {
    if (isTrue(request.query.get('watch'))) throw notModelled('watches; get again instead');
    return ok(asVersion(type, cluster.get(type, namespace, name)).text);
  }
  if (method === 'DELETE') return deleted(type, remove(cluster, type, cluster.get(type, namespace, name), deletionFrom(request)));
  if (method === 'PATCH' && isApply(request)) return apply(cluster, request, type, namespace, name);
  if (method !== 'PUT' && method !== 'PATCH') throw notAllowed();
  const live = asVersion(type, cluster.get(type, namespace, name));
  const sent = method === 'PUT' ? replacement(type, name, objectFrom(request)) : patched(type, live, request);
  return ok(update(cluster, type, live, sent, intentOf(cluster, request)).text);
}

/** Custom types take no update that does not say what it saw (kube-apiserver: `AllowUnconditionalUpdate` is false for them). */
function replacement(type: ResourceType, name: string, sent: JsonObject): JsonObject {
  if (type.custom && !textAt(sent, 'metadata', 'resourceVersion')) throw unseen(type, name);
  return sent;
}

const unseen = (type: ResourceType, name: string): Problem =>
  invalid(type, name, [
    {
      reason: 'FieldValueInvalid',
      field: 'metadata.resourceVersion',
      message: 'Invalid value: 0: must be specified for an update',
    },
  ]);

function deleted(type: ResourceType, { stored, gone }: { stored: Stored; gone: boolean }): ApiResponse {
  if (!gone) return ok(stored.text);
  const { name, uid } = stored.view.metadata;
  const details = { name, ...(type.group ? { group: type.group } : {}), kind: type.resource, uid };
  return ok(write(objectOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })));
}

function toPart(
  cluster: Cluster,
  request: ApiRequest,
  type: ResourceType,
  { namespace, name = '', subresource }: Named,
): ApiResponse {
  if (subresource === 'finalize' && type.resource === 'namespaces') return finalize(cluster, request, type, name);
  if (!type.subresources.some((known) => known === subresource)) throw notModelled(`${titleOf(type)}/${subresource}`);
  const live = cluster.get(type, namespace, name);
  if (subresource === 'scale') return toScale(cluster, request, type, live);
  if (request.method === 'GET') return ok(live.text);
  if (request.method !== 'PUT' && request.method !== 'PATCH') throw notAllowed();
  if (request.method === 'PATCH' && isApply(request)) return apply(cluster, request, type, namespace, name, 'status');
  const sent = request.method === 'PUT' ? objectFrom(request) : patched(type, live, request);
  if (!textAt(sent, 'metadata', 'resourceVersion')) throw unseen(type, name);
  return ok(update(cluster, type, live, sent, intentOf(cluster, request, 'status')).text);
}

/** What a namespace's own finalizers guard is the namespace controller's to see to; this takes them away (API, "Namespace", finalize). */
function finalize(cluster: Cluster, request: ApiRequest, type: ResourceType, name: string): ApiResponse {
  if (request.method !== 'PUT') throw notAllowed();
  return ok(update(cluster, type, cluster.get(type, undefined, name), objectFrom(request), intentOf(cluster, request)).text);
}

function toScale(cluster: Cluster, request: ApiRequest, type: ResourceType, live: Stored): ApiResponse {
  const { method } = request;
  const scale = scaleOf(type, live);
  if (method === 'GET') return ok(write(scale));
  if (method !== 'PUT' && method !== 'PATCH') throw notAllowed();
  const wanted = method === 'PUT' ? objectFrom(request) : patchedObject(type, scale, request);
  const written = update(cluster, type, live, scaled(type, live, wanted), intentOf(cluster, request, undefined));
  return ok(write(scaleOf(type, written)));
}

function apply(
  cluster: Cluster,
  request: ApiRequest,
  type: ResourceType,
  namespace: string | undefined,
  name: string,
  subresource?: 'status',
): ApiResponse {
  const { query } = request;
  const manager = query.get('fieldManager');
  if (!manager) {
    const options = { group: 'meta.k8s.io', resource: 'patchoptions', kind: 'PatchOptions' };
    throw invalid(options, '', [required('fieldManager', 'is required for apply patch')]);
  }
  const sent = appliedFrom(request);
  refuseUnappliable(type, name, sent);
  const found = cluster.find(type, namespace, name);
  const live = found && asVersion(type, found);
  const meant = textAt(sent, 'metadata', 'uid');
  if (meant && meant !== live?.view.metadata.uid) throw wrongUid(type, name);
  const intent = { ...intentOf(cluster, request, subresource), accounted: true };
  const wanted = subresource ? sent : type.subresources.includes('status') ? without(sent, ['status']) : sent;
  const object = applied(type, live?.object, {
    wanted,
    writer: { ...intent.writer, manager },
    force: isTrue(query.get('force')),
  });
  if (live) return ok(update(cluster, type, live, object, intent).text);
  return { status: 201, text: create(cluster, type, namespace, object, intent).text };
}

function refuseUnappliable(type: ResourceType, name: string, sent: JsonObject): void {
  if (at(sent, 'metadata', 'managedFields')) throw badRequest('metadata.managedFields must be nil');
  const named = textAt(sent, 'metadata', 'name');
  if (named !== name)
    throw badRequest(`name must be provided in ${type.kind} as "${name}", the name on the URL, not "${named ?? ''}"`);
}
