import type { Clock } from '../../../aws/clock.ts';
import { Transient } from '../../../aws/errors.ts';
import { type Ask, type Cluster, Refused } from '../../../kubernetes/client.ts';
import { Document } from '../../../kubernetes/document.ts';
import { type KubernetesObject, type OwnerReference, pathOf, read, titleOf, typeKey } from '../../../kubernetes/object.ts';
import { freePorts, RESTORE_LABEL } from '../../../kubernetes/transform.ts';
import type { Wave } from '../../../kubernetes/waves.ts';
import { chunksOf, inParallel } from '../../items.ts';
import type { Prepared } from './prepare.ts';

/** How far a restore has come: a wave, and how many of its objects are made. */
export interface Position {
  readonly wave: number;
  readonly next: number;
}

export interface Applied {
  readonly position: Position;
  /** For the report: what was there before and was left as it is, what had to be made otherwise. */
  readonly notes: readonly string[];
  /** What the server refuses for good: one sentence each. */
  readonly problems: readonly string[];
  /** Why it has not come to the end, where it may go on later. */
  readonly why?: string;
}

/** Requests at a time: a server gives a role of no special rank a share of some twenty ("API Priority and Fairness", `global-default`). */
const WIDTH = 32;
const CHUNK = 4 * WIDTH;
const MANAGER = 'stillpoint-restore';

interface Making {
  readonly cluster: Cluster;
  readonly restore: string;
  /** New uids of owners, by their paths. */
  readonly uids: Map<string, string>;
}

/**
 * Makes objects wave by wave, from a position on, until the end or `until`. Run again it goes on: what bears this restore's label is there
 * already. What was there before is never overwritten.
 */
export async function applyWaves(
  cluster: Cluster,
  all: readonly Wave<Prepared>[],
  from: Position,
  { restore, until, clock }: { restore: string; until: number; clock: Clock },
): Promise<Applied> {
  const making: Making = { cluster, restore, uids: new Map() };
  const notes: string[] = [];
  const problems: string[] = [];
  const at = (wave: number, next: number, why?: string): Applied => {
    return { position: { wave, next }, notes, problems, ...(why === undefined ? {} : { why }) };
  };
  for (let wave = from.wave; wave < all.length; wave++) {
    const { name, objects } = all[wave]!;
    let next = wave === from.wave ? from.next : 0;
    for (const chunk of chunksOf(objects.slice(next), CHUNK)) {
      if (clock.now() >= until) return at(wave, next, `${name}: ${next} of ${objects.length} are made.`);
      const made = await inParallel(chunk, WIDTH, (object) => make(making, object).catch(busyOr));
      notes.push(...made.flatMap((one) => one.note ?? []));
      problems.push(...made.flatMap((one) => one.problem ?? []));
      const busy = made.find((one) => one.busy)?.busy;
      if (busy !== undefined) return at(wave, next, busy);
      next += chunk.length;
    }
    if (problems.length > 0) return at(wave, next);
    const unready = await notEstablished(cluster, objects);
    if (unready.length > 0) return at(wave, next, `The cluster does not serve ${unready.join(', ')} yet.`);
  }
  return at(all.length, 0);
}

interface Made {
  readonly note?: string;
  readonly problem?: string;
  readonly busy?: string;
}

/** What may pass stops this passage and not the restore. */
function busyOr(error: unknown): Made {
  if (error instanceof Transient) return { busy: error.message };
  throw error;
}

async function make(making: Making, object: Prepared): Promise<Made> {
  const { cluster, uids } = making;
  const text = object.owners.length > 0 ? await withNewOwners(making, object) : object.text;
  if (isDefaultAccount(object)) return merge(making, object, text);
  const ask: Ask = { method: 'POST', path: `${pathOf(object.type, object.namespace)}?fieldManager=${MANAGER}`, body: text };
  const reply = await cluster.ask(ask);
  if (reply.status < 300) {
    uids.set(pathOf(object.type, object.namespace, object.name), read(reply.text).metadata?.uid ?? '');
    return {};
  }
  const refusal = cluster.refusal(ask, reply);
  if (!(refusal instanceof Refused)) throw refusal;
  if (refusal.status === 409) return met(making, object, refusal);
  if (/being terminated|is being deleted/.test(refusal.message)) return { busy: `${titleOf(object)}: ${refusal.message}` };
  if (portIsTaken(object, refusal)) return makeOnOtherPorts(making, object, text);
  return { problem: `${titleOf(object)}: ${refusal.message}` };
}

