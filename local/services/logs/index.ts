import type * as SDK from '@aws-sdk/client-cloudwatch-logs';
import { type Context, defineService, operations, refuse } from '../../world/service.ts';
import { paged } from '../pages.ts';
import { type Group, LogsState } from './state.ts';

const shown = (
  { name, createdAt, retentionDays, keyId, filters, streams }: Group,
  { state }: Context<LogsState>,
): SDK.LogGroup => ({
  logGroupName: name,
  creationTime: createdAt,
  metricFilterCount: filters.size,
  arn: `${state.arn(name)}:*`,
  logGroupArn: state.arn(name),
  logGroupClass: 'STANDARD',
  storedBytes: [...streams.values()]
    .flatMap(({ events }) => events)
    .reduce((sum, { message = '' }) => sum + Buffer.byteLength(message), 0),
  ...(retentionDays === undefined ? {} : { retentionInDays: retentionDays }),
  ...(keyId === undefined ? {} : { kmsKeyId: keyId }),
});

/** CloudWatch Logs API, PutRetentionPolicy. */
const RETENTIONS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

const groups = operations<typeof SDK, LogsState>()({
  CreateLogGroup({ logGroupName = '', kmsKeyId, tags }, { state }) {
    state.create(logGroupName, { keyId: kmsKeyId, tags });
    return {};
  },

  DeleteLogGroup({ logGroupName }, { state }) {
    state.groups.delete(state.group(logGroupName).name);
    return {};
  },

  DescribeLogGroups({ logGroupNamePrefix = '', limit = 50, nextToken }, context) {
    const all = [...context.state.groups.values()].filter(({ name }) => name.startsWith(logGroupNamePrefix));
    const { page, ...next } = paged(all, limit, nextToken);
    return { logGroups: page.map((group) => shown(group, context)), ...next };
  },

  PutRetentionPolicy({ logGroupName, retentionInDays = 0 }, { state }) {
    if (!RETENTIONS.includes(retentionInDays))
      refuse('InvalidParameterException', `retentionInDays must be one of ${RETENTIONS.join(', ')}.`);
    state.group(logGroupName).retentionDays = retentionInDays;
    return {};
  },

  DeleteRetentionPolicy({ logGroupName }, { state }) {
    state.group(logGroupName).retentionDays = undefined;
    return {};
  },

  /** Kept and shown; no metric is counted by them here. */
  PutMetricFilter({ logGroupName, filterName = '', filterPattern = '', metricTransformations = [] }, { state, now }) {
    const { name, filters } = state.group(logGroupName);
    filters.set(filterName, {
      logGroupName: name,
      filterName,
      filterPattern,
      metricTransformations,
      creationTime: now().getTime(),
    });
    return {};
  },

  DescribeMetricFilters({ logGroupName, filterNamePrefix = '', limit = 50, nextToken }, { state }) {
    const of = logGroupName ? [state.group(logGroupName)] : [...state.groups.values()];
    const all = of
      .flatMap(({ filters }) => [...filters.values()])
      .filter((filter) => filter.filterName?.startsWith(filterNamePrefix));
    const { page, ...next } = paged(all, limit, nextToken);
    return { metricFilters: page, ...next };
  },

  DeleteMetricFilter({ logGroupName, filterName = '' }, { state }) {
    if (!state.group(logGroupName).filters.delete(filterName))
      refuse('ResourceNotFoundException', 'The specified metric filter does not exist.');
    return {};
  },
});

const events = operations<typeof SDK, LogsState>()({
  DescribeLogStreams({ logGroupName, logStreamNamePrefix = '', limit = 50, nextToken }, { state }) {
    const all = [...state.group(logGroupName).streams.values()].filter(({ name }) => name.startsWith(logStreamNamePrefix));
    const { page, ...next } = paged(all, limit, nextToken);
    return { logStreams: page.map(({ name, createdAt }) => ({ logStreamName: name, creationTime: createdAt })), ...next };
  },

  GetLogEvents({ logGroupName, logStreamName = '', limit = 10_000 }, { state }) {
    const stream = state.group(logGroupName).streams.get(logStreamName);
    if (!stream) return refuse('ResourceNotFoundException', 'The specified log stream does not exist.');
    return { events: stream.events.slice(-limit) };
  },

  FilterLogEvents(
    { logGroupName, filterPattern, startTime = 0, endTime = Number.MAX_SAFE_INTEGER, limit = 10_000, nextToken },
    { state },
  ) {
    if (filterPattern) refuse('NotImplemented', 'The local CloudWatch Logs does not model filter patterns.', { status: 501 });
    const all = [...state.group(logGroupName).streams.values()]
      .flatMap(({ name, events }) => events.map((event) => ({ ...event, logStreamName: name })))
      .filter(({ timestamp = 0 }) => timestamp >= startTime && timestamp < endTime)
      .sort((one, other) => (one.timestamp ?? 0) - (other.timestamp ?? 0));
    const { page, ...next } = paged(all, limit, nextToken);
    return { events: page, ...next };
  },
});

export const service = defineService<LogsState>({
  name: 'logs',
  sdk: () => import('@aws-sdk/client-cloudwatch-logs'),
  client: 'CloudWatchLogsClient',
  scope: 'region',
  state: (context) => new LogsState(context),
  operations: { ...groups, ...events },
});
