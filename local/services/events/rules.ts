import type * as SDK from '@aws-sdk/client-eventbridge';
import { operations, refuse } from '../../world/service.ts';
import { InvalidExpression, timetable } from '../timetables.ts';
import { compile, type Pattern } from './pattern.ts';
import { PatternError } from './pattern-error.ts';
import type { EventsState, Rule } from './state.ts';

/** Per bus, and adjustable (EventBridge guide, "Quotas"). */
const MAX_RULES = 300;

export const invalid = (message: string): never => refuse('ValidationException', message);

export function compiled(text: string): Pattern {
  try {
    return compile(text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return refuse('InvalidEventPatternException', `Event pattern is not valid. Reason: ${error.message}`);
  }
}

/** Rules say `rate(1 minute)` and `rate(5 minutes)`, and know no `at(…)` (EventBridge guide, "Creating a rule that runs on a schedule"). */
const RULE_SCHEDULE = /^(cron\(.+\)|rate\((1 (minute|hour|day)|(?!1 )\d+ (minutes|hours|days))\))$/;

function scheduled(text: string, now: number): NonNullable<Rule['schedule']> {
  if (!RULE_SCHEDULE.test(text)) invalid('Parameter ScheduleExpression is not valid.');
  try {
    return { text, timetable: timetable(text, { origin: now }) };
  } catch (error) {
    if (!(error instanceof InvalidExpression)) throw error;
    return invalid('Parameter ScheduleExpression is not valid.');
  }
}

const described = ({ name, arn, bus, description, roleArn, enabled, eventPattern, schedule }: Rule): SDK.Rule => ({
  Name: name,
  Arn: arn,
  EventBusName: bus,
  State: enabled ? 'ENABLED' : 'DISABLED',
  ...(description === undefined ? {} : { Description: description }),
  ...(roleArn === undefined ? {} : { RoleArn: roleArn }),
  ...(eventPattern ? { EventPattern: eventPattern.text } : {}),
  ...(schedule ? { ScheduleExpression: schedule.text } : {}),
});

const enable = (state: EventsState, rule: Rule, enabled: boolean): object => {
  rule.enabled = enabled;
  state.arm(rule);
  return {};
};

export const rules = operations<typeof SDK, EventsState>()({
  /** Replaces what is not given again by nothing; targets and tags stay (EventBridge API, PutRule). */
  PutRule({ Name = '', EventPattern, ScheduleExpression, State = 'ENABLED', Description, RoleArn, EventBusName, Tags }, context) {
    const { state, now } = context;
    const bus = state.bus(EventBusName);
    if (!/^[\w.-]{1,64}$/.test(Name)) invalid(`Value '${Name}' at 'name' failed to satisfy constraint: [\\.\\-_A-Za-z0-9]+`);
    if (!EventPattern && !ScheduleExpression) invalid('Parameter(s) EventPattern or ScheduleExpression must be specified.');
    if (ScheduleExpression && bus.name !== 'default') invalid('ScheduleExpression is supported only on the default event bus.');
    const known = bus.rules.get(Name);
    if (!known && bus.rules.size >= MAX_RULES)
      refuse('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
    const rule: Rule = {
      name: Name,
      arn: state.ruleArn(Name, bus.name),
      bus: bus.name,
      targets: known?.targets ?? new Map(),
      tags: known?.tags ?? Object.fromEntries((Tags ?? []).map(({ Key, Value }) => [Key, Value ?? ''])),
      description: Description,
      roleArn: RoleArn,
      enabled: State !== 'DISABLED',
      eventPattern: EventPattern ? { text: EventPattern, matches: compiled(EventPattern) } : undefined,
      schedule: ScheduleExpression ? scheduled(ScheduleExpression, now().getTime()) : undefined,
      disarm: () => {},
    };
    known?.disarm();
    bus.rules.set(Name, rule);
    state.arm(rule);
    return { RuleArn: rule.arn };
  },

  DescribeRule: ({ Name = '', EventBusName }, { state, account }) => ({
    ...described(state.rule(Name, EventBusName)),
    CreatedBy: account,
  }),

  ListRules({ NamePrefix = '', EventBusName, Limit, NextToken }, { state }) {
    const all = [...state.bus(EventBusName).rules.values()].filter(({ name }) => name.startsWith(NamePrefix));
    const { page, more } = paged(all, Limit, NextToken);
    return { Rules: page.map(described), ...more };
  },

  ListRuleNamesByTarget({ TargetArn = '', EventBusName, Limit, NextToken }, { state }) {
    const all = [...state.bus(EventBusName).rules.values()].filter(({ targets }) =>
      [...targets.values()].some(({ arn }) => arn === TargetArn),
    );
    const { page, more } = paged(all, Limit, NextToken);
    return { RuleNames: page.map(({ name }) => name), ...more };
  },

  EnableRule: ({ Name = '', EventBusName }, { state }) => enable(state, state.rule(Name, EventBusName), true),
  DisableRule: ({ Name = '', EventBusName }, { state }) => enable(state, state.rule(Name, EventBusName), false),

  /** A rule that is not there is as good as deleted; one with targets is not deleted (EventBridge API, DeleteRule). */
  DeleteRule({ Name = '', EventBusName }, { state }) {
    const { rules } = state.bus(EventBusName);
    const rule = rules.get(Name);
    if (rule && rule.targets.size > 0) invalid("Rule can't be deleted since it has targets.");
    rule?.disarm();
    rules.delete(Name);
    return {};
  },
});

export function paged<T>(all: readonly T[], limit = 100, from = '0'): { page: T[]; more: { NextToken?: string } } {
  const start = Number(from);
  if (!Number.isInteger(start) || start < 0) invalid(`NextToken ${from} is not valid.`);
  const end = start + limit;
  return { page: all.slice(start, end), more: end < all.length ? { NextToken: String(end) } : {} };
}
