import { describe, expect, test } from 'vitest';
import { eventName, PATTERNS, patternOf } from '../../functions/configuration/events.ts';
import { shortestGapSeconds } from '../../functions/configuration/schedule.ts';
import { EVENTS } from '../../functions/configuration/schema.ts';
import { triggerName } from '../../functions/vault/layout.ts';

/** How close together a schedule can fire, by hand. */
describe('the shortest gap of a schedule', () => {
  const GAPS: Readonly<Record<string, number>> = {
    'rate(15 minutes)': 900,
    'rate(1 day)': 86_400,
    'cron(0 * * * ? *)': 3600,
    'cron(0/15 * * * ? *)': 900,
    'cron(*/20 9-17 ? * MON-FRI *)': 1200,
    'cron(0 4 * * ? *)': 86_400,
    'cron(30 0,23 * * ? *)': 3600, // half past eleven at night, then half past midnight
    'cron(5,50 * * * ? *)': 900,
    'cron(0 4 ? * SUN *)': 86_400, // never less; a week in truth
    'cron(10-12 3 * * ? *)': 60,
  };
  for (const [expression, seconds] of Object.entries(GAPS)) {
    test(`${expression} fires at least ${seconds} s apart`, () => {
      expect(shortestGapSeconds(expression)).toBe(seconds);
    });
  }
});

test('every event that a policy may name has a pattern, a custom one its own', () => {
  for (const event of EVENTS) expect(patternOf(event)).toBe(PATTERNS[event]);
  const pattern = { source: ['shop.release'] };
  expect(patternOf(`custom:${JSON.stringify(pattern)}`)).toEqual(pattern);
  expect(eventName(`custom:${JSON.stringify(pattern)}`, 2)).toBe('custom-3');
  expect(eventName('eks-upgrade', 2)).toBe('eks-upgrade');
});

test('what a trigger is called fits into the 64 characters that AWS has for it, and stays its own', () => {
  const long = 'a'.repeat(31);
  expect(triggerName('hourly', 'shop')).toBe('stillpoint-hourly-shop');
  expect(triggerName(long, long, 'codepipeline-started').length).toBe(64);
  expect(triggerName(long, long, 'eks-upgrade')).not.toBe(triggerName(long, long, 'codepipeline-started'));
});
