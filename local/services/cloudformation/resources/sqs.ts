import { attributes, documentText, type Maker, type Properties, type ResourceTypes } from './resource.ts';

const ATTRIBUTES = [
  'DelaySeconds',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
];

const attributesIn = (properties: Properties): Record<string, string> =>
  Object.fromEntries(ATTRIBUTES.filter((name) => properties[name] !== undefined).map((name) => [name, String(properties[name])]));

const setPolicy = async (queues: readonly string[], Policy: string, { call }: Maker): Promise<void> => {
  for (const QueueUrl of queues) await call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
};

export const sqs: ResourceTypes = {
  'AWS::SQS::Queue': {
    properties: ['QueueName', 'Tags', ...ATTRIBUTES],
    replaced: ['QueueName'],
    async create(properties, { call, name, account, region }) {
      const QueueName = properties['QueueName'] ?? name(80);
      const { QueueUrl } = await call('sqs', 'CreateQueue', { QueueName, Attributes: attributesIn(properties) });
      return attributes(QueueUrl, { Arn: `arn:aws:sqs:${region}:${account}:${QueueName}`, QueueName, QueueUrl });
    },
    async update(properties, made, { call }) {
      await call('sqs', 'SetQueueAttributes', { QueueUrl: made.id, Attributes: attributesIn(properties) });
      return made;
    },
    remove: async ({ id: QueueUrl }, { call }) => void (await call('sqs', 'DeleteQueue', { QueueUrl })),
  },
  'AWS::SQS::QueuePolicy': {
    properties: ['Queues', 'PolicyDocument'],
    async create({ Queues, PolicyDocument }, maker) {
      await setPolicy(Queues, documentText(PolicyDocument), maker);
      return attributes(maker.name(128));
    },
    async update({ Queues, PolicyDocument }, made, maker) {
      await setPolicy(Queues, documentText(PolicyDocument), maker);
      return made;
    },
    remove: (_, maker, { Queues }) => setPolicy(Queues, '', maker),
  },
};
