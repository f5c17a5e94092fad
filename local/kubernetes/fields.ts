import {
  at,
  isList,
  isObject,
  type Json,
  type JsonObject,
  json,
  listAt,
  objectOf,
  plain,
  same,
  set,
  textAt,
  without,
  write,
} from './json.ts';
import { itemKey, type Merging, mergingAt } from './merging.ts';
import { apiVersionOf, type ResourceType } from './types.ts';

/**
 * Who set which field (Kubernetes, "Server-Side Apply", "Field management"). A field is a path of steps as `fieldsV1` writes them: `f:name`
 * of a member, `k:{"name":"web"}` of an item by its keys, `v:"x"` of an item by its value; joined by a character that no name has.
 */
const SEPARATOR = '\u0000';

/** Every field of an object that somebody may own, with its value; an item of a list is a field too, whose value is true. */
export type Fields = ReadonlyMap<string, Json>;

/** What says which object it is, and what only a server sets, is nobody's. */
const NOBODYS = new Set([
  'name',
  'namespace',
  'uid',
  'selfLink',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
]);

export function fieldsOf(type: ResourceType, object: JsonObject): Fields {
  const fields = new Map<string, Json>();
  const metadata = at(object, 'metadata');
  const owned = new Map([...object].filter(([key]) => key !== 'apiVersion' && key !== 'kind'));
  if (isObject(metadata)) owned.set('metadata', new Map([...metadata].filter(([key]) => !NOBODYS.has(key))));
  for (const [name, value] of owned) {
    if (name !== 'metadata' || (value as JsonObject).size > 0) walk(type, value, [name], [`f:${name}`], fields);
  }
  return fields;
}

function walk(
  type: ResourceType,
  value: Json,
  names: readonly string[],
  steps: readonly string[],
  into: Map<string, Json>,
): void {
  const merging: Merging = mergingAt(type, names);
  if (isObject(value) && value.size > 0 && merging !== 'atomic') {
    for (const [name, member] of value) walk(type, member, [...names, name], [...steps, `f:${name}`], into);
  } else if (isList(value) && value.length > 0 && merging === 'set') {
    for (const item of value) into.set([...steps, `v:${write(item)}`].join(SEPARATOR), true);
  } else if (isList(value) && value.length > 0 && typeof merging === 'object') {
    for (const item of value) walkItem(type, item, names, [...steps, `k:${itemKey(item, merging.keys)}`], into);
  } else {
    into.set(steps.join(SEPARATOR), value);
  }
}

function walkItem(
  type: ResourceType,
  item: Json,
  names: readonly string[],
  steps: readonly string[],
  into: Map<string, Json>,
): void {
  into.set(steps.join(SEPARATOR), true);
  if (isObject(item)) for (const [name, member] of item) walk(type, member, [...names, name], [...steps, `f:${name}`], into);
}

/** One manager's entry in `managedFields`. */
export interface Entry {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly time: string;
  readonly subresource?: string;
  readonly fields: ReadonlySet<string>;
}

export const isSameManager = (a: Pick<Entry, 'manager' | 'operation' | 'subresource'>, b: typeof a): boolean =>
  a.manager === b.manager && a.operation === b.operation && a.subresource === b.subresource;

export const entriesOf = (object: JsonObject): Entry[] =>
  listAt(object, 'metadata', 'managedFields').map((entry) => {
    const {
      fieldsV1,
      fieldsType: _,
      ...rest
    } = plain(entry) as Omit<Entry, 'fields'> & { fieldsV1?: unknown; fieldsType?: string };
    return { ...rest, fields: new Set(unfold(json(fieldsV1 ?? {}))) };
  });

/** The object with these entries; those that own nothing are left out. */
export function withEntries(object: JsonObject, entries: readonly Entry[]): JsonObject {
  const kept = entries.filter(({ fields }) => fields.size > 0);
  if (kept.length === 0) return without(object, ['metadata', 'managedFields']);
  const written = kept.map(({ fields, subresource, ...entry }) =>
    objectOf({ ...entry, fieldsType: 'FieldsV1', fieldsV1: fold(fields), subresource }),
  );
  return set(object, ['metadata', 'managedFields'], written);
}

