import { Transient } from '../aws/errors.ts';
import type { Cluster } from './client.ts';
import { Reader } from './document.ts';
import { type ApiType, apiVersionOf, type Captured, pathOf, read } from './object.ts';

/** All objects of a type, and whether they are those of the asked revision. */
export interface Listed {
  readonly objects: readonly Captured[];
  /** The revision that they were read at. */
  readonly revision: string;
  /** Why they could not be had at the asked revision and are as they were when they were asked for. */
  readonly fallback?: string;
}

export interface ListOptions {
  /** Absent for objects of the cluster, or for those of all namespaces. */
  readonly namespace?: string;
  /** The one object of this name. */
  readonly name?: string;
  /** Objects a page. Round trips cost more than bytes: 1,000 to 2,000 were the fastest, measured on kube-apiserver 1.26. */
  readonly limit?: number;
}

const LIMIT = 1000;
/** A list that outlives its token is begun again; one that does so every time will not end. */
const BEGINNINGS = 3;

/** The newest revision of a cluster's store, fixed by the cheapest consistent list. etcd has one counter for all types, so it counts for each. */
export async function newestRevision(cluster: Cluster, type: ApiType): Promise<string> {
  const { text } = await cluster.get(`${pathOf(type)}?limit=1`);
  return splitList(text).revision;
}

/**
 * Lists a type at one revision (`resourceVersionMatch=Exact`), page by page. Where the server cannot answer at it any more (410: compacted;
 * 500, 400: it cannot for this type), falls back to a list of its own moment and says why. Undefined where the type is not served (404, 405).
 */
export async function listAt(
  cluster: Cluster,
  type: ApiType,
  revision: string,
  options: ListOptions = {},
): Promise<Listed | undefined> {
  const exact = await pages(cluster, type, options, `resourceVersion=${revision}&resourceVersionMatch=Exact`);
  if (exact === undefined || 'objects' in exact) return exact;
  for (let beginning = 0; beginning < BEGINNINGS; beginning++) {
    const now = await pages(cluster, type, options, '');
    if (now === undefined) return undefined;
    if ('objects' in now) return { ...now, fallback: `${apiVersionOf(type)} ${type.resource}: ${exact.why}` };
    if (now.status !== 410) throw cluster.refusal({ method: 'GET', path: pathOf(type, options.namespace) }, now.reply);
  }
  throw new Transient(`Cluster ${cluster.name} forgets its lists of ${type.resource} sooner than they can be read.`);
}

interface Unanswered {
  readonly status: number;
  readonly why: string;
  readonly reply: Parameters<Cluster['refusal']>[1];
}

async function pages(
  cluster: Cluster,
  type: ApiType,
  options: ListOptions,
  at: string,
): Promise<Listed | Unanswered | undefined> {
  const { namespace, name, limit = LIMIT } = options;
  const objects: Captured[] = [];
  const selected = name === undefined ? '' : `&fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
  const first = `${pathOf(type, namespace)}?limit=${limit}${selected}${at && `&${at}`}`;
  for (let path = first, revision = ''; ; ) {
    const reply = await cluster.ask({ method: 'GET', path });
    if (reply.status === 404 || reply.status === 405) return undefined;
    if (reply.status === 400 || reply.status === 410 || reply.status === 500) {
      return { status: reply.status, why: cluster.refusal({ method: 'GET', path }, reply).message, reply };
    }
    if (reply.status >= 400) throw cluster.refusal({ method: 'GET', path }, reply);
    const page = splitList(reply.text);
    revision ||= page.revision;
    for (const raw of page.items) objects.push(captured(type, raw));
    if (!page.more) return { objects, revision };
    path = `${pathOf(type, namespace)}?limit=${limit}${selected}&continue=${encodeURIComponent(page.more)}`;
  }
}

function captured(type: ApiType, raw: string): Captured {
  const { metadata: { name = '', namespace } = {} } = read(raw);
  return { type, ...(namespace === undefined ? {} : { namespace }), name, raw };
}

export interface Page {
  readonly revision: string;
  /** The token of the next page, empty on the last. */
  readonly more: string;
  /** Each object's own text. */
  readonly items: readonly string[];
}

/** Takes a list apart without parsing its items. Throws a SyntaxError where the text is no list. */
export function splitList(text: string): Page {
  const reader = new Reader(text);
  let metadata: { resourceVersion?: string; continue?: string } = {};
  const items: string[] = [];
  reader.blank();
  reader.expect('{');
  for (reader.blank(); !reader.next('}'); ) {
    const key = JSON.parse(reader.string()) as string;
    reader.blank();
    reader.expect(':');
    reader.blank();
    if (key === 'items' && reader.next('[')) elements(reader, items);
    else {
      const value = reader.rawValue();
      if (key === 'metadata') metadata = JSON.parse(value) as typeof metadata;
    }
    reader.blank();
    if (reader.next(',')) reader.blank();
  }
  return { revision: metadata.resourceVersion ?? '', more: metadata.continue ?? '', items };
}

function elements(reader: Reader, items: string[]): void {
  for (reader.blank(); !reader.next(']'); reader.blank()) {
    items.push(reader.rawValue());
    reader.blank();
    reader.next(',');
  }
}
