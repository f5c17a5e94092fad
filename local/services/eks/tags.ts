import type * as SDK from '@aws-sdk/client-eks';
import { operations, refuse } from '../../world/service.ts';
import type { EksState, Tags } from './state.ts';

function find(state: EksState, arn = ''): { tags: Tags } {
  return state.tagged(arn) ?? refuse('NotFoundException', `${arn} is not a resource of this place.`);
}

export const tags = operations<typeof SDK, EksState>()({
  TagResource({ resourceArn, tags = {} }, { state }) {
    Object.assign(find(state, resourceArn).tags, tags);
    return {};
  },

  UntagResource({ resourceArn, tagKeys = [] }, { state }) {
    const bearer = find(state, resourceArn);
    for (const key of tagKeys) delete bearer.tags[key];
    return {};
  },

  ListTagsForResource: ({ resourceArn }, { state }) => ({ tags: find(state, resourceArn).tags }),
});
