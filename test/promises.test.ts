import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { longestGapSeconds } from '../functions/configuration/gap.ts';
import { beyond, type Demand, needsOf, type Quota, queueing, usualSeconds } from '../functions/decide/quota.ts';
import { atLeast, judgeRpo, type Rhythm } from '../functions/decide/rpo.ts';
import type { Policy } from '../functions/domain.ts';
import { timetable } from '../local/services/timetables.ts';

const FROM = Date.UTC(2026, 0, 1);
const HOUR = 3600;

describe('the longest gap of a schedule', () => {
  test.each([
    ['rate(6 hours)', 'UTC', 6],
    ['cron(0 * * * ? *)', 'UTC', 1],
    ['cron(0/15 * * * ? *)', 'UTC', 0.25],
    ['cron(0 9-17 * * ? *)', 'UTC', 16],
    ['cron(0 3 ? * MON-FRI *)', 'UTC', 72],
    ['cron(0 0 L * ? *)', 'UTC', 31 * 24],
    ['cron(0 0 LW * ? *)', 'UTC', 33 * 24],
    ['cron(0 0 ? * 6#3 *)', 'UTC', 35 * 24],
    ['cron(0 0 29 2 ? *)', 'UTC', (4 * 365 + 1) * 24],
    ['cron(0 * * * ? *)', 'Europe/Berlin', 2],
    ['cron(30 2 * * ? *)', 'Europe/Berlin', 47],
    ['cron(0 4 * * ? *)', 'Europe/Berlin', 25],
    ['cron(0 4 * * ? *)', 'Asia/Tokyo', 24],
    ['cron(0 0 1 1 ? 2027)', 'UTC', Number.POSITIVE_INFINITY],
  ])('%s in %s: %d h', (expression, timezone, hours) => {
    expect(longestGapSeconds(expression, timezone, FROM) / HOUR).toBe(hours);
  });

  const days = fc.constantFrom('* * ?', '1,15 * ?', '? * MON-FRI', '? * 2#1', 'L * ?', '15W * ?', '? * 5L', '1 1/3 ?');
  const times = fc.constantFrom('0 *', '30 2', '0 1,2,3', '0/30 22-23', '59 23', '0 0');
  test('is the longest wait between two times that a timetable gives, wherever clocks change', () => {
    const wherever = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
    fc.assert(
      fc.property(times, days, wherever, (time, day, timeZone) => {
        const expression = `cron(${time} ${day} *)`;
        const table = timetable(expression, { timeZone, origin: FROM });
        const longestWithin = (days: number): number => {
          let longest = 0;
          let last: number | undefined;
          for (let at = table.next(FROM); at !== undefined && at < FROM + days * 86_400_000; at = table.next(at)) {
            if (last !== undefined) longest = Math.max(longest, at - last);
            last = at;
          }
          return longest / 1000;
        };
        const told = longestGapSeconds(expression, timeZone, FROM);
        const seen = longestWithin(400);
        expect(told).toBeGreaterThanOrEqual(seen);
        // leap days, the drift of weekdays, and clocks that change just then make a gap longer only in some years
        if (told > seen) expect(told).toBe(longestWithin(9 * 366));
      }),
      { numRuns: 25 },
    );
  });
});

