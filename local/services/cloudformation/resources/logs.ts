import { attributes, given, type Maker, type Properties, type ResourceTypes, small, tagMap } from './resource.ts';

const retain = (logGroupName: string, { RetentionInDays: retentionInDays }: Properties, { call }: Maker): Promise<unknown> =>
  retentionInDays === undefined
    ? call('logs', 'DeleteRetentionPolicy', { logGroupName })
    : call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays });

/** A filter's dimensions are a list here, and a map in the API. */
const putFilter = async (
  filterName: string,
  { LogGroupName, FilterPattern, MetricTransformations }: Properties,
  { call }: Maker,
) => {
  const metricTransformations = MetricTransformations.map(({ Dimensions, ...rest }: Properties) => ({
    ...small(rest),
    ...(Dimensions ? { dimensions: tagMap(Dimensions) } : {}),
  }));
  await call('logs', 'PutMetricFilter', {
    logGroupName: LogGroupName,
    filterName,
    filterPattern: FilterPattern,
    metricTransformations,
  });
  return attributes(filterName);
};

export const logs: ResourceTypes = {
  'AWS::Logs::LogGroup': {
    properties: ['LogGroupName', 'RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'Tags'],
    replaced: ['LogGroupName', 'LogGroupClass', 'KmsKeyId'],
    async create(properties, maker) {
      const { KmsKeyId: kmsKeyId, LogGroupClass: logGroupClass, Tags } = properties;
      const logGroupName = properties['LogGroupName'] ?? maker.name(512);
      await maker.call('logs', 'CreateLogGroup', given({ logGroupName, kmsKeyId, logGroupClass, tags: tagMap(Tags) }));
      if (properties['RetentionInDays'] !== undefined) await retain(logGroupName, properties, maker);
      return attributes(logGroupName, { Arn: `arn:aws:logs:${maker.region}:${maker.account}:log-group:${logGroupName}:*` });
    },
    async update(properties, made, maker) {
      await retain(made.id, properties, maker);
      return made;
    },
    remove: async ({ id: logGroupName }, { call }) => void (await call('logs', 'DeleteLogGroup', { logGroupName })),
  },
  'AWS::Logs::MetricFilter': {
    properties: ['FilterName', 'LogGroupName', 'FilterPattern', 'MetricTransformations'],
    replaced: ['FilterName', 'LogGroupName'],
    create: (properties, maker) => putFilter(properties['FilterName'] ?? maker.name(512), properties, maker),
    update: (properties, { id }, maker) => putFilter(id, properties, maker),
    remove: async ({ id: filterName }, { call }, { LogGroupName: logGroupName }) =>
      void (await call('logs', 'DeleteMetricFilter', { logGroupName, filterName })),
  },
};
