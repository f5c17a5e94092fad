import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-sqs';
import { defineService, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { authorization } from './authorization.ts';
import { type Message, type Queue, SqsState } from './state.ts';

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

const attributesOf = (queue: Queue, state: SqsState): Record<string, string> => {
  const messages = state.kept(queue);
  const visible = messages.filter(({ visibleAt }) => visibleAt <= state.now).length;
  return {
    ...queue.attributes,
    QueueArn: queue.arn,
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(messages.length - visible),
  };
};

const queues = operations<typeof SDK, SqsState>()({
  CreateQueue: ({ QueueName = '', Attributes = {} }, { state }) => ({ QueueUrl: state.create(QueueName, Attributes).url }),

  GetQueueUrl: ({ QueueName }, { state }) => ({ QueueUrl: state.queue(QueueName).url }),

  ListQueues({ QueueNamePrefix = '', MaxResults = 1000, NextToken }, { state }) {
    const all = [...state.queues.values()].filter(({ name }) => name.startsWith(QueueNamePrefix));
    const { page, nextToken } = paged(all, MaxResults, NextToken);
    return { QueueUrls: page.map(({ url }) => url), ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  GetQueueAttributes({ QueueUrl, AttributeNames = [] }, { state }) {
    const all = attributesOf(state.queue(QueueUrl), state);
    const asked = Object.entries(all).filter(
      ([name]) => AttributeNames.includes('All') || AttributeNames.includes(name as never),
    );
    return { Attributes: Object.fromEntries(asked) };
  },

  SetQueueAttributes({ QueueUrl, Attributes = {} }, { state }) {
    Object.assign(state.queue(QueueUrl).attributes, Attributes);
    return {};
  },

  DeleteQueue({ QueueUrl }, { state }) {
    state.queues.delete(state.queue(QueueUrl).name);
    return {};
  },

  PurgeQueue({ QueueUrl }, { state }) {
    state.queue(QueueUrl).messages = [];
    return {};
  },
});

const MOST = 10;

const received = ({ id, receipt, body, sentAt, receives, attributes }: Message): SDK.Message => ({
  MessageId: id,
  ReceiptHandle: receipt,
  Body: body,
  MD5OfBody: md5(body),
  Attributes: { SentTimestamp: String(Math.floor(sentAt)), ApproximateReceiveCount: String(receives) },
  MessageAttributes: Object.fromEntries(
    Object.entries(attributes).map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  ),
});

const messages = operations<typeof SDK, SqsState>()({
  SendMessage({ QueueUrl, MessageBody = '', MessageAttributes = {} }, { state }) {
    const queue = state.queue(QueueUrl);
    if (MessageBody === '') refuse('MissingParameter', 'The request must contain the parameter MessageBody.');
    const attributes = Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, value]) => [name, value.StringValue ?? '']),
    );
    const { id, body } = state.send(queue, MessageBody, attributes);
    return { MessageId: id, MD5OfMessageBody: md5(body) };
  },

  /** What is received is hidden for the queue's visibility timeout; what is not deleted by then is seen again (SQS guide, "Visibility timeout"). */
  ReceiveMessage({ QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout }, { state }) {
    if (MaxNumberOfMessages < 1 || MaxNumberOfMessages > MOST)
      refuse(
        'InvalidParameterValue',
        `Value ${MaxNumberOfMessages} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and ${MOST}, if provided.`,
      );
    const queue = state.queue(QueueUrl);
    const hidden = VisibilityTimeout ?? Number(queue.attributes['VisibilityTimeout']);
    const page = state
      .kept(queue)
      .filter(({ visibleAt }) => visibleAt <= state.now)
      .slice(0, MaxNumberOfMessages);
    for (const message of page)
      Object.assign(message, { receipt: state.receipt(), visibleAt: state.now + hidden * 1000, receives: message.receives + 1 });
    return page.length > 0 ? { Messages: page.map(received) } : {};
  },

  DeleteMessage({ QueueUrl, ReceiptHandle }, { state }) {
    const queue = state.queue(QueueUrl);
    queue.messages = queue.messages.filter(({ receipt }) => receipt !== ReceiptHandle);
    return {};
  },
});

export const service = defineService<SqsState>({
  name: 'sqs',
  sdk: () => import('@aws-sdk/client-sqs'),
  client: 'SQSClient',
  scope: 'region',
  state: (context) => new SqsState(context),
  authorization,
  operations: { ...queues, ...messages },
});
