import { like, type Pattern, patternOf, type Variable } from './pattern.ts';

/** A text that is no policy; its message is what IAM says of it. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** The value or values that a request has for a condition key, given in lower case; undefined where it has none. */
export type Keys = (key: string) => string | readonly string[] | undefined;

/** One operator over one key. */
export interface Condition {
  readonly key: string;
  holds(keys: Keys): boolean;
}

type Test = (actual: string, wanted: readonly string[], pattern: Pattern, variable: Variable) => boolean;

const number = (compare: (actual: number, wanted: number) => boolean): Test => {
  return (actual, wanted) => actual.trim() !== '' && wanted.some((one) => compare(Number(actual), Number(one)));
};
const date = (compare: (actual: number, wanted: number) => boolean): Test => {
  const millis = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text));
  return (actual, wanted) => wanted.some((one) => compare(millis(actual), millis(one)));
};
const stringLike: Test = (actual, _, pattern, variable) => pattern.matches(actual, variable);
const stringEquals: Test = (actual, wanted, _, variable) => wanted.some((one) => substituted(one, variable) === actual);
const ignoringCase: Test = (actual, wanted, _, variable) =>
  wanted.some((one) => substituted(one, variable)?.toLowerCase() === actual.toLowerCase());

/** Each of an ARN's six parts is compared by itself, so that a wildcard stays within its part (IAM guide, "Arn condition operators"). */
const arnLike: Test = (actual, wanted, _, variable) =>
  wanted.some((one) => {
    const parts = (text: string) => [...text.split(':').slice(0, 5), text.split(':').slice(5).join(':')];
    const [pattern, has] = [parts(substituted(one, variable) ?? ''), parts(actual)];
    return pattern.every((part, i) => like(part, has[i] as string));
  });

const substituted = (text: string, variable: Variable): string | undefined => {
  let missing = false;
  const result = text.replaceAll(/\$\{([^}]+)\}/g, (_, name: string) => {
    const value = '*?$'.includes(name) ? name : variable(name.toLowerCase());
    missing ||= value === undefined;
    return value ?? '';
  });
  return missing ? undefined : result;
};

/** IAM guide, "IAM JSON policy elements: Condition operators". */
const TESTS: Readonly<Record<string, Test>> = {
  StringEquals: stringEquals,
  StringEqualsIgnoreCase: ignoringCase,
  StringLike: stringLike,
  NumericEquals: number((a, b) => a === b),
  NumericLessThan: number((a, b) => a < b),
  NumericLessThanEquals: number((a, b) => a <= b),
  NumericGreaterThan: number((a, b) => a > b),
  NumericGreaterThanEquals: number((a, b) => a >= b),
  DateEquals: date((a, b) => a === b),
  DateLessThan: date((a, b) => a < b),
  DateLessThanEquals: date((a, b) => a <= b),
  DateGreaterThan: date((a, b) => a > b),
  DateGreaterThanEquals: date((a, b) => a >= b),
  Bool: ignoringCase,
  BinaryEquals: (actual, wanted) => wanted.includes(actual),
  ArnEquals: arnLike,
  ArnLike: arnLike,
};
const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: 'StringEquals',
  StringNotEqualsIgnoreCase: 'StringEqualsIgnoreCase',
  StringNotLike: 'StringLike',
  NumericNotEquals: 'NumericEquals',
  DateNotEquals: 'DateEquals',
  ArnNotEquals: 'ArnEquals',
  ArnNotLike: 'ArnLike',
};

/** All conditions of a statement must hold. An operator that IAM does not have is refused where the policy is written. */
export const conditionsOf = (block: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Condition[] =>
  Object.entries(block).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, wanted]) => conditionOf(operator, key.toLowerCase(), [wanted].flat().map(String))),
  );

function conditionOf(operator: string, key: string, wanted: readonly string[]): Condition {
  if (operator === 'Null') return { key, holds: (keys) => wanted.includes(String(isMissing(keys(key)))) };
  const { set, name, ifExists } = partsOf(operator);
  const negated = NEGATED[name] !== undefined;
  const test = TESTS[NEGATED[name] ?? name];
  if (!test) throw new Malformed(`Invalid Condition type : ${operator}.`);
  const pattern = patternOf(wanted);
  /** Of one value; a negated operator holds where its positive one does not (IAM guide, "Conditions with multiple context keys or values"). */
  const one = (value: string, keys: Keys) => test(value, wanted, pattern, variableIn(keys)) !== negated;
  return {
    key,
    holds(keys) {
      const actual = keys(key);
      if (isMissing(actual)) return set === 'ForAllValues' || ifExists || (negated && set === undefined);
      const values = [actual].flat() as string[];
      if (set === 'ForAllValues') return values.every((value) => one(value, keys));
      if (negated && set === undefined) return values.every((value) => one(value, keys));
      return values.some((value) => one(value, keys));
    },
  };
}

const isMissing = (value: ReturnType<Keys>): value is undefined =>
  value === undefined || (Array.isArray(value) && value.length === 0);

/** A key with several values is no policy variable. */
const variableIn =
  (keys: Keys): Variable =>
  (name) => {
    const value = keys(name);
    return typeof value === 'string' ? value : undefined;
  };

function partsOf(operator: string) {
  const [, set, name = '', exists] = /^(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  return { set: set as 'ForAllValues' | 'ForAnyValue' | undefined, name, ifExists: exists !== undefined };
}
