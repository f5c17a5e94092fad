import { type Context, refuse, type Tagged } from '../../world/service.ts';

export interface Found {
  readonly owner: Partial<Tagged>;
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The states of the other services in this place that may hold what bears tags; nothing is kept here. */
export const owners = ({ world, account, region }: Context<object>): Partial<Tagged>[] =>
  [...world.services.keys()].filter((name) => name !== 'tagging').map((name) => world.state(name, { account, region }));

/** Everything in this place that can bear tags, by ARN. */
export const everything = (context: Context<object>): Found[] =>
  owners(context)
    .flatMap((owner) => (owner.taggedResources?.(context) ?? []).map(({ arn, tags }) => ({ owner, arn, tags })))
    .sort((a, b) => (a.arn < b.arn ? -1 : 1));

/**
 * `ec2:volume`, `dynamodb`, `states:stateMachine`: an ARN's service and the first part of its resource (tagging API, ResourceTypeFilters).
 * Buckets and topics have ARNs without a type, and are all that their services have to tag.
 */
export function isOfType(arn: string, filter: string): boolean {
  const [service, type] = filter.split(':');
  const [, , arnService, , , ...rest] = arn.split(':');
  if (arnService !== service) return false;
  const resource = rest.join(':');
  return type === undefined || !/[/:]/.test(resource) || resource.split(/[/:]/)[0] === type;
}

export interface TagFilter {
  readonly Key?: string | undefined;
  readonly Values?: readonly string[] | undefined;
}

/** All of the keys, each with one of its values; a key without values asks for the key alone (tagging API, TagFilters). */
export const bears = (tags: Found['tags'], filters: readonly TagFilter[]): boolean =>
  filters.every(
    ({ Key = '', Values = [] }) => Object.hasOwn(tags, Key) && (Values.length === 0 || Values.includes(tags[Key] as string)),
  );

/** One page after the name that the token holds. */
export function paged<T>(all: readonly T[], nameOf: (one: T) => string, limit: number, token: string | undefined) {
  const after = token ? Buffer.from(token, 'base64url').toString() : '';
  if (token && Buffer.from(after).toString('base64url') !== token)
    refuse('PaginationTokenExpiredException', 'The pagination token is not valid.');
  const rest = token ? all.filter((one) => nameOf(one) > after) : all;
  const page = rest.slice(0, limit);
  const last = rest.length > limit ? nameOf(page.at(-1) as T) : '';
  return { page, PaginationToken: Buffer.from(last).toString('base64url') };
}