/** Paths as the tree that `fieldsV1` is; `.` says that an item itself is owned, not only what it holds. */
function fold(paths: ReadonlySet<string>): JsonObject {
  interface Tree extends Map<string, Tree> {}
  const root: Tree = new Map();
  for (const path of paths) {
    let tree = root;
    for (const step of path.split(SEPARATOR)) {
      if (!tree.has(step)) tree.set(step, new Map());
      tree = tree.get(step)!;
    }
    if (path.split(SEPARATOR).at(-1)!.startsWith('k:')) tree.set('.', new Map());
  }
  return root;
}

function unfold(tree: Json, prefix: readonly string[] = []): string[] {
  if (!isObject(tree)) return [];
  if (tree.size === 0) return prefix.length > 0 ? [prefix.join(SEPARATOR)] : [];
  return [...tree].flatMap(([step, inner]) => (step === '.' ? [prefix.join(SEPARATOR)] : unfold(inner, [...prefix, step])));
}

export interface Writer {
  readonly manager: string;
  readonly time: string;
  readonly subresource?: string;
}

/** The entries after somebody changed an object by a create, an update or a patch: what he changed is his, what is gone is nobody's. */
export function afterUpdate(
  type: ResourceType,
  live: JsonObject | undefined,
  next: JsonObject,
  writer: Writer,
  base: readonly Entry[],
): Entry[] {
  const before = live ? fieldsOf(type, live) : new Map<string, Json>();
  const after = fieldsOf(type, next);
  const changed = new Set([...after].flatMap(([path, value]) => (same(before.get(path), value) ? [] : [path])));
  if (changed.size === 0 && before.size === after.size) return [...base];
  const me = { ...writer, operation: 'Update' as const, apiVersion: apiVersionOf(type) };
  const mine = base.find((entry) => isSameManager(entry, me))?.fields ?? new Set<string>();
  const others = base
    .filter((entry) => !isSameManager(entry, me))
    .map((entry) => ({ ...entry, fields: new Set([...entry.fields].filter((path) => after.has(path) && !changed.has(path))) }));
  const fields = new Set([...mine, ...changed].filter((path) => after.has(path)));
  return placedAmong(base, others, { ...me, fields });
}

/** The entries with this one where it stood before, or last. */
export function placedAmong(before: readonly Entry[], others: readonly Entry[], entry: Entry): Entry[] {
  const place = before.findIndex((known) => isSameManager(known, entry));
  return place < 0 ? [...others, entry] : others.toSpliced(place, 0, entry);
}

/** A path for people, as an API server's conflicts name it: `.spec.template.spec.containers[name="web"].image`. */
export const readable = (path: string): string =>
  path
    .split(SEPARATOR)
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      if (step.startsWith('v:')) return `[=${step.slice(2)}]`;
      const keys = JSON.parse(step.slice(2)) as Record<string, unknown>;
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(',')}]`;
    })
    .join('');

/** The object without one field; what held nothing else is gone with it. */
export function withoutField(type: ResourceType, object: JsonObject, path: string): JsonObject {
  return (cut(type, object, path.split(SEPARATOR), []) ?? new Map()) as JsonObject;
}

function cut(type: ResourceType, value: Json, [step, ...rest]: readonly string[], names: readonly string[]): Json | undefined {
  if (step === undefined) return undefined;
  if (step.startsWith('f:') && isObject(value)) {
    const name = step.slice(2);
    const member = value.get(name);
    if (member === undefined) return value;
    const left = cut(type, member, rest, [...names, name]);
    const copy = new Map(value);
    if (left === undefined) copy.delete(name);
    else copy.set(name, left);
    return copy.size > 0 ? copy : undefined;
  }
  if (!isList(value)) return value;
  const items = value.flatMap((item) => {
    if (!isStepTo(type, item, step, names)) return [item];
    const left = cut(type, item, rest, names);
    return left === undefined ? [] : [left];
  });
  return items.length > 0 ? items : undefined;
}

function isStepTo(type: ResourceType, item: Json, step: string, names: readonly string[]): boolean {
  const merging = mergingAt(type, names);
  return typeof merging === 'object' ? step === `k:${itemKey(item, merging.keys)}` : step === `v:${write(item)}`;
}

export const managerOf = (userAgent: string | undefined): string => userAgent?.split('/')[0] || 'unknown';
export const uidOf = (object: JsonObject): string | undefined => textAt(object, 'metadata', 'uid');
