import type { Cluster } from './cluster.ts';
import { continuationOf, tokenOf } from './continuation.ts';
import { asVersion } from './definitions.ts';
import { type JsonObject, objectOf, write } from './json.ts';
import { badRequest, expired, invalid, Problem, required } from './problem.ts';
import { fieldSelector, labelSelector, type Matches } from './select.ts';
import { RevisionGone, RevisionToCome, type Stored } from './store.ts';
import { apiVersionOf, type ResourceType, typeKey } from './types.ts';

/** What a list is asked for (Kubernetes API concepts, "Resource versions", "Retrieving large results sets in chunks"). */
interface Question {
  /** Undefined for the newest. */
  readonly revision: number | undefined;
  readonly atLeast: number;
  readonly start: string | undefined;
  readonly limit: number;
  readonly matches: Matches;
  readonly selective: boolean;
}

const GONE = 'The provided continue parameter is too old to display a consistent list result.';

/** The text of a list: every object as it was at one revision, in the order of their names. */
export function list(cluster: Cluster, type: ResourceType, namespace: string | undefined, query: URLSearchParams): string {
  const question = questionOf(type, query);
  const newest = cluster.store.revision;
  if (question.atLeast > newest) {
    throw new Problem(504, 'Timeout', `Timeout: Too large resource version: ${question.atLeast}, current: ${newest}`);
  }
  const revision = question.revision ?? newest;
  const items: string[] = [];
  let last = '';
  let more = 0;
  for (const [key, stored] of reading(cluster, type, namespace, question, revision)) {
    if (!question.matches(stored.object)) continue;
    if (items.length === question.limit) {
      more++;
      if (question.selective) break;
    } else {
      items.push(itemText(type, stored));
      last = key;
    }
  }
  const prefix = prefixOf(type, namespace);
  const metadata = {
    resourceVersion: String(revision),
    ...(more > 0 ? { continue: tokenOf({ revision, start: `${last.slice(prefix.length)}\u0000` }) } : {}),
    ...(more > 0 && !question.selective ? { remainingItemCount: more } : {}),
  };
  const head = write(objectOf({ kind: `${type.kind}List`, apiVersion: apiVersionOf(type), metadata }));
  return `${head.slice(0, -1)},"items":[${items.join(',')}]}`;
}

const prefixOf = (type: ResourceType, namespace: string | undefined): string =>
  type.namespaced && namespace !== undefined ? `${namespace}/` : '';

function* reading(cluster: Cluster, type: ResourceType, namespace: string | undefined, { start }: Question, revision: number) {
  const prefix = prefixOf(type, namespace);
  const from = start === undefined ? prefix : prefix + start;
  try {
    yield* cluster.store.range(typeKey(type), { prefix, start: from, revision });
  } catch (error) {
    if (error instanceof RevisionToCome)
      throw new Problem(500, 'InternalError', 'etcdserver: mvcc: required revision is a future revision');
    if (!(error instanceof RevisionGone)) throw error;
    // The token that the error bears goes on at the newest revision: a list that mixes two (kubernetes.md §3.2).
    if (start === undefined) throw expired(`The resourceVersion for the provided list is too old.`, '');
    throw expired(GONE, tokenOf({ revision: -1, start }));
  }
}

/** Built-in types do not repeat in each item what the list says of all; custom ones do. */
const itemText = (type: ResourceType, stored: Stored): string => (type.custom ? asVersion(type, stored).text : stored.untyped);

function questionOf(type: ResourceType, query: URLSearchParams): Question {
  const limit = Number(query.get('limit') ?? 0) || Number.POSITIVE_INFINITY;
  const [labels, fields] = [query.get('labelSelector') ?? '', query.get('fieldSelector') ?? ''];
  const [byLabel, byField] = [labelSelector(labels), fieldSelector(fields)];
  const common = {
    limit,
    matches: (object: JsonObject) => byLabel(object) && byField(object),
    selective: Boolean(labels || fields),
  };
  const token = query.get('continue');
  if (token) {
    if (query.get('resourceVersion')) throw badRequest('specifying resource version is not allowed when using continue');
    const { revision, start } = continuationOf(token);
    return { ...common, revision: revision < 0 ? undefined : revision, atLeast: 0, start };
  }
  return { ...common, ...revisionOf(type, query), start: undefined };
}

/** `resourceVersion=0` is any state, which here is the newest, and ignores the limit (API concepts, "Semantics for get and list"). */
function revisionOf(type: ResourceType, query: URLSearchParams): Pick<Question, 'revision' | 'atLeast'> & Partial<Question> {
  const asked = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (match && !asked)
    throw invalid({ ...type, kind: 'ListOptions' }, '', [required('resourceVersion', 'when resourceVersionMatch is set')]);
  if (match && match !== 'Exact' && match !== 'NotOlderThan')
    throw badRequest(`resourceVersionMatch "${match}" is neither Exact nor NotOlderThan`);
  if (!/^\d*$/.test(asked)) throw badRequest(`Invalid value: "${asked}": resourceVersion is no number`);
  if (match === 'Exact' && asked === '0') throw badRequest('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  if (match === 'Exact' || (!match && asked && asked !== '0' && Number(query.get('limit') ?? 0) > 0))
    return { revision: Number(asked), atLeast: 0 };
  return { revision: undefined, atLeast: Number(asked), ...(asked === '0' ? { limit: Number.POSITIVE_INFINITY } : {}) };
}
