import { validation } from '../refusals.ts';
import { type Item, member, type Value } from '../value.ts';

/** The way to a value within an item: names and list indexes. */
export type Path = readonly [string, ...(string | number)[]];

const pathText = (path: Path): string => `[${path.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join(', ')}]`;

/** No path of an expression may be the beginning of another. */
export function refuseOverlaps(paths: readonly Path[], parser: { wrong(why: string): never }): void {
  paths.forEach((one, i) => {
    for (const other of paths.slice(i + 1)) {
      const shared = Math.min(one.length, other.length);
      if (!one.slice(0, shared).every((step, n) => step === other[n])) continue;
      parser.wrong(
        `Two document paths overlap with each other; must remove or rewrite one of these paths; path one: ${pathText(one)}, path two: ${pathText(other)}`,
      );
    }
  });
}

export function at(item: Item, path: Path): Value | undefined {
  let value: Value | undefined = member(item, path[0]);
  for (let i = 1; i < path.length && value !== undefined; i++) {
    const step = path[i] as string | number;
    value = typeof step === 'number' ? value.L?.[step] : member(value.M, step);
  }
  return value;
}

const misplaced = (): never => validation('The document path provided in the update expression is invalid for update');

/** A copy of an item with a value at a path; what does not lie on the path is shared. An index past a list's end appends. */
export const withValue = (item: Item, path: Path, value: Value): Item => placed({ M: item }, path, 0, value).M as Item;

function placed(container: Value | undefined, path: Path, i: number, value: Value): Value {
  const step = path[i];
  const inside = (child: Value | undefined) => (i === path.length - 1 ? value : placed(child, path, i + 1, value));
  if (typeof step === 'number' && container?.L) {
    const list = [...container.L];
    list[Math.min(step, list.length)] = inside(list[step]);
    return { L: list };
  }
  if (typeof step === 'string' && container?.M) return { M: { ...container.M, [step]: inside(member(container.M, step)) } };
  return misplaced();
}

/** A copy of an item without what is at a path; what is not there may be absent, but the way to it may not. */
export const without = (item: Item, path: Path): Item => removed({ M: item }, path, 0).M as Item;

function removed(container: Value | undefined, path: Path, i: number): Value {
  const step = path[i];
  const last = i === path.length - 1;
  if (typeof step === 'number' && container?.L) {
    const list = [...container.L];
    if (last) list.splice(step, 1);
    else list[step] = removed(list[step], path, i + 1);
    return { L: list };
  }
  if (typeof step === 'string' && container?.M) {
    const { [step]: child, ...others } = container.M;
    return { M: last ? others : { ...others, [step]: removed(child, path, i + 1) } };
  }
  return misplaced();
}

/** Only what is at these paths, nested as it was; elements of a list close ranks (DynamoDB guide, "Projection expressions"). */
export function projected(paths: readonly Path[] | undefined, item: Item): Item {
  if (!paths) return item;
  const wanted: Wanted = new Map();
  for (const path of paths) if (at(item, path) !== undefined) want(wanted, path);
  return shown({ M: item }, wanted).M as Item;
}

type Wanted = Map<string | number, Wanted>;

function want(wanted: Wanted, path: Path): void {
  let level = wanted;
  for (const step of path) {
    const next = level.get(step) ?? new Map();
    level.set(step, next);
    level = next;
  }
}

function shown(value: Value, wanted: Wanted): Value {
  if (wanted.size === 0) return value;
  if (value.L) {
    const indexes = [...wanted.keys()].filter((step) => typeof step === 'number').sort((a, b) => a - b);
    return { L: indexes.map((index) => shown(value.L?.[index] as Value, wanted.get(index) as Wanted)) };
  }
  const names = [...wanted.keys()].filter((step) => typeof step === 'string');
  return { M: Object.fromEntries(names.map((name) => [name, shown(value.M?.[name] as Value, wanted.get(name) as Wanted)])) };
}
