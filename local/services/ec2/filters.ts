import type * as SDK from '@aws-sdk/client-ec2';
import { refuse } from '../../world/service.ts';
import type { Tags } from './state.ts';

/** What may be filtered by: names to the values that a thing has under them. Filters are ANDed, their values ORed, `*` and `?` are wildcards. */
export type Filterable = Readonly<Record<string, readonly (string | undefined)[] | string | undefined>>;

export function passes(filters: readonly SDK.Filter[] | undefined, values: Filterable, tags: Tags): boolean {
  return (filters ?? []).every(({ Name = '', Values = [] }) => {
    const actual = valuesOf(Name, values, tags);
    return actual.some((value) => value !== undefined && Values.some((wanted) => like(wanted, value)));
  });
}

function valuesOf(name: string, values: Filterable, tags: Tags): readonly (string | undefined)[] {
  if (name.startsWith('tag:')) return [tags[name.slice(4)]];
  if (name === 'tag-key') return Object.keys(tags);
  if (name === 'tag-value') return Object.values(tags);
  if (!Object.hasOwn(values, name)) refuse('InvalidParameterValue', `The filter '${name}' is invalid`);
  return [values[name] ?? []].flat();
}

export function like(pattern: string, text: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === text;
  const expression = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(text);
}

/** One page of a describe; tokens are opaque to callers and an index to us. */
export function paged<T>(all: readonly T[], limit: number | undefined, token: string | undefined): { page: T[]; NextToken?: string } {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString());
  if (Number.isNaN(from)) refuse('InvalidNextToken', `The token '${token}' is invalid`);
  const to = limit === undefined ? all.length : from + limit;
  return { page: all.slice(from, to), ...(to < all.length ? { NextToken: Buffer.from(String(to)).toString('base64') } : {}) };
}

export const tagsFor = (type: string, specifications: readonly SDK.TagSpecification[] | undefined): Tags =>
  Object.fromEntries(
    (specifications ?? []).flatMap(({ ResourceType, Tags = [] }) => {
      if (ResourceType !== type) refuse('InvalidParameterValue', `'${ResourceType}' is not a valid taggable resource type for this operation.`);
      return Tags.map(({ Key, Value }) => [Key as string, Value ?? '']);
    }),
  );

export const tagList = (tags: Tags): SDK.Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** A dry run answers whether the caller would be allowed, and does nothing (EC2 API, common parameters). */
export function dryRun({ DryRun }: { DryRun?: boolean | undefined }): void {
  if (DryRun) refuse('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', { status: 412 });
}
