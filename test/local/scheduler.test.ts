import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { service as lambda } from '../../local/services/lambda/index.ts';
import type { LambdaState } from '../../local/services/lambda/state.ts';
import { service as scheduler } from '../../local/services/scheduler/index.ts';
import type { SchedulerState } from '../../local/services/scheduler/state.ts';
import { service as states } from '../../local/services/states/index.ts';
import type { StatesState } from '../../local/services/states/state.ts';
import { timetable } from '../../local/services/timetables.ts';
import { World } from '../../local/world/world.ts';

/** The first times of an expression after an instant, in ISO without seconds. */
function times(expression: string, after: string, count: number, timeZone = 'UTC'): string[] {
  const table = timetable(expression, { timeZone, origin: Date.parse(after) });
  const found: string[] = [];
  for (let now: number | undefined = Date.parse(after); found.length < count; ) {
    now = table.next(now);
    if (now === undefined) break;
    found.push(new Date(now).toISOString().slice(0, 16));
  }
  return found;
}

describe('schedule expressions', () => {
  test.each([
    ['cron(0 10 ? * MON-FRI *)', '2026-11-20T10:00Z', ['2026-11-23T10:00', '2026-11-24T10:00']],
    ['cron(15 12 L * ? *)', '2027-01-31T13:00Z', ['2027-02-28T12:15', '2027-03-31T12:15']],
    ['cron(0 0 LW * ? *)', '2027-01-01T00:00Z', ['2027-01-29T00:00', '2027-02-26T00:00']], // 31 January 2027 is a Sunday
    ['cron(0 0 15W * ? *)', '2027-05-01T00:00Z', ['2027-05-14T00:00', '2027-06-15T00:00']], // 15 May 2027 is a Saturday
    ['cron(0 0 1W * ? *)', '2027-05-01T00:00Z', ['2027-05-03T00:00', '2027-06-01T00:00']], // 1 May 2027 is a Saturday: not back into April
    ['cron(0 9 ? * 6L *)', '2026-11-01T00:00Z', ['2026-11-27T09:00', '2026-12-25T09:00']], // the last Friday
    ['cron(0 9 ? * TUE#2 *)', '2026-11-01T00:00Z', ['2026-11-10T09:00', '2026-12-08T09:00']],
    [
      'cron(0/25 8-9 ? * 1 2027)',
      '2026-11-01T00:00Z',
      ['2027-01-03T08:00', '2027-01-03T08:25', '2027-01-03T08:50', '2027-01-03T09:00'],
    ],
    ['cron(0 0 29 2 ? *)', '2026-11-01T00:00Z', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['cron(0 0 1 1 ? 2027)', '2027-01-01T00:00Z', []],
    ['at(2026-11-22T13:00:00)', '2026-11-22T12:00Z', ['2026-11-22T13:00']],
    ['at(2026-11-22T13:00:00)', '2026-11-22T13:00Z', []],
    ['rate(90 minutes)', '2026-11-22T00:00Z', ['2026-11-22T01:30', '2026-11-22T03:00']],
  ])('%s after %s', (expression, after, expected) => {
    expect(times(expression, after, Math.max(expected.length, 1))).toEqual(expected);
  });

  /** New York springs forward on 8 March 2026 at 2:00 and falls back on 1 November 2026 at 2:00 (Scheduler guide, "Daylight savings time"). */
  test.each([
    ['cron(30 2 * * ? *)', '2026-03-07T12:00Z', ['2026-03-09T06:30']], // 2:30 on the 8th does not exist: skipped
    ['cron(30 1 * * ? *)', '2026-10-31T12:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']], // 1:30 comes twice: fired once
    ['cron(0 9 * * ? *)', '2026-03-07T12:00Z', ['2026-03-07T14:00', '2026-03-08T13:00']],
    ['at(2026-07-01T09:00:00)', '2026-03-07T12:00Z', ['2026-07-01T13:00']],
    ['rate(24 hours)', '2026-03-07T12:00Z', ['2026-03-08T12:00', '2026-03-09T12:00']],
  ])('in New York, %s after %s', (expression, after, expected) => {
    expect(times(expression, after, expected.length, 'America/New_York')).toEqual(expected);
  });

  test.each([
    'cron(0 0 * * * *)',
    'cron(0 0 ? * ? *)',
    'cron(60 0 * * ? *)',
    'cron(0 0 * FOO ? *)',
    'cron(0 0 * * ?)',
    'cron(5-1 0 * * ? *)',
    'rate(0 hours)',
    'rate(1 week)',
    'at(2026-13-01T00:00:00)',
    'hourly',
  ])('refuses %s', (expression) => {
    expect(() => timetable(expression, { origin: 0 })).toThrow();
  });

  test('agrees with cron-parser wherever both speak the same language', () => {
    const field = (low: number, high: number) =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min: low, max: high }).map(String),
        fc
          .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
          .map((pair) => [...pair].sort((a, b) => a - b).join('-')),
        fc.integer({ min: 1, max: high }).map((step) => `*/${step}`),
        fc.uniqueArray(fc.integer({ min: low, max: high }), { minLength: 2, maxLength: 4 }).map((list) => list.join(',')),
      );
    const days = fc.oneof(
      field(1, 28).map((day) => ({ ours: [day, '?'], theirs: [day, '*'] })),
      fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1 }).map((week) => ({
        ours: ['?', week.join(',')],
        theirs: ['*', week.map((day) => day - 1).join(',')],
      })),
    );
    const zones = fc.constantFrom('UTC', 'Asia/Kolkata', 'America/Phoenix'); // no daylight saving: there the two differ on purpose
    const from = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2031, 0, 1) });
    fc.assert(
      fc.property(
        field(0, 59),
        field(0, 23),
        days,
        field(1, 12),
        zones,
        from,
        (minute, hour, { ours, theirs }, month, tz, now) => {
          const mine = timetable(`cron(${minute} ${hour} ${ours[0]} ${month} ${ours[1]} *)`, { timeZone: tz, origin: now }).next(
            now,
          );
          const oracle = CronExpressionParser.parse(`0 ${minute} ${hour} ${theirs[0]} ${month} ${theirs[1]}`, {
            tz,
            currentDate: new Date(now),
          });
          expect(mine).toBe(oracle.next().getTime());
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });
});

