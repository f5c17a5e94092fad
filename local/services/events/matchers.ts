import { cidr } from './cidr.ts';
import { PatternError } from './pattern-error.ts';
import { wildcard } from './wildcard.ts';

/** A leaf of an event. */
export type Leaf = string | number | boolean | null;
/** Whether a leaf is what a pattern asks for; ABSENT asks that there is none. */
export type Matcher = ((leaf: Leaf) => boolean) | typeof ABSENT;
export const ABSENT = Symbol('exists: false');

type Match = (leaf: Leaf) => boolean;

/** One element of a pattern's array: a value to be equal to, or a comparison (EventBridge guide, "Comparison operators"). */
export function matcher(element: unknown): Matcher {
  if (typeof element !== 'object' || element === null) return (leaf) => leaf === element;
  if (Array.isArray(element)) throw new PatternError('Match value must be String, number, true, false, or null');
  const [entry, ...more] = Object.entries(element) as [string, unknown][];
  if (!entry) throw new PatternError('Empty objects are not allowed');
  if (!Object.hasOwn(COMPARISONS, entry[0])) throw new PatternError(`Unrecognized match type ${entry[0]}`);
  if (more.length > 0) throw new PatternError('Only one key allowed in match expression');
  return COMPARISONS[entry[0]]!(entry[1]);
}

const COMPARISONS: Readonly<Record<string, (operand: unknown) => Matcher>> = {
  exists(wanted) {
    if (typeof wanted !== 'boolean') throw new PatternError('exists match pattern must be either true or false.');
    return wanted ? () => true : ABSENT;
  },
  prefix: affix('prefix', (value, part) => value.startsWith(part)),
  suffix: affix('suffix', (value, part) => value.endsWith(part)),
  'equals-ignore-case': (operand) => sameButForCase(string(operand, 'equals-ignore-case match pattern must be a string')),
  wildcard: (operand) => ofText(wildcard(string(operand, 'wildcard match pattern must be a string'))),
  cidr: (operand) => ofText(cidr(string(operand, 'cidr match pattern must be a string'))),
  numeric,
  'anything-but': anythingBut,
};

type Fits = (value: string, part: string) => boolean;

/** A prefix or suffix; `{ "equals-ignore-case": … }` in its place lets case not matter. */
function affix(name: string, fits: Fits): (operand: unknown) => Match {
  const sentence = `${name} match pattern must be a string`;
  return (operand) => {
    if (typeof operand !== 'object' || operand === null || !Object.hasOwn(operand, 'equals-ignore-case')) {
      const part = string(operand, sentence);
      return ofText((value) => fits(value, part));
    }
    const part = string((operand as Record<string, unknown>)['equals-ignore-case'], sentence).toLowerCase();
    return ofText((value) => fits(value.toLowerCase(), part));
  };
}

const OPERATORS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};
/** Numbers beyond these are not compared (EventBridge guide, "Numeric matching"). */
const MAX_NUMBER = 5e9;

/** `["=", 5]`, one bound, or a lower and then an upper bound. */
function numeric(operand: unknown): Match {
  if (!Array.isArray(operand)) throw new PatternError('Value of numeric must be an array.');
  if (operand.length === 0) throw new PatternError('Invalid member in numeric match: ]');
  const tests: Match[] = [];
  for (let i = 0; i < operand.length; i += 2) {
    const [operator, bound] = operand.slice(i, i + 2) as [unknown, unknown];
    const compare = typeof operator === 'string' && Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
    if (!compare) throw new PatternError(`Unrecognized numeric range operator: ${String(operator)}`);
    if (i === 2 && !String(operator).startsWith('<')) throw new PatternError(`Bad numeric range operator: ${String(operator)}`);
    if (i > 2 || (i === 2 && !String(operand[0]).startsWith('>'))) throw new PatternError('Too many terms in numeric range');
    if (typeof bound !== 'number') throw new PatternError(`Value of ${String(operator)} must be numeric`);
    if (Math.abs(bound) > MAX_NUMBER) throw new PatternError('Value must be between -5.0E9 and 5.0E9, inclusive');
    tests.push((leaf) => typeof leaf === 'number' && compare(leaf, bound));
  }
  if (operand.length === 4 && (operand[1] as number) >= (operand[3] as number))
    throw new PatternError('Bottom must be less than top');
  return (leaf) => tests.every((test) => test(leaf));
}

/** What may stand inside `anything-but` instead of values; each takes one text or several. */
const EXCLUDED: Readonly<Record<string, (operand: unknown) => Match>> = {
  prefix: (operand) => COMPARISONS['prefix']!(affixText(operand)) as Match,
  suffix: (operand) => COMPARISONS['suffix']!(affixText(operand)) as Match,
  wildcard: (operand) => COMPARISONS['wildcard']!(operand) as Match,
  'equals-ignore-case': (operand) => COMPARISONS['equals-ignore-case']!(operand) as Match,
};

function affixText(operand: unknown): string {
  const part = string(operand, 'prefix/suffix match pattern must be a string');
  if (part === '') throw new PatternError('Null prefix/suffix not allowed');
  return part;
}

/** Any leaf that is there and is none of these, whatever its type. */
function anythingBut(operand: unknown): Match {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [entry, ...more] = Object.entries(operand) as [string, unknown][];
    if (!entry || more.length > 0) throw new PatternError('Only one key allowed in match expression');
    const [name, parts] = entry;
    if (!Object.hasOwn(EXCLUDED, name)) throw new PatternError(`Unsupported anything-but pattern: ${name}`);
    const excluded = listed(parts).map((part) => EXCLUDED[name]!(part));
    return (leaf) => !excluded.some((excludes) => excludes(leaf));
  }
  if (!Array.isArray(operand) && !isTextOrNumber(operand))
    throw new PatternError('Value of anything-but must be an array or single string/number value.');
  const values = listed(operand);
  if (!values.every(isTextOrNumber)) throw new PatternError('Inside anything but list, start|null|boolean is not supported.');
  if (new Set(values.map((value) => typeof value)).size > 1)
    throw new PatternError('Inside anything but list, either all values are number or string, mixed type is not supported');
  return (leaf) => !values.includes(leaf);
}

function listed(operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) return [operand];
  if (operand.length === 0) throw new PatternError('Empty arrays are not allowed');
  return operand;
}

const isTextOrNumber = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';

function string(operand: unknown, sentence: string): string {
  if (typeof operand !== 'string') throw new PatternError(sentence);
  return operand;
}

const ofText =
  (test: (value: string) => boolean): Match =>
  (leaf) =>
    typeof leaf === 'string' && test(leaf);

const sameButForCase = (text: string): Match => ofText((value) => value.toLowerCase() === text.toLowerCase());
