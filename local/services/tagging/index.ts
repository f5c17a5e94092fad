import type * as SDK from '@aws-sdk/client-resource-groups-tagging-api';
import { type Context, defineService, operations, refuse, type Tagged } from '../../world/service.ts';

type Resource = ReturnType<Tagged['taggedResources']>[number];

/** Asks the state of every other service for what bears tags in this place; nothing is kept here. */
function everything({ world, account, region }: Context<object>): { owner: Partial<Tagged>; resource: Resource }[] {
  return [...world.services.keys()]
    .filter((name) => name !== 'tagging')
    .flatMap((name) => {
      const owner = world.state<Partial<Tagged>>(name, { account, region });
      return (owner.taggedResources?.({ account, region }) ?? []).map((resource) => ({ owner, resource }));
    })
    .sort((a, b) => (a.resource.arn < b.resource.arn ? -1 : 1));
}

/** `ec2:volume`, `dynamodb`, `s3:bucket`: an ARN's service and the first part of its resource (tagging API, ResourceTypeFilters). */
function isOfType(arn: string, filter: string): boolean {
  const [service, type] = filter.split(':');
  const [, , arnService, , , ...rest] = arn.split(':');
  if (arnService !== service) return false;
  const resource = rest.join(':');
  return type === undefined || (service === 's3' ? type === 'bucket' : resource.split(/[/:]/)[0] === type);
}

const tags = operations<typeof SDK, object>()({
  GetResources({ TagFilters = [], ResourceTypeFilters = [], ResourceARNList, ResourcesPerPage = 100, PaginationToken }, context) {
    if (ResourceARNList && (TagFilters.length > 0 || ResourceTypeFilters.length > 0)) {
      refuse('InvalidParameterException', 'ResourceARNList cannot be used together with filters.');
    }
    const matching = everything(context)
      .map(({ resource }) => resource)
      .filter(({ arn, tags }) =>
        ResourceARNList
          ? ResourceARNList.includes(arn)
          : Object.keys(tags).length > 0 &&
            (ResourceTypeFilters.length === 0 || ResourceTypeFilters.some((filter) => isOfType(arn, filter))) &&
            TagFilters.every(
              ({ Key, Values = [] }) =>
                Object.hasOwn(tags, Key ?? '') && (Values.length === 0 || Values.includes(tags[Key as string] as string)),
            ),
      );
    const from = PaginationToken ? matching.findIndex(({ arn }) => arn > PaginationToken) : 0;
    const page = from < 0 ? [] : matching.slice(from, from + ResourcesPerPage);
    const more = from >= 0 && from + ResourcesPerPage < matching.length;
    return {
      PaginationToken: more ? (page.at(-1) as Resource).arn : '',
      ResourceTagMappingList: page.map(({ arn, tags }) => ({
        ResourceARN: arn,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      })),
    };
  },

  TagResources({ ResourceARNList = [], Tags = {} }, context) {
    const known = everything(context);
    const failed: Record<string, SDK.FailureInfo> = {};
    for (const arn of ResourceARNList) {
      const owners = new Set(known.map(({ owner }) => owner));
      const done = [...owners].some((owner) => owner.tagResource?.(arn, Tags) === true);
      if (!done)
        failed[arn] = {
          StatusCode: 400,
          ErrorCode: 'InvalidParameterException',
          ErrorMessage: `${arn} is not a resource that can be tagged here.`,
        };
    }
    return { FailedResourcesMap: failed };
  },

  GetTagKeys: (_, context) => ({
    TagKeys: [...new Set(everything(context).flatMap(({ resource }) => Object.keys(resource.tags)))].sort(),
    PaginationToken: '',
  }),

  GetTagValues({ Key = '' }, context) {
    const values = everything(context).flatMap(({ resource }) =>
      Object.hasOwn(resource.tags, Key) ? [resource.tags[Key] as string] : [],
    );
    return { TagValues: [...new Set(values)].sort(), PaginationToken: '' };
  },
});

export const service = defineService<object>({
  name: 'tagging',
  sdk: () => import('@aws-sdk/client-resource-groups-tagging-api'),
  client: 'ResourceGroupsTaggingAPIClient',
  scope: 'region',
  state: () => ({}),
  operations: { ...tags },
});
