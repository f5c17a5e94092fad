import { expect, test } from 'vitest';
import type { EventsState } from '../local/services/events/state.ts';
import type { SchedulerState } from '../local/services/scheduler/state.ts';
import { HOME, stage, WEST } from './world.ts';

/** One slot makes one point, however often it is asked for (I19). */

test('a schedule that fires twice makes one point of each slot, at home and in the vault', async () => {
  const stand = await stage({ seed: 'schedule', schedules: true });
  for (const place of [HOME, WEST]) {
    stand.world.state<SchedulerState>('scheduler', place).duplicates = 1;
    stand.world.state<EventsState>('events', place).duplicates = 1;
  }
  await stand.advance(4 * 3600);
  const [home, west] = [await stand.sealed(HOME), await stand.sealed(WEST)];
  const slots = home.map(({ slot }) => slot);
  expect(slots.length).toBeGreaterThanOrEqual(3);
  expect(new Set(slots).size).toBe(slots.length);
  expect(slots.every((slot) => /T\d\d0000Z-hourly$/.test(slot))).toBe(true);
  expect(west.map(({ slot }) => slot)).toEqual(slots.slice(0, west.length));
  expect(west.length).toBeGreaterThanOrEqual(slots.length - 1);
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
