import {
  afterUpdate,
  type Entry,
  entriesOf,
  fieldsOf,
  isSameManager,
  placedAmong,
  readable,
  type Writer,
  withEntries,
  withoutField,
} from './fields.ts';
import { isList, isObject, type Json, type JsonObject, same, without } from './json.ts';
import { itemKey, mergingAt } from './merging.ts';
import { Problem } from './problem.ts';
import { apiVersionOf, type ResourceType, typeKey } from './types.ts';

/** What a manager applies, and how sure he is of it. */
export interface Application {
  readonly wanted: JsonObject;
  readonly writer: Writer;
  /** Takes what others own and he wants otherwise. */
  readonly force: boolean;
}

/**
 * Server-side apply (Kubernetes, "Server-Side Apply"): what is wanted is merged into what is there, what the same manager applied before
 * and no longer wants is removed unless somebody else owns it too. A field that is wanted otherwise than another manager has set it is a
 * conflict (409).
 */
export function applied(type: ResourceType, live: JsonObject | undefined, { wanted, writer, force }: Application): JsonObject {
  const me = { ...writer, operation: 'Apply' as const, apiVersion: apiVersionOf(type) };
  const entries = live ? entriesOf(live) : [];
  const fields = new Set(fieldsOf(type, wanted).keys());
  const before = live ? fieldsOf(type, live) : new Map<string, Json>();
  const merged = merge(type, live, wanted, []) as JsonObject;
  const after = fieldsOf(type, merged);

  const isTaken = (path: string): boolean => fields.has(path) && !same(before.get(path), after.get(path));
  const others = entries.filter((entry) => !isSameManager(entry, me));
  if (!force) refuseConflicts(type, others, isTaken);
  const left = others.map((entry) => ({ ...entry, fields: new Set([...entry.fields].filter((path) => !isTaken(path))) }));

  const mine = entries.find((entry) => isSameManager(entry, me));
  const dropped = [...(mine?.fields ?? [])].filter((path) => !fields.has(path) && !left.some((entry) => entry.fields.has(path)));
  const result = dropped.reduce((object, path) => withoutField(type, object, path), merged);
  const entry = mine && sameSet(mine.fields, fields) ? mine : { ...me, fields };
  return withEntries(result, placedAmong(entries, left, entry));
}

const sameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && a.isSubsetOf(b);

function refuseConflicts({ group, resource }: ResourceType, others: readonly Entry[], isTaken: (path: string) => boolean): void {
  const conflicts = others.flatMap((entry) =>
    [...entry.fields].filter(isTaken).map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${entry.manager}"${entry.subresource ? ` with subresource "${entry.subresource}"` : ''} using ${entry.apiVersion}`,
      field: readable(path),
    })),
  );
  if (conflicts.length === 0) return;
  const [first] = conflicts;
  const many = conflicts.length === 1 ? `1 conflict: ${first!.message}: ${first!.field}` : `${conflicts.length} conflicts`;
  const told = conflicts.length === 1 ? '' : `: ${conflicts.map(({ message, field }) => `${message}: ${field}`).join('; ')}`;
  throw new Problem(409, 'Conflict', `Apply failed with ${many}${told}`, { group, kind: resource, causes: conflicts });
}

/** What is there keeps its place and its order; what is wanted and not there comes after it. */
function merge(type: ResourceType, live: Json | undefined, wanted: Json, names: readonly string[]): Json {
  const merging = mergingAt(type, names);
  if (isObject(live) && isObject(wanted) && merging !== 'atomic') {
    const result = new Map(live);
    for (const [name, value] of wanted) result.set(name, merge(type, live.get(name), value, [...names, name]));
    return result;
  }
  if (isList(live) && isList(wanted) && typeof merging === 'object') {
    const keyed = new Map(live.map((item) => [itemKey(item, merging.keys), item]));
    for (const item of wanted) {
      const key = itemKey(item, merging.keys);
      keyed.set(key, mergeItem(type, keyed.get(key), item, names));
    }
    return [...keyed.values()];
  }
  if (isList(live) && isList(wanted) && merging === 'set') {
    return [...live, ...wanted.filter((item) => !live.some((known) => same(known, item)))];
  }
  return wanted;
}

function mergeItem(type: ResourceType, live: Json | undefined, wanted: Json, names: readonly string[]): Json {
  if (!isObject(live) || !isObject(wanted)) return wanted;
  const result = new Map(live);
  for (const [name, value] of wanted) result.set(name, merge(type, live.get(name), value, [...names, name]));
  return result;
}

/**
 * The entries of an object that is written otherwise. A client may write `managedFields` itself (that is how a backup puts them back); an
 * empty list there forgets them.
 */
export function accountFor(type: ResourceType, live: JsonObject | undefined, next: JsonObject, writer: Writer): JsonObject {
  const sent = entriesOf(next);
  const known = live ? entriesOf(live) : [];
  const base = live ? (sent.length > 0 || hasList(next) ? sent : known) : [];
  const bare = without(next, ['metadata', 'managedFields']);
  const before = live && without(live, ['metadata', 'managedFields']);
  return withEntries(next, typeKey(type) === 'events' ? [] : afterUpdate(type, before, bare, writer, base));
}

const hasList = (object: JsonObject): boolean => isList((object.get('metadata') as JsonObject | undefined)?.get('managedFields'));
