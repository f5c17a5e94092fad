import type * as SDK from '@aws-sdk/client-scheduler';
import { operations, refuse } from '../../world/service.ts';
import { InvalidExpression, type Timetable, timetable } from '../timetables.ts';
import type { Schedule, SchedulerState } from './state.ts';
import { checkTarget } from './targets.ts';

export const invalid: (message: string) => never = (message) => refuse('ValidationException', message);

export function checkName(name: string): string {
  return /^[\w.-]{1,64}$/.test(name) ? name : invalid(`Value '${name}' at 'name' failed to satisfy constraint: [0-9a-zA-Z-_.]+`);
}

type Input = SDK.CreateScheduleInput;

/** A rate without a start begins when it is created (Scheduler guide, "Rate-based schedules"). */
function timetableOf(
  { ScheduleExpression = '', ScheduleExpressionTimezone: timeZone = 'UTC', StartDate }: Input,
  createdAt: Date,
): Timetable {
  try {
    return timetable(ScheduleExpression, { timeZone, origin: (StartDate ?? createdAt).getTime() });
  } catch (error) {
    if (!(error instanceof InvalidExpression)) throw error;
    return error.message === timeZone && timeZone !== ScheduleExpression
      ? invalid(`Invalid ScheduleExpressionTimezone ${timeZone}.`)
      : invalid(`Invalid Schedule Expression ${ScheduleExpression}.`);
  }
}

function checkWindow({ FlexibleTimeWindow }: Input): void {
  const { Mode, MaximumWindowInMinutes: minutes } = FlexibleTimeWindow ?? invalid('FlexibleTimeWindow is required.');
  if (Mode !== 'OFF' && Mode !== 'FLEXIBLE') invalid('FlexibleTimeWindow.Mode must be OFF or FLEXIBLE.');
  if (Mode === 'OFF' && minutes !== undefined) invalid('A MaximumWindowInMinutes is only for a FLEXIBLE time window.');
  if (Mode === 'FLEXIBLE' && !(minutes !== undefined && minutes >= 1 && minutes <= 1440))
    invalid('MaximumWindowInMinutes must be from 1 to 1440.');
}

function written(input: Input, now: Date, createdAt: Date): Omit<Schedule, 'arn' | 'disarm'> {
  checkWindow(input);
  checkTarget(input.Target ?? invalid('Target is required.'));
  const { StartDate, EndDate, ...rest } = input;
  if (StartDate && EndDate && EndDate <= StartDate) invalid('EndDate must be later than StartDate.');
  return {
    name: checkName(input.Name ?? ''),
    group: input.GroupName ?? 'default',
    createdAt,
    changedAt: now,
    // Start and end mean nothing to a schedule for one time (Scheduler API, CreateSchedule: StartDate, EndDate).
    written: input.ScheduleExpression?.startsWith('at(') ? rest : input,
    state: input.State ?? 'ENABLED',
    timetable: timetableOf(input, createdAt),
  };
}

const summary = ({ arn, name, group, state, createdAt, changedAt, written: { Target } }: Schedule): SDK.ScheduleSummary => ({
  Arn: arn,
  Name: name,
  GroupName: group,
  State: state,
  CreationDate: createdAt,
  LastModificationDate: changedAt,
  Target: { Arn: Target?.Arn },
});

export const schedules = operations<typeof SDK, SchedulerState>()({
  CreateSchedule(input, { state, now }) {
    const made = written(input, now(), now());
    const { schedules } = state.group(made.group);
    if (schedules.has(made.name)) refuse('ConflictException', `Schedule ${made.name} already exists.`, { status: 409 });
    return { ScheduleArn: state.keep(made).arn };
  },

  /** Replaces the schedule whole: what is not given again is gone (Scheduler API, UpdateSchedule). */
  UpdateSchedule(input, { state, now }) {
    const { createdAt } = state.schedule(input.Name ?? '', input.GroupName);
    return { ScheduleArn: state.keep(written(input, now(), createdAt)).arn };
  },

  GetSchedule({ Name = '', GroupName }, { state }) {
    const schedule = state.schedule(Name, GroupName);
    const { arn, name, group, createdAt, changedAt, written } = schedule;
    const { ClientToken: _, ...rest } = written;
    return {
      ActionAfterCompletion: 'NONE',
      ScheduleExpressionTimezone: 'UTC',
      ...rest,
      Arn: arn,
      Name: name,
      GroupName: group,
      State: schedule.state,
      CreationDate: createdAt,
      LastModificationDate: changedAt,
    };
  },

  ListSchedules({ GroupName, NamePrefix = '', State, MaxResults, NextToken }, { state }) {
    const groups = GroupName === undefined ? [...state.groups.values()] : [state.group(GroupName)];
    const all = groups
      .flatMap(({ schedules }) => [...schedules.values()])
      .filter((schedule) => schedule.name.startsWith(NamePrefix) && (!State || schedule.state === State));
    const { page, more } = paged(all, MaxResults, NextToken);
    return { Schedules: page.map(summary), ...more };
  },

  DeleteSchedule({ Name = '', GroupName }, { state }) {
    state.remove(state.schedule(Name, GroupName));
    return {};
  },
});

export function paged<T>(all: readonly T[], limit = 100, from = '0'): { page: T[]; more: { NextToken?: string } } {
  const start = Number(from);
  if (!Number.isInteger(start) || start < 0) invalid(`NextToken ${from} is not valid.`);
  const end = start + limit;
  return { page: all.slice(start, end), more: end < all.length ? { NextToken: String(end) } : {} };
}