/** Something of that name is there: ours from an earlier try, what a whole cluster shares, or somebody else's. */
async function met({ cluster, restore, uids }: Making, object: Prepared, refusal: Refused): Promise<Made> {
  const path = pathOf(object.type, object.namespace, object.name);
  const reply = await cluster.find(path);
  if (!reply) return { busy: `${titleOf(object)}: ${refusal.message}` };
  const there = read(reply.text);
  if (there.metadata?.deletionTimestamp !== undefined) return { busy: `${titleOf(object)} of before is being deleted.` };
  if (there.metadata?.labels?.[RESTORE_LABEL] === restore) {
    uids.set(path, there.metadata.uid ?? '');
    return {};
  }
  if (isShared(object))
    return {
      note: `kept: ${titleOf(object)} was there already${differs(object, there) ? ' and is another than it was at the cut' : ''}.`,
    };
  return {
    problem: `${titleOf(object)} is there already and is not of this restore; a restore overwrites nothing, so delete it or restore into another namespace.`,
  };
}

/** Of the cluster, and not of this namespace alone: the namespace itself too, which may have been made beforehand. */
export const isShared = ({ type }: Pick<Prepared, 'type'>): boolean => !type.namespaced && typeKey(type) !== 'persistentvolumes';

/** Whether what people write in it is another: everything but what a server sets. */
function differs(object: Prepared, there: KubernetesObject): boolean {
  if (typeKey(object.type) === 'namespaces') return false;
  const { metadata: _, status: __, ...wanted } = read(object.text);
  return !includes(there, wanted);
}

/** Whether everything in `part` is in `whole` too: a server adds defaults. */
function includes(whole: unknown, part: unknown): boolean {
  if (Array.isArray(part))
    return Array.isArray(whole) && whole.length === part.length && part.every((one, i) => includes(whole[i], one));
  if (part === null || typeof part !== 'object') return whole === part;
  if (whole === null || typeof whole !== 'object') return false;
  return Object.entries(part).every(([key, value]) => includes((whole as Record<string, unknown>)[key], value));
}

const isDefaultAccount = ({ type, name }: Prepared): boolean => typeKey(type) === 'serviceaccounts' && name === 'default';

/** The cluster makes this one itself, in its own time: ours is merged into it, and gives way where somebody else has set the same fields. */
async function merge({ cluster }: Making, object: Prepared, text: string): Promise<Made> {
  const path = `${pathOf(object.type, object.namespace, object.name)}?fieldManager=${MANAGER}`;
  const ask: Ask = { method: 'PATCH', path, body: text, contentType: 'application/apply-patch+yaml' };
  const reply = await cluster.ask(ask);
  if (reply.status < 300) return {};
  const refusal = cluster.refusal(ask, reply);
  if (!(refusal instanceof Refused)) throw refusal;
  return { problem: `${titleOf(object)}: ${refusal.message}` };
}

const portIsTaken = ({ type }: Prepared, { status, message }: Refused): boolean =>
  status === 422 && typeKey(type) === 'services' && /port is (already allocated|not in the valid range)/.test(message);

/** Somebody else has the node's port: the Service gets another. */
async function makeOnOtherPorts(making: Making, object: Prepared, text: string): Promise<Made> {
  const made = await make(making, { ...object, text: String(freePorts(new Document(text))), owners: [] });
  return made.problem || made.busy
    ? made
    : { note: `changed: ${titleOf(object)}: its node ports are taken in this cluster, which chose others.` };
}

/** The text with its owners' uids as they are in this cluster. */
async function withNewOwners(making: Making, { text, owners }: Prepared): Promise<string> {
  const doc = new Document(text);
  const references = (doc.value('metadata', 'ownerReferences') ?? []) as readonly OwnerReference[];
  for (const [i, { uid }] of references.entries()) {
    const owner = owners.find((one) => one.uid === uid);
    if (owner) doc.set(['metadata', 'ownerReferences', i, 'uid'], await uidAt(making, owner.path));
  }
  return String(doc);
}

async function uidAt({ cluster, uids }: Making, path: string): Promise<string> {
  const known = uids.get(path);
  if (known !== undefined) return known;
  const reply = await cluster.find(path);
  const uid = reply && read(reply.text).metadata?.uid;
  if (uid === undefined) throw new Transient(`${path}, which owns others, is not there.`);
  uids.set(path, uid);
  return uid;
}

/** Definitions that the server has taken and does not serve yet. */
async function notEstablished(cluster: Cluster, objects: readonly Prepared[]): Promise<string[]> {
  const definitions = objects.filter(({ type }) => typeKey(type) === 'apiextensions.k8s.io/customresourcedefinitions');
  const states = await inParallel(definitions, WIDTH, async ({ type, name }) => {
    const reply = await cluster.find(pathOf(type, undefined, name));
    const conditions = (reply && read(reply.text)['status']?.conditions) ?? [];
    const isUp = conditions.some(
      ({ type: is, status }: { type: string; status: string }) => is === 'Established' && status === 'True',
    );
    return isUp ? [] : [name];
  });
  return states.flat();
}
