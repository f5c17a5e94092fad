import type * as SDK from '@aws-sdk/client-ec2';
import { operations, refuse } from '../../world/service.ts';
import { paged, passes } from './filters.ts';
import type { Tags } from './records.ts';
import type { Ec2State } from './state.ts';

/** EC2 guide, "Tag restrictions". */
const MOST_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;

/** The tags that a creating call asks for; one that names another type than it creates is refused. */
export const tagsFor = (type: string, specifications: readonly SDK.TagSpecification[] | undefined): Tags =>
  checked(
    (specifications ?? []).flatMap(({ ResourceType, Tags = [] }) =>
      ResourceType === type
        ? Tags
        : refuse('InvalidParameterValue', `'${ResourceType}' is not a valid taggable resource type for this operation.`),
    ),
  );

export const tagList = (tags: Tags): SDK.Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

function checked(list: readonly SDK.Tag[], onTop: Tags = {}): Tags {
  for (const { Key = '', Value = '' } of list) {
    if (/^aws:/i.test(Key))
      refuse('InvalidParameterValue', `Tag keys starting with 'aws:' are reserved for internal use: ${Key}`);
    if (Key.length < 1 || Key.length > LONGEST_KEY)
      refuse('InvalidParameterValue', `Tag key '${Key}' has ${Key.length} characters; it may have 1 to ${LONGEST_KEY}.`);
    if (Value.length > LONGEST_VALUE)
      refuse('InvalidParameterValue', `The value of tag '${Key}' exceeds the maximum length of ${LONGEST_VALUE} characters.`);
  }
  const tags = { ...onTop, ...Object.fromEntries(list.map(({ Key, Value }) => [Key as string, Value ?? ''])) };
  if (Object.keys(tags).length > MOST_TAGS) refuse('TagLimitExceeded', `A resource can bear ${MOST_TAGS} tags.`);
  return tags;
}

const NOT_FOUND: Readonly<Record<string, readonly [code: string, what: string]>> = {
  vol: ['InvalidVolume.NotFound', 'volume'],
  snap: ['InvalidSnapshot.NotFound', 'snapshot'],
  i: ['InvalidInstanceID.NotFound', 'instance ID'],
  vpc: ['InvalidVpcID.NotFound', 'vpc ID'],
  subnet: ['InvalidSubnetID.NotFound', 'subnet ID'],
  sg: ['InvalidGroup.NotFound', 'security group'],
};

function bearer(id: string, state: Ec2State): { tags: Tags } {
  const [code, what] = NOT_FOUND[id.split('-')[0] as string] ?? ['InvalidID', 'ID'];
  return state.tagged(id) ?? refuse(code, `The ${what} '${id}' does not exist`);
}

export const tags = operations<typeof SDK, Ec2State>()({
  /** All of the resources, or none. */
  CreateTags({ Resources = [], Tags = [] }, { state }) {
    const changes = Resources.map((id) => {
      const found = bearer(id, state);
      return { found, tags: checked(Tags, found.tags) };
    });
    for (const { found, tags } of changes) found.tags = tags;
    return {};
  },

  /** A tag with a value goes only where it has that value; without tags, all go that are the user's (EC2 API, DeleteTags). */
  DeleteTags({ Resources = [], Tags }, { state }) {
    for (const found of Resources.map((id) => bearer(id, state))) {
      const goes = ([key, value]: [string, string]) =>
        Tags === undefined || Tags.some(({ Key, Value }) => Key === key && (Value === undefined || Value === value));
      found.tags = Object.fromEntries(Object.entries(found.tags).filter((tag) => !goes(tag)));
    }
    return {};
  },

  DescribeTags({ Filters, ...paging }, { state }) {
    const all = state
      .allTagged()
      .flatMap(({ type, id, tags }) =>
        Object.entries(tags).map(([Key, Value]) => ({ ResourceId: id, ResourceType: type as SDK.ResourceType, Key, Value })),
      )
      .filter(({ ResourceId, ResourceType, Key, Value }) =>
        passes(Filters, { 'resource-id': ResourceId, 'resource-type': ResourceType, key: Key, value: Value }, { [Key]: Value }),
      );
    const { page, ...next } = paged(all, paging);
    return { Tags: page, ...next };
  },
});
