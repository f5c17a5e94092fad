import { ABSENT, type Leaf, type Matcher, matcher } from './matchers.ts';
import { PatternError } from './pattern-error.ts';

/**
 * EventBridge's event patterns (EventBridge guide, "Event patterns"). A pattern asks something of leaves, each named by its keys joined with
 * dots, as are an event's; so `{"a": {"b": …}}` and `{"a.b": …}` are one. What is asked of several leaves inside arrays must hold
 * of one and the same element.
 */
export type Pattern = (event: object) => boolean;

/** One way to match: every path's leaf fits one of its matchers. `$or` makes several ways. */
type Way = readonly { readonly path: string; readonly matchers: readonly Matcher[] }[];

/** Throws a PatternError where the text is no pattern. */
export function compile(text: string): Pattern {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw new PatternError('Filter is not valid JSON');
  }
  if (!isObject(pattern)) throw new PatternError('Filter is not an object');
  const ways = waysOf(pattern, '');
  return (event) => {
    const found = leaves(event);
    return ways.some((way) => fits(way, found, new Map()));
  };
}

function waysOf(pattern: Record<string, unknown>, path: string): Way[] {
  if (Object.keys(pattern).length === 0) throw new PatternError('Empty objects are not allowed');
  let ways: Way[] = [[]];
  for (const [key, value] of Object.entries(pattern)) {
    const choices = key === '$or' && Array.isArray(value) ? alternatives(value, path) : asked(key, value, path);
    ways = ways.flatMap((way) => choices.map((choice) => [...way, ...choice]));
  }
  return ways;
}

function alternatives(list: readonly unknown[], path: string): Way[] {
  if (list.length < 2) throw new PatternError('There must have at least 2 Objects in $or relationship.');
  return list.flatMap((item) => {
    if (!isObject(item)) throw new PatternError('Only JSON object is allowed in array of $or relationship.');
    return waysOf(item, path);
  });
}

function asked(key: string, value: unknown, path: string): Way[] {
  const at = path ? `${path}.${key}` : key;
  if (isObject(value)) return waysOf(value, at);
  if (!Array.isArray(value)) throw new PatternError(`"${key}" must be an object or an array`);
  if (value.length === 0) throw new PatternError('Empty arrays are not allowed');
  return [[{ path: at, matchers: value.map(matcher) }]];
}

interface Found {
  readonly value: Leaf;
  /** Which element of each array around it the leaf is in. */
  readonly within: ReadonlyMap<string, number>;
}

function leaves(event: object): ReadonlyMap<string, readonly Found[]> {
  const found = new Map<string, Found[]>();
  const visit = (value: unknown, path: string, within: ReadonlyMap<string, number>): void => {
    if (Array.isArray(value)) {
      for (const [i, item] of value.entries()) visit(item, path, new Map([...within, [path, i]]));
    } else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) visit(item, path ? `${path}.${key}` : key, within);
    } else {
      const known = found.get(path);
      const leaf = { value: value as Leaf, within };
      if (known) known.push(leaf);
      else found.set(path, [leaf]);
    }
  };
  visit(event, '', new Map());
  return found;
}

/** Whether leaves can be chosen, one for each path, that fit and are in the same elements of the arrays that they share. */
function fits([first, ...rest]: Way, found: ReadonlyMap<string, readonly Found[]>, chosen: ReadonlyMap<string, number>): boolean {
  if (!first) return true;
  const candidates = found.get(first.path) ?? [];
  if (candidates.length === 0) return first.matchers.includes(ABSENT) && fits(rest, found, chosen);
  return candidates.some(
    ({ value, within }) =>
      first.matchers.some((matches) => matches !== ABSENT && matches(value)) &&
      [...within].every(([array, i]) => (chosen.get(array) ?? i) === i) &&
      fits(rest, found, new Map([...chosen, ...within])),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
