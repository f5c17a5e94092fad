import type { Cluster } from './cluster.ts';
import type { Deletion } from './deletion.ts';
import { managerOf, type Writer } from './fields.ts';
import { isObject, type Json, type JsonObject, parse, plain } from './json.ts';
import type { Intent } from './objects.ts';
import { jsonPatch, mergePatch, strategicPatch } from './patch.ts';
import { badRequest, unsupported } from './problem.ts';
import type { Stored } from './store.ts';
import type { ResourceType } from './types.ts';
import { fromYaml } from './yaml.ts';

/** A request to an API server, and what its body and its query ask for. */
export interface ApiRequest {
  readonly method: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export const isApply = ({ headers }: ApiRequest): boolean => mediaOf(headers).startsWith('application/apply-patch');
const mediaOf = (headers: ApiRequest['headers']): string => (headers['content-type'] ?? '').split(';')[0]!.trim();

const PATCHES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];

export const patched = (type: ResourceType, live: Stored, request: ApiRequest): JsonObject =>
  patchedObject(type, live.object, request);

export function patchedObject(type: ResourceType, live: JsonObject, { headers, body }: ApiRequest): JsonObject {
  const media = mediaOf(headers);
  const patch = () => jsonFrom(body);
  if (media === 'application/json-patch+json') return jsonPatch(live, patch());
  if (media === 'application/merge-patch+json') return mergePatch(live, objectOnly(patch())) as JsonObject;
  if (media === 'application/strategic-merge-patch+json' && !type.custom) {
    return strategicPatch(type, live, objectOnly(patch())) as JsonObject;
  }
  throw unsupported(media, type.custom ? PATCHES.filter((known) => !known.includes('strategic')) : PATCHES);
}

export function intentOf(cluster: Cluster, { query, headers }: ApiRequest, subresource?: 'status'): Intent {
  const writer: Writer = {
    manager: query.get('fieldManager') || managerOf(headers['user-agent']),
    time: cluster.timestamp(),
    ...(subresource ? { subresource } : {}),
  };
  const dry = query.getAll('dryRun');
  if (dry.some((value) => value !== 'All')) throw badRequest(`dryRun is "${dry.join(',')}", and can only be All`);
  return { writer, dryRun: dry.length > 0 };
}

export function deletionFrom({ query, body }: ApiRequest): Deletion {
  const options = body.length > 0 ? plain(objectOnly(readable(() => fromYaml(textOf(body))))) : {};
  const propagation = query.get('propagationPolicy') ?? options.propagationPolicy;
  if (propagation && !['Background', 'Foreground', 'Orphan'].includes(propagation)) {
    throw badRequest(`propagationPolicy is "${propagation}", and can only be Orphan, Background or Foreground`);
  }
  const grace = query.get('gracePeriodSeconds') ?? options.gracePeriodSeconds;
  return {
    propagation,
    graceSeconds: grace === undefined || grace === null ? undefined : Number(grace),
    preconditions: options.preconditions,
    dryRun: query.has('dryRun') || options.dryRun?.length > 0,
  };
}

const BODIES = ['application/json', 'application/yaml'];

export function objectFrom({ headers, body }: ApiRequest): JsonObject {
  const media = mediaOf(headers) || 'application/json';
  if (!BODIES.includes(media)) throw unsupported(media, BODIES);
  return objectOnly(media === 'application/yaml' ? readable(() => fromYaml(textOf(body))) : jsonFrom(body));
}

/** What is applied may be YAML, whatever it is called; all JSON is. */
export const appliedFrom = ({ body }: ApiRequest): JsonObject => objectOnly(readable(() => fromYaml(textOf(body))));

const textOf = (body: Uint8Array): string => new TextDecoder().decode(body);
const jsonFrom = (body: Uint8Array): Json => readable(() => parse(textOf(body)));

function readable<T>(reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    throw badRequest(`the body of the request cannot be read: ${(error as Error).message}`);
  }
}

function objectOnly(value: Json): JsonObject {
  if (!isObject(value)) throw badRequest('the body of the request is no object');
  return value;
}

export const isTrue = (flag: string | null): boolean => flag === 'true' || flag === '1';
