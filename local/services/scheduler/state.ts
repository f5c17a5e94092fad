import type { CreateScheduleInput, ScheduleState } from '@aws-sdk/client-scheduler';
import { assumed } from '../../world/authorization/trust.ts';
import { rfc3339 } from '../../world/clock.ts';
import type { StateContext } from '../../world/service.ts';
import { refuse } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { deliver, RETRY_POLICY, toDeadLetters } from '../deliveries.ts';
import type { Timetable } from '../timetables.ts';
import { requestOf } from './targets.ts';

/** A schedule as it was last written, and when it fires next. */
export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
  readonly written: Readonly<CreateScheduleInput>;
  readonly state: ScheduleState;
  readonly timetable: Timetable;
  /** Forgets when it would fire next. */
  disarm: () => void;
}

export interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly tags: Record<string, string>;
  readonly schedules: Map<string, Schedule>;
}

/** An invocation that its target never took, and why. */
export interface Undelivered {
  readonly schedule: string;
  readonly scheduled: string;
  readonly why: string;
}

/** A schedule fires within the minute that it names (Scheduler guide, "What is EventBridge Scheduler?"); the seed decides when. */
const PRECISION_MILLIS = 59_999;
const MINUTE = 60_000;

export class SchedulerState {
  readonly groups = new Map<string, Group>();
  /** How likely a schedule invokes its target twice for one time: invocation is at least once (same page). */
  duplicates = 0;
  readonly undelivered: Undelivered[] = [];
  readonly #place: Place;
  readonly #world: World;
  readonly #random;

  constructor({ account, region, world }: StateContext) {
    this.#place = { account, region };
    this.#world = world;
    this.#random = world.random.stream(`scheduler/${account}/${region}`);
    this.createGroup('default', {});
  }

  createGroup(name: string, tags: Record<string, string>): Group {
    if (this.groups.has(name)) refuse('ConflictException', `Schedule group ${name} already exists.`, { status: 409 });
    const group: Group = { name, arn: this.#arn(`schedule-group/${name}`), createdAt: this.now(), tags, schedules: new Map() };
    this.groups.set(name, group);
    return group;
  }

  group(name = 'default'): Group {
    return (
      this.groups.get(name) ?? refuse('ResourceNotFoundException', `Schedule group ${name} does not exist.`, { status: 404 })
    );
  }

  schedule(name: string, group?: string): Schedule {
    return (
      this.group(group).schedules.get(name) ??
      refuse('ResourceNotFoundException', `Schedule ${name} does not exist.`, { status: 404 })
    );
  }

  /** Keeps a schedule, in place of one of the same name, and has it fire from now on. */
  keep(schedule: Omit<Schedule, 'arn' | 'disarm'>): Schedule {
    const { schedules } = this.group(schedule.group);
    schedules.get(schedule.name)?.disarm();
    const arn = this.#arn(`schedule/${schedule.group}/${schedule.name}`);
    const kept: Schedule = { ...schedule, arn, disarm: () => {} };
    schedules.set(kept.name, kept);
    const now = this.#world.clock.now();
    this.#arm(kept, kept.written.ScheduleExpression?.startsWith('rate') ? now - 1 : now); // a rate's first time is its beginning
    return kept;
  }

  remove(schedule: Schedule): void {
    schedule.disarm();
    this.groups.get(schedule.group)?.schedules.delete(schedule.name);
  }

  removeGroup(name: string): void {
    for (const schedule of this.group(name).schedules.values()) schedule.disarm();
    this.groups.delete(name);
  }

  now(): Date {
    return new Date(this.#world.clock.now());
  }

  #arm(schedule: Schedule, after: number): void {
    const { state, timetable, written } = schedule;
    const { StartDate, EndDate, FlexibleTimeWindow } = written;
    // A time exactly at StartDate counts; `next` looks strictly after.
    const time = state === 'ENABLED' ? timetable.next(Math.max(after, (StartDate?.getTime() ?? 0) - 1)) : undefined;
    if (time === undefined || (EndDate && time > EndDate.getTime())) return;
    const window = FlexibleTimeWindow?.Mode === 'FLEXIBLE' ? (FlexibleTimeWindow.MaximumWindowInMinutes ?? 1) * MINUTE : 0;
    const delay = this.#random.between(0, window || PRECISION_MILLIS);
    const disarm = this.#world.clock.at(time, () => {
      if (this.#world.state('scheduler', this.#place) !== this) return; // the world was reset
      this.#world.clock.after(delay, () => this.#fire(schedule, new Date(time)));
      this.#arm(schedule, time);
      if (schedule.disarm === disarm) this.#exhausted(schedule);
    });
    schedule.disarm = disarm;
  }

  /** Nothing more will fire: the schedule goes, if that was asked for (Scheduler guide, "Deletion after schedule completion"). */
  #exhausted(schedule: Schedule): void {
    if (schedule.written.ActionAfterCompletion === 'DELETE') this.remove(schedule);
  }

  #fire(schedule: Schedule, scheduled: Date): void {
    void this.#invoke(schedule, scheduled);
    if (this.#random.chance(this.duplicates)) {
      this.#world.clock.after(this.#random.between(0, MINUTE), () => void this.#invoke(schedule, scheduled));
    }
  }

  async #invoke({ arn, name, group, written: { Target } }: Schedule, scheduled: Date): Promise<void> {
    const { MaximumRetryAttempts: attempts, MaximumEventAgeInSeconds: seconds } = Target?.RetryPolicy ?? {};
    const time = rfc3339(scheduled);
    const execution = this.#random.uuid();
    await deliver(this.#world, {
      from: this.#place,
      attempts: attempts ?? RETRY_POLICY.attempts,
      seconds: seconds ?? RETRY_POLICY.seconds,
      run: async (attempt) => {
        const known = {
          'aws.scheduler.schedule-arn': arn,
          'aws.scheduler.scheduled-time': time,
          'aws.scheduler.execution-id': execution,
          'aws.scheduler.attempt-number': String(attempt),
        };
        const request = requestOf(Target!, this.#place, known, () => this.#random.uuid());
        const role = { service: 'scheduler.amazonaws.com', roleArn: Target!.RoleArn!, session: execution };
        const caller = assumed(this.#world, { ...role, for: this.#place, resource: this.group(group).arn });
        return this.#world.call({ ...request, caller });
      },
      dropped: ({ message }) => {
        this.undelivered.push({ schedule: name, scheduled: time, why: message });
        const queue = Target?.DeadLetterConfig?.Arn;
        if (!queue) return;
        const attributes = { SCHEDULE_ARN: arn, TARGET_ARN: Target.Arn!, ERROR_MESSAGE: message };
        void toDeadLetters(this.#world, queue, { body: Target.Input ?? '{}', attributes, service: Target.RoleArn! });
      },
    });
  }

  #arn(resource: string): string {
    return `arn:aws:scheduler:${this.#place.region}:${this.#place.account}:${resource}`;
  }

  /** Groups bear tags, schedules do not (Scheduler API, TagResource). */
  taggedResources(): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.groups.values()].map(({ arn, tags }) => ({ arn, tags }));
  }
}
