import type * as SDK from '@aws-sdk/client-ec2';
import { refuse } from '../../world/service.ts';
import type { Tags } from './records.ts';

/** What may be filtered by: names to the values that a thing has under them. */
export type Filterable = Readonly<Record<string, readonly (string | undefined)[] | string | undefined>>;

/** EC2 guide, "Filter resources": values per filter. */
const MOST_VALUES = 200;

/** Filters are ANDed, their values ORed; `*` and `?` are wildcards (EC2 guide, "Filter resources"). */
export function passes(filters: readonly SDK.Filter[] | undefined, values: Filterable, tags: Tags = {}): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    if (Values.length > MOST_VALUES) refuse('FilterLimitExceeded', `The filter '${Name}' has more than ${MOST_VALUES} values.`);
    const actual = valuesOf(Name, values, tags);
    return actual.some((value) => value !== undefined && Values.some((wanted) => like(wanted, value)));
  });
}

function valuesOf(name: string, values: Filterable, tags: Tags): readonly (string | undefined)[] {
  if (name.startsWith('tag:')) {
    const key = name.slice(4);
    return Object.hasOwn(tags, key) ? [tags[key]] : [];
  }
  if (name === 'tag-key') return Object.keys(tags);
  if (name === 'tag-value') return Object.values(tags);
  if (!Object.hasOwn(values, name)) refuse('InvalidParameterValue', `The filter '${name}' is invalid`);
  return [values[name] ?? []].flat();
}

function like(pattern: string, text: string): boolean {
  if (!/[*?\\]/.test(pattern)) return pattern === text;
  const expression = pattern.replaceAll(/\\?[.+^${}()|[\]*?\\]/g, (found) => {
    if (found === '*') return '.*';
    if (found === '?') return '.';
    return `\\${found.at(-1)}`; // an escaped wildcard, or what only regular expressions find special
  });
  return new RegExp(`^${expression}$`, 's').test(text);
}

interface Paging {
  readonly MaxResults?: number | undefined;
  readonly NextToken?: string | undefined;
}

const MOST_RESULTS = 1000;

/**
 * One page of a describe. Pages hold 5 to 1000; without a size everything is answered, and what is asked for by id is never paged (EC2 API,
 * "Pagination"). Tokens are opaque to callers and an index to us.
 */
export function paged<T>(all: readonly T[], { MaxResults, NextToken }: Paging, byId = false): { page: T[]; NextToken?: string } {
  if (byId && MaxResults !== undefined)
    refuse('InvalidParameterCombination', 'The parameter maxResults cannot be used with ids in the same request.');
  if (MaxResults !== undefined && MaxResults < 5)
    refuse(
      'InvalidParameterValue',
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value of at least 5.`,
    );
  const from = NextToken === undefined ? 0 : Number(Buffer.from(NextToken, 'base64').toString() || Number.NaN);
  if (Number.isNaN(from)) refuse('InvalidNextToken', `The token '${NextToken}' is invalid`);
  const to = MaxResults === undefined ? all.length : from + Math.min(MaxResults, MOST_RESULTS);
  return { page: all.slice(from, to), ...(to < all.length ? { NextToken: Buffer.from(String(to)).toString('base64') } : {}) };
}

/** Every id that is asked for must be there; without ids, all there are. */
export const asked = <T>(ids: readonly string[] | undefined, all: Iterable<T>, find: (id: string) => T): readonly T[] =>
  ids?.length ? ids.map(find) : [...all];
