import { GetResourcesCommand, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import { parseArn } from '../aws/arn.ts';
import { calls } from '../aws/call.ts';
import { TAG } from '../aws/tags.ts';
import type { Door } from '../aws/verb.ts';
import type { Application } from '../domain.ts';

const { read } = calls('tagging', ResourceGroupsTaggingAPIClient);

/** The calls to spread into a `discover` that finds its resources by tag. */
export const scoping = { tagged: read(GetResourcesCommand) };

/**
 * The ARNs of one resource type that bear all of the application's tags. The tagging API answers what was ever tagged, also with other
 * tags than asked for while it catches up, so what it answers is held against the tags again (aws.md §9; Tagging API, GetResources).
 */
export async function taggedArns(
  aws: Door<typeof scoping>,
  { resources: { tags } }: Application,
  type: string,
): Promise<string[]> {
  const wanted = Object.entries(tags);
  if (wanted.length === 0) return [];
  const arns = new Set<string>();
  let PaginationToken: string | undefined;
  do {
    const page = await aws.tagged({
      TagFilters: wanted.map(([Key, Value]) => ({ Key, Values: [Value] })),
      ResourceTypeFilters: [type],
      ResourcesPerPage: 100,
      ...(PaginationToken ? { PaginationToken } : {}),
    });
    for (const { ResourceARN, Tags = [] } of page.ResourceTagMappingList ?? []) {
      const has = new Map(Tags.map(({ Key, Value }) => [Key, Value]));
      if (ResourceARN && wanted.every(([key, value]) => has.get(key) === value)) arns.add(ResourceARN);
    }
    PaginationToken = page.PaginationToken || undefined;
  } while (PaginationToken);
  return [...arns];
}

/** The ARNs that the application names and that are of this kind, and a refusal for each that lies elsewhere than the application. */
export function namedArns(
  { name, home, resources: { arns } }: Application,
  isMine: (arn: string) => boolean,
): { arns: string[]; refusals: string[] } {
  const mine = arns.filter(isMine);
  const elsewhere = mine.filter((arn) => {
    const { region, account } = parseArn(arn);
    return (region !== '' && region !== home.region) || (account !== '' && account !== home.account);
  });
  return {
    arns: mine.filter((arn) => !elsewhere.includes(arn)),
    refusals: elsewhere.map(
      (arn) =>
        `${arn} does not lie in ${home.account}/${home.region}, where "${name}" lives; take it out of applications.${name}.resources.arns, or make it an application of its own.`,
    ),
  };
}

/**
 * What a restore made bears the application's tags too, but it is no member before someone says so: otherwise every restore beside the
 * original would double what is protected.
 */
export function madeByRestore(what: string, tags: ReadonlyMap<string, string>): string | undefined {
  const restore = tags.get(TAG.restore);
  return restore === undefined
    ? undefined
    : `${what} bears the application's tags but was made by restore "${restore}", so it is not protected; remove its tag ${TAG.restore} to protect it.`;
}

/** AWS's `[{ Key, Value }]` as a map; tags that AWS itself sets (`aws:…`) are left out, for nobody else may set them. */
export const tagMap = (
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Map<string, string> =>
  new Map((tags ?? []).flatMap(({ Key, Value = '' }) => (Key && !Key.startsWith('aws:') ? [[Key, Value] as const] : [])));

/** The tags of an original that its restored copy bears too: all but those that we stamp on what we make. */
export const ownTags = (tags: ReadonlyMap<string, string>): { Key: string; Value: string }[] =>
  [...tags].filter(([Key]) => !Object.values<string>(TAG).includes(Key)).map(([Key, Value]) => ({ Key, Value }));
