import { describe, expect, test } from 'vitest';
import type { Policy } from '../functions/domain.ts';
import type { EventsState } from '../local/services/events/state.ts';
import type { SchedulerState } from '../local/services/scheduler/state.ts';
import { HOME, type Stage, type StageOptions, stage, WEST } from './world.ts';

/** One slot makes one point, however often it is asked for (I19). */

/** Every schedule fires twice for every time, and every event comes twice. */
function doubled(stand: Stage): void {
  for (const place of [HOME, WEST]) {
    stand.world.state<SchedulerState>('scheduler', place).duplicates = 1;
    stand.world.state<EventsState>('events', place).duplicates = 1;
  }
}

/** A world at a time, with the policy changed, and its schedules going. */
const scheduled = (start: string, policy: Partial<Policy>, more: Omit<StageOptions, 'seed'> = {}): Promise<Stage> =>
  stage({
    seed: start,
    start: Date.parse(start),
    schedules: true,
    configuration: (of) => ({ ...of, policies: { hourly: { ...of.policies['hourly']!, ...policy } } }),
    ...more,
  });

/** The slots of the points in a place, each as often as it has points, those due until a time. */
const slotsIn = async (stand: Stage, place: typeof HOME, until: string): Promise<string[]> =>
  (await stand.sealed(place)).map(({ slot }) => slot).filter((slot) => slot <= until.replaceAll(/[-:]|\.\d+/g, ''));

const executionsOf = (stand: Stage, workflow: string) =>
  [...stand.states(HOME).executions.values()].filter(({ machine }) => machine.name === `stillpoint-${workflow}`);

const named = (times: readonly string[], policy = 'hourly') => times.map((time) => `${time}0000Z-${policy}`);

test('a schedule that fires twice makes one point of each slot, at home and in the vault', async () => {
  const stand = await stage({ seed: 'schedule', schedules: true });
  doubled(stand);
  const began = stand.world.clock.now();
  await stand.advance(4 * 3600 + 1800);
  const hours = [1, 2, 3, 4].map((hour) => new Date(began + hour * 3_600_000).toISOString().replaceAll(/-|:.*/g, ''));
  expect(await slotsIn(stand, HOME, '9')).toEqual(named(hours));
  expect(await slotsIn(stand, WEST, '9')).toEqual(named(hours));
  expect(executionsOf(stand, 'protect')).toHaveLength(8); // the ledger makes one of two, see docs/decisions/0005
});

test('a duplicated event makes one point', async () => {
  const stand = await stage({ seed: 'duplicated event', schedules: true });
  doubled(stand);
  stand.world.state<EventsState>('events', HOME).emit({
    source: 'aws.codepipeline',
    'detail-type': 'CodePipeline Pipeline Execution State Change',
    detail: { state: 'STARTED', pipeline: 'shop', 'execution-id': 'e-1' },
  });
  await stand.advance(1800);
  const points = (await stand.sealed(HOME)).filter(({ slot }) => slot.endsWith('codepipeline-started'));
  expect(points).toHaveLength(1);
  expect(executionsOf(stand, 'protect')).toHaveLength(2);
});

describe('a schedule in Berlin', () => {
  test('skips nothing and doubles nothing when clocks go forward: the hour that is not there has no point', async () => {
    const stand = await scheduled('2027-03-27T23:30:00Z', { timezone: 'Europe/Berlin' }); // at 01:00Z two o'clock becomes three
    doubled(stand);
    await stand.advance(4 * 3600);
    expect(await slotsIn(stand, HOME, '2027-03-28T02:59:00Z')).toEqual(named(['20270328T00', '20270328T01', '20270328T02']));
  });

  test('fires once for an hour that comes twice when clocks go back', async () => {
    const stand = await scheduled('2026-10-24T22:30:00Z', { timezone: 'Europe/Berlin' }); // at 01:00Z three o'clock becomes two
    doubled(stand);
    await stand.advance(5 * 3600);
    expect(await slotsIn(stand, HOME, '2026-10-25T02:59:00Z')).toEqual(named(['20261024T23', '20261025T00', '20261025T02']));
  });

  test('of every day has one point at its time of the day, before and after both', async () => {
    for (const [start, due] of [
      ['2027-03-27T00:10:00Z', ['20270327T0130', '20270329T0030']], // 2:30 of the 28th does not exist
      ['2026-10-24T00:10:00Z', ['20261024T0030', '20261025T0030', '20261026T0130']], // 2:30 of the 25th comes twice
    ] as const) {
      const stand = await scheduled(start, { schedule: 'cron(30 2 * * ? *)', timezone: 'Europe/Berlin', vaults: [] });
      doubled(stand);
      await stand.advance(2 * 86_400 + 3 * 3600);
      expect(await slotsIn(stand, HOME, '9')).toEqual(due.map((time) => `${time}00Z-hourly`));
    }
  });
});

