import type * as SDK from '@aws-sdk/client-sns';
import { defineService, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';

interface Topic {
  readonly arn: string;
  readonly attributes: Record<string, string>;
  readonly tags: Record<string, string>;
  /** What was said on it; nobody is subscribed here. */
  readonly messages: { readonly id: string; readonly subject: string | undefined; readonly message: string; readonly at: Date }[];
}

/** Topics as they were written, and what was said on them. */
interface SnsState {
  readonly topics: Map<string, Topic>;
}

const found = ({ topics }: SnsState, arn = ''): Topic =>
  topics.get(arn) ?? refuse('NotFound', 'Topic does not exist', { status: 404 });

const topics = operations<typeof SDK, SnsState>()({
  /** A topic of that name is answered again (SNS API, CreateTopic). */
  CreateTopic({ Name = '', Attributes = {}, Tags = [] }, { state, account, region }) {
    if (!/^[\w-]{1,256}(\.fifo)?$/.test(Name)) refuse('InvalidParameter', 'Invalid parameter: Topic Name');
    const arn = `arn:aws:sns:${region}:${account}:${Name}`;
    if (!state.topics.has(arn)) {
      const tags = Object.fromEntries(Tags.map(({ Key, Value }) => [Key as string, Value ?? '']));
      state.topics.set(arn, {
        arn,
        tags,
        messages: [],
        attributes: { TopicArn: arn, Owner: account, DisplayName: '', ...Attributes },
      });
    }
    return { TopicArn: arn };
  },

  GetTopicAttributes: ({ TopicArn }, { state }) => ({ Attributes: { ...found(state, TopicArn).attributes } }),

  SetTopicAttributes({ TopicArn, AttributeName = '', AttributeValue = '' }, { state }) {
    found(state, TopicArn).attributes[AttributeName] = AttributeValue;
    return {};
  },

  Publish({ TopicArn, Message = '', Subject }, { state, now, world }) {
    if (Message === '') refuse('InvalidParameter', 'Invalid parameter: Empty message');
    const id = world.random.uuid();
    found(state, TopicArn).messages.push({ id, subject: Subject, message: Message, at: now() });
    return { MessageId: id };
  },

  ListTopics({ NextToken }, { state }) {
    const { page, nextToken } = paged([...state.topics.values()], 100, NextToken);
    return { Topics: page.map(({ arn }) => ({ TopicArn: arn })), ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  /** A topic that is not there is as good as deleted (SNS API, DeleteTopic). */
  DeleteTopic({ TopicArn = '' }, { state }) {
    state.topics.delete(TopicArn);
    return {};
  },
});

export const service = defineService<SnsState>({
  name: 'sns',
  sdk: () => import('@aws-sdk/client-sns'),
  client: 'SNSClient',
  scope: 'region',
  state: () => ({ topics: new Map() }),
  operations: { ...topics },
});
