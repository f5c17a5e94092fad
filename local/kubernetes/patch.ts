import { at, isList, isObject, type Json, type JsonObject, listAt, type Path, same, set, textAt } from './json.ts';
import { keyText, patchKeyAt } from './merging.ts';
import { badRequest, Problem } from './problem.ts';
import type { ResourceType } from './types.ts';

/** JSON Merge Patch (RFC 7386): null removes, objects merge, everything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const result = new Map(isObject(target) ? target : []);
  for (const [name, value] of patch) {
    if (value === null) result.delete(name);
    else result.set(name, mergePatch(result.get(name), value));
  }
  return result;
}

/** JSON Patch (RFC 6902). An operation that cannot be done is a 422, one that is none a 400. */
export function jsonPatch(target: JsonObject, patch: Json): JsonObject {
  if (!isList(patch)) throw badRequest('a JSON patch is a list of operations');
  return patch.reduce<JsonObject>((object, operation) => operate(object, operation), target);
}

function operate(object: JsonObject, operation: Json): JsonObject {
  const op = textAt(operation, 'op');
  const to = pointer(textAt(operation, 'path'));
  const value = at(operation, 'value');
  const from = (): Path => pointer(textAt(operation, 'from'));
  switch (op) {
    case 'add':
      return insert(object, to, value ?? null);
    case 'replace':
      found(object, to);
      return set(object, located(object, to), value ?? null);
    case 'remove':
      return take(object, to).rest;
    case 'move': {
      const { value: moved, rest } = take(object, from());
      return insert(rest, to, moved);
    }
    case 'copy':
      return insert(object, to, found(object, from()));
    case 'test':
      if (same(found(object, to), value ?? null)) return object;
      throw impossible(`testing value ${to.join('/')} failed`);
    default:
      throw badRequest(`"${op}" is no operation of a JSON patch`);
  }
}

const impossible = (why: string): Problem =>
  new Problem(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {});

const pointer = (text: string | undefined): Path => {
  if (text === undefined || (text !== '' && !text.startsWith('/'))) throw badRequest(`"${text}" is no JSON pointer`);
  return text
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
};

/** Steps into lists are numbers; a pointer has only text. */
function located(object: JsonObject, path: Path): Path {
  const steps: (string | number)[] = [];
  for (const step of path) {
    const within = at(object, ...steps);
    steps.push(isList(within) ? (step === '-' ? within.length : indexOf(String(step))) : step);
  }
  return steps;
}

function indexOf(step: string): number {
  if (!/^(0|[1-9]\d*)$/.test(step)) throw impossible(`"${step}" is no index of a list`);
  return Number(step);
}

function found(object: JsonObject, path: Path): Json {
  const value = at(object, ...located(object, path));
  if (value === undefined) throw impossible(`nothing is at /${path.join('/')}`);
  return value;
}

function take(object: JsonObject, path: Path): { value: Json; rest: JsonObject } {
  const value = found(object, path);
  const steps = located(object, path);
  const parent = steps.slice(0, -1);
  const within = at(object, ...parent);
  if (isList(within)) return { value, rest: set(object, parent, within.toSpliced(Number(steps.at(-1)), 1)) };
  const copy = new Map(within as JsonObject);
  copy.delete(String(steps.at(-1)));
  return { value, rest: set(object, parent, copy) };
}

function insert(object: JsonObject, path: Path, value: Json): JsonObject {
  const steps = located(object, path);
  const parent = steps.slice(0, -1);
  const within = at(object, ...parent);
  const last = steps.at(-1);
  if (isList(within)) {
    if (Number(last) > within.length) throw impossible(`the list at /${parent.join('/')} has no item ${last}`);
    return set(object, parent, within.toSpliced(Number(last), 0, value));
  }
  if (!isObject(within)) throw impossible(`nothing is at /${parent.join('/')} that could hold "${last}"`);
  return set(object, steps, value);
}

/**
 * Strategic merge patch (Kubernetes, "Update API Objects in Place Using kubectl patch"): lists that have a merge key are merged item by
 * item, `$patch: delete` removes an item or a member, `$patch: replace` takes the patch alone. Other lists are replaced.
 */
export function strategicPatch(type: ResourceType, target: Json | undefined, patch: Json, names: readonly string[] = []): Json {
  if (isList(patch)) return patchList(type, isList(target) ? target : [], patch, names);
  if (!isObject(patch)) return patch;
  if (textAt(patch, '$patch') === 'replace') return bare(patch);
  const result = new Map(isObject(target) ? target : []);
  const retained = listAt(patch, '$retainKeys');
  if (retained.length > 0) for (const name of result.keys()) if (!retained.includes(name)) result.delete(name);
  for (const [name, value] of patch) {
    if (name.startsWith('$')) patchPrimitives(result, name, value);
    else if (value === null || textAt(value, '$patch') === 'delete') result.delete(name);
    else result.set(name, strategicPatch(type, result.get(name), value, [...names, name]));
  }
  return result;
}

function patchPrimitives(result: Map<string, Json>, name: string, value: Json): void {
  const [directive, member = ''] = name.split('/');
  const list = result.get(member);
  if (directive !== '$deleteFromPrimitiveList' || !isList(list) || !isList(value)) return;
  result.set(
    member,
    list.filter((item) => !value.some((gone) => same(gone, item))),
  );
}

function patchList(type: ResourceType, target: readonly Json[], patch: readonly Json[], names: readonly string[]): Json {
  const key = patchKeyAt(type, names);
  if (key === undefined || patch.some((item) => textAt(item, '$patch') === 'replace')) {
    return patch.filter((item) => textAt(item, '$patch') === undefined).map(bare);
  }
  if (key === 'set') return [...target, ...patch.filter((item) => !target.some((known) => same(known, item)))];
  const items = new Map(target.map((item) => [keyText(item, key), item]));
  for (const item of patch) {
    const name = keyText(item, key);
    if (textAt(item, '$patch') === 'delete') items.delete(name);
    else items.set(name, strategicPatch(type, items.get(name), item, names));
  }
  return [...items.values()];
}

const bare = (value: Json): Json =>
  isObject(value)
    ? new Map([...value].filter(([name]) => !name.startsWith('$')).map(([name, member]) => [name, bare(member)]))
    : value;
