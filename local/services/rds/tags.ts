import type * as SDK from '@aws-sdk/client-rds';
import { operations, refuse } from '../../world/service.ts';
import type { Tags } from './instance.ts';
import type { RdsState } from './state.ts';

/** RDS guide, "Tagging Amazon RDS resources". */
const MOST_TAGS = 50;

export const tagList = (tags: Tags): SDK.Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export function tagsOf(list: readonly SDK.Tag[] | undefined, onTop: Tags = {}): Tags {
  for (const { Key = '', Value = '' } of list ?? []) {
    if (Key === '' || Key.length > 128 || Value.length > 256 || /^(aws|rds):/i.test(Key))
      refuse('InvalidParameterValue', `Invalid tag: ${Key}=${Value}`);
  }
  const tags = { ...onTop, ...Object.fromEntries((list ?? []).map(({ Key, Value }) => [Key as string, Value ?? ''])) };
  if (Object.keys(tags).length > MOST_TAGS) refuse('InvalidParameterValue', `A resource can bear ${MOST_TAGS} tags.`);
  return tags;
}

const bearer = (state: RdsState, name: string | undefined): { tags: Tags } =>
  state.tagged(name) ?? refuse('DBInstanceNotFoundFault', `Could not find ${name}`, { status: 404 });

export const tags = operations<typeof SDK, RdsState>()({
  AddTagsToResource({ ResourceName, Tags }, { state }) {
    const found = bearer(state, ResourceName);
    found.tags = tagsOf(Tags, found.tags);
    return {};
  },

  RemoveTagsFromResource({ ResourceName, TagKeys = [] }, { state }) {
    const found = bearer(state, ResourceName);
    found.tags = Object.fromEntries(Object.entries(found.tags).filter(([key]) => !TagKeys.includes(key)));
    return {};
  },

  ListTagsForResource: ({ ResourceName }, { state }) => ({ TagList: tagList(bearer(state, ResourceName).tags) }),
});
