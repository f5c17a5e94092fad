import type * as SDK from '@aws-sdk/client-cloudwatch';
import { defineService, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';

/** CloudWatch's alarms and dashboards as they were written. No metric is kept here, so every alarm waits for data, and says so. */
interface CloudWatchState {
  readonly alarms: Map<string, SDK.MetricAlarm>;
  readonly dashboards: Map<string, { readonly body: string; readonly changedAt: Date }>;
}

const WAITING = { StateValue: 'INSUFFICIENT_DATA', StateReason: 'Unchecked: Initial alarm creation' } as const;

const alarms = operations<typeof SDK, CloudWatchState>()({
  PutMetricAlarm({ Tags: _, ...written }, { state, now, account, region }) {
    const name = written.AlarmName ?? '';
    if (!name) refuse('ValidationError', 'The parameter AlarmName is required.');
    state.alarms.set(name, {
      ActionsEnabled: true,
      OKActions: [],
      AlarmActions: [],
      InsufficientDataActions: [],
      Dimensions: [],
      ...written,
      AlarmArn: `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`,
      AlarmConfigurationUpdatedTimestamp: now(),
      StateUpdatedTimestamp: now(),
      ...WAITING,
    });
    return {};
  },

  DescribeAlarms({ AlarmNames, AlarmNamePrefix = '', StateValue, MaxRecords = 50, NextToken }, { state }) {
    const all = [...state.alarms.values()].filter(
      ({ AlarmName = '', StateValue: is }) =>
        (AlarmNames ? AlarmNames.includes(AlarmName) : AlarmName.startsWith(AlarmNamePrefix)) &&
        (!StateValue || is === StateValue),
    );
    const { page, nextToken } = paged(all, MaxRecords, NextToken);
    return { MetricAlarms: page, CompositeAlarms: [], ...(nextToken ? { NextToken: nextToken } : {}) };
  },

  DeleteAlarms({ AlarmNames = [] }, { state }) {
    const missing = AlarmNames.filter((name) => !state.alarms.has(name));
    if (missing.length > 0) refuse('ResourceNotFound', `The alarms [${missing.join(', ')}] do not exist.`, { status: 404 });
    for (const name of AlarmNames) state.alarms.delete(name);
    return {};
  },
});

const notThere = (name: string): never => refuse('ResourceNotFound', `Dashboard ${name} does not exist`, { status: 404 });

const dashboards = operations<typeof SDK, CloudWatchState>()({
  PutDashboard({ DashboardName = '', DashboardBody = '' }, { state, now }) {
    try {
      JSON.parse(DashboardBody);
    } catch {
      refuse('InvalidParameterInput', 'The field DashboardBody must be a valid JSON object');
    }
    state.dashboards.set(DashboardName, { body: DashboardBody, changedAt: now() });
    return { DashboardValidationMessages: [] };
  },

  GetDashboard({ DashboardName = '' }, { state, account }) {
    const { body } = state.dashboards.get(DashboardName) ?? notThere(DashboardName);
    return { DashboardName, DashboardBody: body, DashboardArn: `arn:aws:cloudwatch::${account}:dashboard/${DashboardName}` };
  },

  ListDashboards({ DashboardNamePrefix = '' }, { state, account }) {
    const all = [...state.dashboards].filter(([name]) => name.startsWith(DashboardNamePrefix));
    return {
      DashboardEntries: all.map(([DashboardName, { body, changedAt }]) => ({
        DashboardName,
        DashboardArn: `arn:aws:cloudwatch::${account}:dashboard/${DashboardName}`,
        LastModified: changedAt,
        Size: Buffer.byteLength(body),
      })),
    };
  },

  DeleteDashboards({ DashboardNames = [] }, { state }) {
    for (const name of DashboardNames) if (!state.dashboards.delete(name)) notThere(name);
    return {};
  },
});

export const service = defineService<CloudWatchState>({
  name: 'monitoring',
  sdk: () => import('@aws-sdk/client-cloudwatch'),
  client: 'CloudWatchClient',
  scope: 'region',
  state: () => ({ alarms: new Map(), dashboards: new Map() }),
  operations: { ...alarms, ...dashboards },
});
