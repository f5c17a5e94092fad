import { attributes, type Maker, type Properties, type ResourceTypes } from './resource.ts';

const putAlarm = async (name: string, properties: Properties, { call, account, region }: Maker) => {
  await call('monitoring', 'PutMetricAlarm', { ...properties, AlarmName: name });
  return attributes(name, { Arn: `arn:aws:cloudwatch:${region}:${account}:alarm:${name}` });
};

const putDashboard = async (DashboardName: string, { DashboardBody }: Properties, { call }: Maker) => {
  await call('monitoring', 'PutDashboard', { DashboardName, DashboardBody });
  return attributes(DashboardName);
};

export const cloudwatch: ResourceTypes = {
  'AWS::CloudWatch::Alarm': {
    properties: [
      'AlarmName',
      'AlarmDescription',
      'ActionsEnabled',
      'AlarmActions',
      'OKActions',
      'InsufficientDataActions',
      'Namespace',
      'MetricName',
      'Dimensions',
      'Statistic',
      'ExtendedStatistic',
      'Unit',
      'Period',
      'EvaluationPeriods',
      'DatapointsToAlarm',
      'Threshold',
      'ComparisonOperator',
      'TreatMissingData',
      'Metrics',
    ],
    replaced: ['AlarmName'],
    create: (properties, maker) => putAlarm(properties['AlarmName'] ?? maker.name(255), properties, maker),
    update: (properties, { id }, maker) => putAlarm(id, properties, maker),
    remove: async ({ id }, { call }) => void (await call('monitoring', 'DeleteAlarms', { AlarmNames: [id] })),
  },
  'AWS::CloudWatch::Dashboard': {
    properties: ['DashboardName', 'DashboardBody'],
    replaced: ['DashboardName'],
    create: (properties, maker) => putDashboard(properties['DashboardName'] ?? maker.name(255), properties, maker),
    update: (properties, { id }, maker) => putDashboard(id, properties, maker),
    remove: async ({ id }, { call }) => void (await call('monitoring', 'DeleteDashboards', { DashboardNames: [id] })),
  },
};