describe('an RPO', () => {
  const minutes = (gap: number, takes: number, more: Partial<Rhythm> = {}): Rhythm => ({
    gapSeconds: gap * 60,
    longestGapSeconds: gap * 60,
    windowSeconds: 0,
    takesSeconds: takes * 60,
    ...more,
  });
  const of = (shown: boolean) => ({ policy: 'hourly', vault: 'west', timezone: 'Europe/Berlin', shown, evidence: 'so it is' });

  test.each([
    ['leaves room', 90, minutes(60, 30), true, 'surely', '1 h 30 min'],
    ['is broken by a minute, as points show', 90, minutes(60, 31), true, 'never', 'promise 2h'],
    ['would be broken if points took as long as is usual', 90, minutes(60, 31), false, 'doubtful', 'may become 1 h 31 min old'],
    ['is shorter than the schedule’s gap', 30, minutes(60, 0), false, 'never', '1 h between points'],
    ['is broken by the window', 90, minutes(60, 20, { windowSeconds: 900 }), true, 'never', '15 min of window'],
    ['is broken when clocks change', 90, minutes(60, 20, { longestGapSeconds: 7200 }), true, 'doubtful', 'use timezone: UTC'],
  ] as const)('%s', (_, rpo, rhythm, shown, kept, words) => {
    const judged = judgeRpo(rpo * 60, rhythm, of(shown));
    expect(judged.kept).toBe(kept);
    expect(judged.sentence).toContain(words);
  });

  test('that is proposed is no shorter than what was asked, and one that the configuration takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 * 86_400 }), (seconds) => {
        const [, count, unit] = /^(\d+)([mh])$/.exec(atLeast(seconds)) as unknown as [string, string, 'm' | 'h'];
        expect(Number(count) * (unit === 'h' ? 3600 : 60)).toBeGreaterThanOrEqual(seconds);
      }),
    );
  });
});

describe('quotas', () => {
  const policy = (more: Partial<Policy> = {}): Policy => ({
    name: 'hourly',
    applications: ['shop'],
    timezone: 'UTC',
    on: [],
    vaults: ['west'],
    keep: { hourly: 24, daily: 14, monthly: 12 },
    ...more,
  });
  const quota = (takes: Quota['takes'], more: Partial<Quota> = {}): Quota => ({
    name: takes,
    most: 100,
    at: ['home', 'vault'],
    takes,
    ...more,
  });
  const demand = (one: Quota, count: number, of = policy()): Demand => ({ kind: 'k', quotas: [one], count, policy: of });
  const monthly = policy({ outlast: { by: 'snapshot', every: 'monthly' } });

  test.each([
    ['a point of each member for all that is kept', quota('point'), 3, policy(), 150],
    ['only those that vaults copy', quota('copied'), 3, policy({ vaults: [] }), undefined],
    ['copied points', quota('copied'), 3, policy(), 150],
    ['a member once', quota('member'), 3, policy(), 3],
    ['a member only where vaults keep copies', quota('member'), 3, policy({ vaults: [] }), undefined],
    ['what outlasts logs, of the periods that do', quota('outlasting', { by: ['snapshot'] }), 3, monthly, 36],
    ['nothing where nothing outlasts', quota('outlasting', { by: ['snapshot'] }), 3, policy(), undefined],
    ['nothing where it outlasts another way', quota('outlasting', { by: ['materialise'] }), 3, monthly, undefined],
    ['nothing for copies, which wait for each other', quota('copy'), 300, policy(), undefined],
    ['nothing at another place', quota('point', { at: ['vault'] }), 3, policy(), undefined],
  ])('%s', (_, one, count, of, needs) => {
    expect(needsOf('home', [demand(one, count, of)])[0]?.needs).toBe(needs);
  });

  test('add up over policies and applications, and name who needs them', () => {
    const [need] = needsOf('vault', [demand(quota('point'), 1), demand(quota('point'), 2, policy({ name: 'nightly' }))]);
    expect(need).toEqual({ name: 'point', most: 100, needs: 150, policies: ['hourly', 'nightly'] });
    expect(beyond(need!, 'eu-west-1')).toMatch(
      /policies.hourly and policies.nightly would need 150 .* in eu-west-1, and AWS gives 100 by default/,
    );
    expect(beyond({ ...need!, needs: 100 }, 'eu-west-1')).toBeUndefined();
  });

  test('make copies wait, and a point take longer', () => {
    const copies = quota('copy', { most: 20 });
    const usual = { sealMinutes: 10, copyMinutes: 30 };
    expect(queueing([demand(copies, 20)], 'eu-west-1')).toEqual([]);
    expect(queueing([demand(copies, 41)], 'eu-west-1')).toEqual([expect.stringContaining('they take 3 turns')]);
    expect(usualSeconds([{ usual, quotas: [copies], count: 41 }])).toEqual({ seal: 600, copy: 5400 });
    expect(usualSeconds([{ usual, quotas: [copies], count: 0 }])).toEqual({ seal: 0, copy: 0 });
  });
});