const place = { account: '111111111111', region: 'us-east-1' };
const RoleArn = 'arn:aws:iam::111111111111:role/scheduler';
const START = Date.UTC(2026, 10, 22, 3, 0, 0);
const MINUTE = 60_000;
const services = new Map([lambda, scheduler, states].map((service) => [service.name, service]));

function setUp(seed = 'scheduler') {
  const world = new World(services, { seed, latency: [1, 1], start: START });
  const fired: { at: number; event: any }[] = [];
  world.state<LambdaState>('lambda', place).register({
    name: 'f',
    timeoutSeconds: 30,
    memoryMb: 128,
    handler: async (event, { clock }) => void fired.push({ at: clock.now() - START, event }),
  });
  const call = (operation: string, input: object): Promise<any> =>
    world.clock.settle(world.call({ place, service: 'scheduler', operation, input }));
  const Arn = 'arn:aws:lambda:us-east-1:111111111111:function:f';
  const Input =
    '{"slot":"<aws.scheduler.scheduled-time>","try":"<aws.scheduler.attempt-number>","id":"<aws.scheduler.execution-id>"}';
  const schedule = (more: object, target: object = {}) => ({
    Name: 's',
    FlexibleTimeWindow: { Mode: 'OFF' },
    Target: { Arn, RoleArn, Input, ...target },
    ...more,
  });
  const create = (more: object, target: object = {}) => call('CreateSchedule', schedule(more, target));
  return { world, fired, call, create, schedule, state: world.state<SchedulerState>('scheduler', place) };
}

