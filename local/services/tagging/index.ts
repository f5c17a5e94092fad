import type * as SDK from '@aws-sdk/client-resource-groups-tagging-api';
import { type Context, defineService, operations, refuse, type Tagged } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { bears, everything, isOfType, owners, paged } from './resources.ts';

/** Tagging API, GetResources and TagResources. */
const MOST_PER_PAGE = 100;
const MOST_ARNS = 100;
const MOST_TO_TAG = 20;
/** How many keys or values one page holds. */
const PAGE = 100;

const invalid = (message: string): never => refuse('InvalidParameterException', message);

function pageSize(asked: number | undefined): number {
  if (asked !== undefined && (asked < 1 || asked > MOST_PER_PAGE))
    invalid(`ResourcesPerPage is 1 to ${MOST_PER_PAGE}, not ${asked}.`);
  return asked ?? MOST_PER_PAGE;
}

/** Changes each resource by itself; those that no service knows are named, the others are changed all the same. */
function changeEach(
  arns: readonly string[],
  change: (owner: Partial<Tagged>, arn: string) => boolean | undefined,
  context: Context<object>,
) {
  if (arns.length < 1 || arns.length > MOST_TO_TAG) invalid(`ResourceARNList has 1 to ${MOST_TO_TAG} ARNs, not ${arns.length}.`);
  const states = owners(context);
  const failed = arns.filter((arn) => !states.some((owner) => change(owner, arn) === true));
  const FailedResourcesMap: Record<string, SDK.FailureInfo> = {};
  for (const arn of failed) {
    FailedResourcesMap[arn] = {
      StatusCode: 400,
      ErrorCode: 'InvalidParameterException',
      ErrorMessage: `${arn} is not a resource of this region whose tags can be changed here.`,
    };
  }
  return { FailedResourcesMap };
}

const tags = operations<typeof SDK, object>()({
  /** What bears tags, of this region and account. What is asked for by ARN need not (tagging API, GetResources). */
  GetResources({ TagFilters = [], ResourceTypeFilters = [], ResourceARNList, ResourcesPerPage, PaginationToken }, context) {
    if (
      ResourceARNList &&
      (TagFilters.length > 0 || ResourceTypeFilters.length > 0 || ResourcesPerPage !== undefined || PaginationToken)
    )
      invalid('ResourceARNList cannot be used together with filters or pages.');
    if (ResourceARNList && ResourceARNList.length > MOST_ARNS) invalid(`ResourceARNList has at most ${MOST_ARNS} ARNs.`);
    const matching = everything(context).filter(({ arn, tags }) =>
      ResourceARNList
        ? ResourceARNList.includes(arn)
        : Object.keys(tags).length > 0 &&
          (ResourceTypeFilters.length === 0 || ResourceTypeFilters.some((filter) => isOfType(arn, filter))) &&
          bears(tags, TagFilters),
    );
    const { page, ...next } = paged(matching, ({ arn }) => arn, pageSize(ResourcesPerPage), PaginationToken);
    return {
      ResourceTagMappingList: page.map(({ arn, tags }) => ({
        ResourceARN: arn,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      })),
      ...next,
    };
  },

  TagResources: ({ ResourceARNList = [], Tags = {} }, context) =>
    changeEach(ResourceARNList, (owner, arn) => owner.tagResource?.(arn, Tags), context),

  UntagResources: ({ ResourceARNList = [], TagKeys = [] }, context) =>
    changeEach(ResourceARNList, (owner, arn) => owner.untagResource?.(arn, TagKeys), context),

  GetTagKeys({ PaginationToken }, context) {
    const keys = new Set(everything(context).flatMap(({ tags }) => Object.keys(tags)));
    const { page, ...next } = paged([...keys].sort(), String, PAGE, PaginationToken);
    return { TagKeys: page, ...next };
  },

  GetTagValues({ Key = '', PaginationToken }, context) {
    const values = new Set(everything(context).flatMap(({ tags }) => (Object.hasOwn(tags, Key) ? [tags[Key] as string] : [])));
    const { page, ...next } = paged([...values].sort(), String, PAGE, PaginationToken);
    return { TagValues: page, ...next };
  },
});

export const service = defineService<object>({
  name: 'tagging',
  sdk: () => import('@aws-sdk/client-resource-groups-tagging-api'),
  client: 'ResourceGroupsTaggingAPIClient',
  scope: 'region',
  state: () => ({}),
  authorization,
  operations: { ...tags },
});
