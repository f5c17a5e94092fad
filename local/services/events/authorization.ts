import { tagsOf } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import type { Context } from '../../world/service.ts';
import { type EventsState, guardOf } from './state.ts';

const rule = ({ Rule, Name, EventBusName }: Record<string, string>, { state }: Context<EventsState>): string =>
  state.ruleArn(Rule ?? Name ?? '*', (EventBusName ?? 'default').replace(/^arn:.*event-bus\//, ''));

const OF_RULES = [
  'PutRule',
  'DescribeRule',
  'EnableRule',
  'DisableRule',
  'DeleteRule',
  'PutTargets',
  'RemoveTargets',
  'ListTargetsByRule',
] as const;

interface Entry {
  readonly EventBusName?: string;
  readonly Source?: string;
  readonly DetailType?: string;
}

/** Service Authorization Reference, "Amazon EventBridge". */
export const authorization: Authorization<EventsState> = {
  members: { Name: ['event-bus'] },
  guard: (resource, { world }) => (resource.includes(':event-bus/') ? guardOf(resource, world) : undefined),
  instead: {
    ...Object.fromEntries(
      OF_RULES.map((operation) => [
        operation,
        (input: any, context: Context<EventsState>) => [
          { action: `events:${operation}`, resource: rule(input, context), tags: () => tagsOf(rule(input, context), context) },
          ...(operation === 'PutTargets'
            ? (input.Targets ?? []).flatMap(({ RoleArn }: { RoleArn?: string }) => passing(RoleArn, 'events.amazonaws.com'))
            : []),
        ],
      ]),
    ),
    /** Each event by itself (EventBridge guide, "Using IAM policy conditions": events:source, events:detail-type). */
    PutEvents: ({ Entries = [] }: { Entries?: readonly Entry[] }, { account, region }) =>
      Entries.map(({ EventBusName = 'default', Source, DetailType }) => ({
        action: 'events:PutEvents',
        resource: EventBusName.startsWith('arn:')
          ? EventBusName
          : `arn:aws:events:${region}:${account}:event-bus/${EventBusName}`,
        keys: { 'events:source': Source, 'events:detail-type': DetailType, 'events:eventbusinvocation': 'false' },
      })),
  },
};