describe('Scheduler', () => {
  test('invokes within the minute that it names, and tells the exact time', async () => {
    const { world, fired, create } = setUp();
    await create({ ScheduleExpression: 'cron(0 * * * ? *)' });
    await world.clock.advance(3 * 60 * MINUTE + 2 * MINUTE);
    expect(fired.map(({ event }) => event.slot)).toEqual([
      '2026-11-22T04:00:00Z',
      '2026-11-22T05:00:00Z',
      '2026-11-22T06:00:00Z',
    ]);
    for (const [i, { at, event }] of fired.entries()) {
      expect(at - (i + 1) * 60 * MINUTE).toBeGreaterThanOrEqual(0);
      expect(at - (i + 1) * 60 * MINUTE).toBeLessThan(MINUTE + 100);
      expect(event).toMatchObject({ try: '1', id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    }
  });

  test('a rate begins when it is created, or when it is told to start, and ends when told', async () => {
    const { world, fired, call, create } = setUp();
    await create({ ScheduleExpression: 'rate(1 hour)' });
    await world.clock.advance(70 * MINUTE);
    expect(fired).toHaveLength(2);
    await call('DeleteSchedule', { Name: 's' });
    fired.length = 0;
    const StartDate = new Date(START + 5 * 60 * MINUTE);
    await create({ ScheduleExpression: 'rate(1 hour)', StartDate, EndDate: new Date(START + 7 * 60 * MINUTE) });
    await world.clock.advance(24 * 60 * MINUTE);
    expect(fired.map(({ event }) => event.slot)).toEqual([
      '2026-11-22T08:00:00Z',
      '2026-11-22T09:00:00Z',
      '2026-11-22T10:00:00Z',
    ]);
  });

  test('a flexible window spreads invocations over it', async () => {
    const { world, fired, create } = setUp();
    const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 30 };
    await create({ ScheduleExpression: 'cron(0 * * * ? *)', FlexibleTimeWindow });
    await world.clock.advance(24 * 60 * MINUTE + 31 * MINUTE);
    const late = fired.map(({ at }, i) => at - (i + 1) * 60 * MINUTE);
    expect(fired).toHaveLength(24);
    expect(Math.max(...late)).toBeGreaterThan(5 * MINUTE);
    expect(Math.max(...late)).toBeLessThan(31 * MINUTE);
  });

  test('an update replaces the whole schedule; a disabled one does not fire', async () => {
    const { world, fired, call, create, schedule } = setUp();
    await create({ ScheduleExpression: 'cron(0 13 * * ? *)', Description: 'old' });
    await call(
      'UpdateSchedule',
      schedule({ ScheduleExpression: 'cron(0 12 * * ? *)', ScheduleExpressionTimezone: 'Europe/Berlin' }),
    );
    await world.clock.advance(24 * 60 * MINUTE);
    expect(fired.map(({ event }) => event.slot)).toEqual(['2026-11-22T11:00:00Z']);
    expect((await call('GetSchedule', { Name: 's' })).Description).toBeUndefined();
    await call('UpdateSchedule', schedule({ ScheduleExpression: 'rate(5 minutes)', State: 'DISABLED' }));
    await world.clock.advance(24 * 60 * MINUTE);
    expect(fired).toHaveLength(1);
  });

  test('a schedule for one time fires once, and goes if asked to', async () => {
    const { world, fired, call, create } = setUp();
    await create({
      ScheduleExpression: 'at(2026-11-22T10:00:00)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      ActionAfterCompletion: 'DELETE',
    });
    await world.clock.advance(24 * 60 * MINUTE);
    expect(fired.map(({ event }) => event.slot)).toEqual(['2026-11-22T09:00:00Z']);
    await expect(call('GetSchedule', { Name: 's' })).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  test('starts executions, by template and by universal target; a name from the slot makes two invocations one', async () => {
    const { world, call, create, state } = setUp();
    const states = world.state<StatesState>('states', place);
    const definition = JSON.stringify({
      QueryLanguage: 'JSONata',
      StartAt: 'P',
      States: { P: { Type: 'Wait', Seconds: 600, End: true } },
    });
    const { arn } = states.create({ name: 'm', type: 'STANDARD', definition, roleArn: RoleArn, tags: {} });
    state.duplicates = 1;
    await create({ ScheduleExpression: 'cron(0 4 * * ? *)' }, { Arn: arn, Input: '{"slot":"<aws.scheduler.scheduled-time>"}' });
    await world.clock.advance(2 * 60 * MINUTE);
    expect([...states.executions.values()].map(({ input }) => input)).toEqual(
      new Array(2).fill('{"slot":"2026-11-22T04:00:00Z"}'),
    );
    await call('DeleteSchedule', { Name: 's' });
    states.executions.clear();
    const Input = JSON.stringify({
      StateMachineArn: arn,
      Name: 'slot-2026-11-22',
      Input: '{"slot":"<aws.scheduler.scheduled-time>"}',
    });
    await create({ ScheduleExpression: 'cron(0 6 * * ? *)' }, { Arn: 'arn:aws:scheduler:::aws-sdk:sfn:startExecution', Input });
    await world.clock.advance(3 * 60 * MINUTE);
    expect([...states.executions.values()].map(({ name, input }) => [name, input])).toEqual([
      ['slot-2026-11-22', '{"slot":"2026-11-22T06:00:00Z"}'],
    ]);
    expect(world.journal.count(({ service, operation }) => service === 'states' && operation === 'StartExecution')).toBe(4);
  });

  test('tries again what passes, with the same id, and gives up what is older than its policy', async () => {
    const { world, fired, create, state } = setUp();
    let failures = 2;
    const answer = { code: 'ServiceException', message: 'no', status: 500 };
    world.faults = ({ operation }) => (operation === 'Invoke' && failures-- > 0 ? { when: 'after', answer } : undefined);
    await create({ ScheduleExpression: 'cron(0 4 * * ? *)' }, { RetryPolicy: { MaximumEventAgeInSeconds: 3_600 } });
    await world.clock.advance(2 * 60 * MINUTE);
    expect(fired.map(({ event }) => event.try)).toEqual(['1', '2', '3']);
    expect(new Set(fired.map(({ event }) => event.id)).size).toBe(1);
    world.dark.add(place.region);
    await world.clock.advance(30 * 60 * MINUTE);
    world.dark.clear();
    await world.clock.advance(60 * MINUTE);
    expect(fired).toHaveLength(3);
    expect(state.undelivered).toMatchObject([{ scheduled: '2026-11-23T04:00:00Z', why: expect.stringContaining('older') }]);
  });

  test('keeps groups, and takes their schedules with them', async () => {
    const { world, fired, call, create } = setUp();
    await call('CreateScheduleGroup', { Name: 'g', Tags: [{ Key: 'app', Value: 'shop' }] });
    await create({ GroupName: 'g', ScheduleExpression: 'cron(0 * * * ? *)' });
    await expect(create({ GroupName: 'g', ScheduleExpression: 'rate(1 hour)' })).rejects.toMatchObject({
      code: 'ConflictException',
      status: 409,
    });
    await expect(create({ GroupName: 'h', ScheduleExpression: 'rate(1 hour)' })).rejects.toMatchObject({
      code: 'ResourceNotFoundException',
    });
    expect(await call('ListSchedules', { GroupName: 'g' })).toMatchObject({
      Schedules: [{ Name: 's', GroupName: 'g', State: 'ENABLED' }],
    });
    expect((await call('ListScheduleGroups', {})).ScheduleGroups.map(({ Name }: { Name: string }) => Name)).toEqual([
      'default',
      'g',
    ]);
    await call('DeleteScheduleGroup', { Name: 'g' });
    await world.clock.advance(24 * 60 * MINUTE);
    expect(fired).toHaveLength(0);
  });

  test.each([
    [{ ScheduleExpression: 'cron(bogus)' }, {}, 'Invalid Schedule Expression cron(bogus).'],
    [
      { ScheduleExpression: 'rate(1 hour)', ScheduleExpressionTimezone: 'Mars/Olympus' },
      {},
      'Invalid ScheduleExpressionTimezone Mars/Olympus.',
    ],
    [
      { ScheduleExpression: 'rate(1 hour)', FlexibleTimeWindow: { Mode: 'FLEXIBLE' } },
      {},
      'MaximumWindowInMinutes must be from 1 to 1440.',
    ],
    [{ ScheduleExpression: 'rate(1 hour)' }, { Arn: 'arn:aws:sqs:us-east-1:111111111111:q' }, 'does not model the target'],
    [{ ScheduleExpression: 'rate(1 hour)' }, { RoleArn: 'nobody' }, 'execution role'],
    [{ ScheduleExpression: 'rate(1 hour)' }, { Input: '{' }, 'well-formed JSON'],
  ])('refuses %j %j', async (more, target, sentence) => {
    await expect(setUp().create(more, target)).rejects.toThrow(sentence);
  });
});
