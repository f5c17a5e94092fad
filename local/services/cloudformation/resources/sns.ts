import { attributes, documentText, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

const ATTRIBUTES = ['KmsMasterKeyId', 'DisplayName'];

const setPolicy = async ({ Topics, PolicyDocument }: Properties, { call }: Maker): Promise<void> => {
  for (const TopicArn of Topics)
    await call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: documentText(PolicyDocument) });
};

export const sns: ResourceTypes = {
  'AWS::SNS::Topic': {
    properties: ['TopicName', 'Tags', ...ATTRIBUTES],
    replaced: ['TopicName'],
    async create(properties, { call, name }) {
      const Name = properties['TopicName'] ?? name(256);
      const Attributes = given(Object.fromEntries(ATTRIBUTES.map((attribute) => [attribute, properties[attribute]])));
      const { TopicArn } = await call('sns', 'CreateTopic', given({ Name, Attributes, Tags: properties['Tags'] }));
      return attributes(TopicArn, { TopicArn, TopicName: Name });
    },
    async update(properties, made, { call }, before) {
      for (const AttributeName of ATTRIBUTES.filter((name) => properties[name] !== before[name]))
        await call('sns', 'SetTopicAttributes', {
          TopicArn: made.id,
          AttributeName,
          AttributeValue: properties[AttributeName] ?? '',
        });
      return made;
    },
    remove: async ({ id: TopicArn }, { call }) => void (await call('sns', 'DeleteTopic', { TopicArn })),
  },
  'AWS::SNS::TopicPolicy': {
    properties: ['Topics', 'PolicyDocument'],
    async create(properties, maker) {
      await setPolicy(properties, maker);
      return attributes(maker.name(128));
    },
    async update(properties, made, maker) {
      await setPolicy(properties, maker);
      return made;
    },
    /** A topic is never without a policy: its owner's remains (SNS guide, "Default access policy"). */
    remove: async () => {},
  },
};