describe('a schedule that fires late', () => {
  const refusing = (stand: Stage, until: () => boolean) => {
    stand.world.faults = ({ operation, input }) =>
      operation === 'StartExecution' && JSON.stringify(input).includes('\\"trigger\\":\\"schedule\\"') && !until()
        ? { when: 'before', answer: { code: 'InternalFailure', message: 'not now', status: 500 } }
        : undefined;
  };

  test('makes the point of the slot that was due', async () => {
    const stand = await scheduled('2026-11-22T03:30:00Z', {});
    const back = Date.parse('2026-11-22T04:05:00Z');
    refusing(stand, () => stand.world.clock.now() >= back);
    await stand.advance(75 * 60);
    const [point, ...others] = await stand.sealed(HOME);
    expect(others).toEqual([]);
    expect(point!.slot).toBe('20261122T040000Z-hourly');
    expect(Date.parse(point!.cut.instant!)).toBeGreaterThan(back);
  });

  test('makes none when the next is due, and says so in the dead letters', async () => {
    const stand = await scheduled('2026-11-22T03:30:00Z', {});
    refusing(stand, () => stand.world.clock.now() >= Date.parse('2026-11-22T05:00:00Z'));
    await stand.advance(2.5 * 3600);
    expect(await slotsIn(stand, HOME, '20261122T055959Z')).toEqual(named(['20261122T05']));
    const { Messages } = await stand.settle(
      stand.world.call({
        place: HOME,
        service: 'sqs',
        operation: 'ReceiveMessage',
        input: {
          QueueUrl: `https://sqs.us-east-1.amazonaws.com/${HOME.account}/stillpoint-dead-letters`,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
        },
      }),
    );
    expect(Messages.map(({ Body }: { Body: string }) => JSON.parse(Body))).toEqual([
      expect.objectContaining({ application: 'shop', policy: 'hourly', trigger: 'schedule' }),
    ]);
  });

  test('within its window makes one point of the slot, wherever in the window it fires', async () => {
    const stand = await scheduled('2026-11-22T03:30:00Z', { windowSeconds: 1800 });
    doubled(stand);
    await stand.advance(3 * 3600);
    expect(await slotsIn(stand, HOME, '20261122T055959Z')).toEqual(named(['20261122T04', '20261122T05']));
  });
});

test('an announcement that is lost is found by the vault’s reconcile', async () => {
  const stand = await stage({ seed: 'lost announcement', schedules: true });
  stand.world.faults = ({ operation }) =>
    operation === 'PutEvents'
      ? { when: 'before', answer: { code: 'InternalException', message: 'lost', status: 500 } }
      : undefined;
  await stand.settle(stand.startProtect().ended);
  await stand.advance(600);
  expect((await stand.sealed(HOME)).length).toBeGreaterThanOrEqual(1);
  stand.world.faults = () => undefined;
  const [copy] = await stand.replicated(WEST);
  expect(copy?.copyOf?.place).toEqual(HOME);
});

test('a person who asks twice for the same moment gets one point', async () => {
  const stand = await stage({ seed: 'asked twice' });
  const due = new Date(stand.world.clock.now()).toISOString();
  const first = stand.startProtect({ due });
  const second = stand.startProtect({ due });
  await stand.settle(Promise.all([first.ended, second.ended]));
  expect([first.status, second.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect((await stand.sealed(HOME)).length).toBe(1);
});
