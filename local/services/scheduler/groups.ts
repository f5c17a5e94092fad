import type * as SDK from '@aws-sdk/client-scheduler';
import { operations, refuse } from '../../world/service.ts';
import { checkName, invalid, paged } from './schedules.ts';
import type { Group, SchedulerState } from './state.ts';

const described = ({ name, arn, createdAt }: Group): SDK.ScheduleGroupSummary => ({
  Name: name,
  Arn: arn,
  State: 'ACTIVE',
  CreationDate: createdAt,
  LastModificationDate: createdAt,
});

const tagsOf = (tags: readonly SDK.Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value ?? '']));

const groupOf = (arn: string, state: SchedulerState): Group =>
  [...state.groups.values()].find((group) => group.arn === arn) ??
  refuse('ResourceNotFoundException', `Schedule group ${arn} does not exist.`, { status: 404 });

export const groups = operations<typeof SDK, SchedulerState>()({
  CreateScheduleGroup: ({ Name = '', Tags }, { state }) => ({
    ScheduleGroupArn: state.createGroup(checkName(Name), tagsOf(Tags)).arn,
  }),

  GetScheduleGroup: ({ Name = '' }, { state }) => described(state.group(Name)),

  ListScheduleGroups({ NamePrefix = '', MaxResults, NextToken }, { state }) {
    const all = [...state.groups.values()].filter(({ name }) => name.startsWith(NamePrefix));
    const { page, more } = paged(all, MaxResults, NextToken);
    return { ScheduleGroups: page.map(described), ...more };
  },

  /** With a group go its schedules (Scheduler API, DeleteScheduleGroup). */
  DeleteScheduleGroup({ Name = '' }, { state }) {
    if (Name === 'default') invalid('The default schedule group cannot be deleted.');
    state.removeGroup(Name);
    return {};
  },

  TagResource({ ResourceArn = '', Tags }, { state }) {
    Object.assign(groupOf(ResourceArn, state).tags, tagsOf(Tags));
    return {};
  },

  UntagResource({ ResourceArn = '', TagKeys = [] }, { state }) {
    const { tags } = groupOf(ResourceArn, state);
    for (const key of TagKeys) delete tags[key];
    return {};
  },

  ListTagsForResource: ({ ResourceArn = '' }, { state }) => ({
    Tags: Object.entries(groupOf(ResourceArn, state).tags).map(([Key, Value]) => ({ Key, Value })),
  }),
});
