import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextAttempt } from '../functions/decide/attempt.ts';
import { judge } from '../functions/decide/consistency.ts';
import { beforeFreeze, CLOCK_MARGIN, GRAIN, instantBetween, instantInFreeze } from '../functions/decide/cut.ts';
import { judgeStray } from '../functions/decide/orphan.ts';
import { LONGEST_DAYS, periodOf } from '../functions/decide/period.ts';
import { brokenPromises, PERIODS, unlocked } from '../functions/decide/promise.ts';
import { executionName, isSlot, readSlot, slotOf } from '../functions/decide/slot.ts';
import { besideLabel, besideWords } from '../functions/decide/slow.ts';
import { HURRIED, UNHURRIED, waitSeconds } from '../functions/decide/wait.ts';
import type { Artifact, Cut, FreezeEvidence, Item, Period, Plan, Progress, Resource } from '../functions/domain.ts';

const T = Date.parse('2026-11-22T04:00:03.000Z');
const at = (offset: number): string => new Date(T + offset).toISOString();
const place = { account: '111122223333', region: 'us-east-1' };
const resource = (id: string): Resource => ({ kind: 'k', id, name: id, createdAt: at(-1e6), place, facts: {} });
const artifact = (id: string, from: number, to: number, more: Partial<Artifact> = {}): Artifact => ({
  kind: 'k',
  resource: id,
  id: `artifact-${id}`,
  place,
  interval: { from: at(from), to: at(to) },
  endurance: 'durable',
  facts: {},
  ...more,
});
const freeze = (more: Partial<FreezeEvidence> = {}): FreezeEvidence => ({
  leaseSeconds: 20,
  asked: { from: at(-1500), to: at(-1300) },
  released: { from: at(1200), to: at(1300) },
  drained: true,
  flushed: true,
  broken: false,
  heldFrom: at(-1400),
  heldUntil: at(1250),
  positions: { atFreeze: { a: '7', b: '9' }, atRelease: { a: '7', b: '9' } },
  clocksApartMillis: 20,
  ...more,
});
const plan: Pick<Plan, 'resources' | 'policy' | 'definition'> = {
  resources: [resource('a'), resource('b')],
  policy: { name: 'p', applications: ['x'], timezone: 'UTC', on: [], vaults: [], keep: {}, maxSkewSeconds: 5 },
  definition: {
    name: 'x',
    home: place,
    namespaces: [],
    resources: { tags: {}, arns: [] },
    freeze: { function: 'f', leaseSeconds: 20 },
    slow: {},
  },
};
const progress = (cut: Partial<Cut>, artifacts: readonly Artifact[]): Progress => ({
  owner: 'o',
  cut: { id: 'cut', begun: at(-2000), instant: at(0), ...cut },
  items: artifacts.map((result): Item<Artifact> => ({ resource: result.resource, state: 'done', result })),
});
const inside = [artifact('a', -200, -100), artifact('b', -1000, 1000)];
const label = (cut: Partial<Cut>, artifacts = inside) => judge(plan, progress(cut, artifacts), () => 'prompt').consistency;

describe('the verdict', () => {
  test('a verified freeze around every interval is application-consistent', () => {
    expect(judge(plan, progress({ freeze: freeze() }, inside), () => 'prompt')).toMatchObject({
      consistency: 'application-consistent',
      skewSeconds: 1,
    });
  });

  const liars: Record<string, readonly [Partial<Cut>, Artifact[]?]> = {
    'no freeze': [{}],
    'writers not drained': [{ freeze: freeze({ drained: false }) }],
    'pages not flushed': [{ freeze: freeze({ flushed: false }) }],
    'the lease broke': [{ freeze: freeze({ broken: true }) }],
    'the lease ran out': [{ freeze: freeze({ leaseSeconds: 2 }) }],
    'never released': [{ freeze: { ...freeze(), released: undefined as never } }],
    'a position moved': [{ freeze: freeze({ positions: { atFreeze: { a: '7', b: '9' }, atRelease: { a: '8', b: '9' } } }) }],
    'a position vanished': [{ freeze: freeze({ positions: { atFreeze: { a: '7', b: '9' }, atRelease: { a: '7' } } }) }],
    'clocks apart': [{ freeze: freeze({ clocksApartMillis: 1500 }) }],
    'the hook failed': [{ freeze: freeze({ trouble: 'it is not there' }) }],
    'an interval sticks out in front': [{ freeze: freeze() }, [artifact('a', -1400, -1200), inside[1]!]],
    'an interval sticks out behind': [{ freeze: freeze() }, [artifact('a', 0, 1250), inside[1]!]],
    'a witness saw a write': [{ freeze: freeze() }, [artifact('a', -200, -100, { witnessed: ['key k at …'] }), inside[1]!]],
  };
  for (const [what, [cut, artifacts]] of Object.entries(liars)) {
    test(`falls when there is ${what}`, () => expect(label(cut, artifacts)).toBe('crash-consistent'));
  }

  test('what is named by its own digest needs no position', () => {
    const positions = { atFreeze: { a: '7' }, atRelease: { a: '7' } };
    const images = [inside[0]!, { ...inside[1]!, unchanging: true as const }];
    expect(label({ freeze: freeze({ positions }) })).toBe('application-consistent (attested)');
    expect(label({ freeze: freeze({ positions }) }, images)).toBe('application-consistent');
  });

  test('a resource without a position makes it attested', () => {
    expect(label({ freeze: freeze({ positions: { atFreeze: { a: '7' }, atRelease: { a: '7' } } }) })).toBe(
      'application-consistent (attested)',
    );
  });

  test('is never application-consistent while an interval leaves the freeze, whatever the rest says', () => {
    const offset = fc.integer({ min: -3000, max: 3000 });
    fc.assert(
      fc.property(offset, offset, offset, offset, (a, b, held, let_go) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const evidence = freeze({
          asked: { from: at(held - 100), to: at(held) },
          released: { from: at(let_go), to: at(let_go + 50) },
        });
        const verdict = label({ freeze: evidence }, [artifact('a', from, to), artifact('b', from, to)]);
        if (from < held || to > let_go) expect(verdict).toBe('crash-consistent');
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test('a member that failed or is missing refuses the point', () => {
    expect(judge(plan, progress({ freeze: freeze() }, [inside[0]!]), () => 'prompt').refusal).toMatch(/^b was not captured/);
    const failed: Progress = { ...progress({}, [inside[0]!]), items: [{ resource: 'a', state: 'failed', why: 'it vanished.' }] };
    expect(judge(plan, failed, () => 'prompt').refusal).toMatch(/a failed: it vanished/);
  });

  test('a skew beyond maxSkew refuses the point and says who set it', () => {
    expect(judge(plan, progress({}, [artifact('a', -6000, 0), inside[1]!]), () => 'prompt').refusal).toMatch(
      /skew of 6 s is beyond the 5 s.*; a set it/,
    );
  });
});

describe('the cut', () => {
  test('T is a whole second, and everything an exact kind may answer for it lies inside the freeze', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (held) => {
        const { instant, releaseFrom } = instantInFreeze(held);
        expect(instant % 1000).toBe(0);
        expect(instant - GRAIN).toBeGreaterThanOrEqual(held + CLOCK_MARGIN);
        expect(releaseFrom).toBe(instant + GRAIN + CLOCK_MARGIN);
        expect(releaseFrom - held).toBeLessThan(3300);
      }),
    );
  });

  test('a freeze that is begun when told needs hardly more than the grain to both sides', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e13 }), (now) => {
        const held = now + beforeFreeze(now) + 300;
        expect(instantInFreeze(held).releaseFrom - held).toBeLessThanOrEqual(2 * (GRAIN + CLOCK_MARGIN) + 1);
      }),
    );
  });

  test('without a freeze T is in the middle', () => {
    expect(
      instantBetween(
        [
          { from: 1000, to: 2000 },
          { from: 4000, to: 5000 },
        ],
        9999,
      ),
    ).toBe(3000);
    expect(instantBetween([], 5999)).toBe(5000);
  });
});

describe('slots', () => {
  test('sort by time, name who asked, and read back', () => {
    const slot = slotOf('2026-11-22T04:00:00Z', 'Hourly backups!');
    expect(slot).toBe('20261122T040000Z-hourly-backups');
    expect(readSlot(slot)).toEqual({ due: Date.parse('2026-11-22T04:00:00Z'), asker: 'hourly-backups' });
    expect(isSlot('tomorrow')).toBe(false);
    expect(executionName('shop', slot)).toMatch(/^[a-zA-Z0-9-]{1,80}$/);
  });
  test('the same moment told twice is one slot', () => {
    expect(slotOf('2026-10-25T02:30:00+02:00', 'x')).toBe(slotOf('2026-10-25T00:30:00.000Z', 'x'));
  });
});

describe('attempts', () => {
  const last = (more: Partial<Plan>, outcome?: 'sealed' | 'abandoned') => ({
    plan: { slot: 's', attempt: 2, owner: 'a', deadline: at(0), ...more } as Plan,
    ...(outcome ? { outcome: { status: outcome } as never } : {}),
  });
  test.each([
    [undefined, 'plan', 1],
    [last({}, 'abandoned'), 'plan', 3],
    [last({}), 'resume', 2],
  ])('%#', (found, what, attempt) => expect(nextAttempt(found, 'a', T - 1)).toEqual({ do: what, attempt }));
  test('sealed stops, another’s stops until its deadline, then must first be abandoned', () => {
    expect(nextAttempt(last({}, 'sealed'), 'a', T).do).toBe('stop');
    expect(nextAttempt(last({ owner: 'b' }), 'a', T - 1).do).toBe('stop');
    expect(nextAttempt(last({ owner: 'b' }), 'a', T + 1)).toMatchObject({ do: 'abandon', attempt: 2 });
  });
});

describe('strays', () => {
  const old = { id: 'snap-1', resource: 'a', createdAt: at(-3_600_000) };
  test('nothing is deleted while its point is open, young, or referred to', () => {
    expect(judgeStray(old, undefined, T).remove).toBe(false);
    expect(judgeStray({ ...old, createdAt: at(-60_000) }, { status: 'abandoned' } as never, T).remove).toBe(false);
    expect(judgeStray(old, { status: 'sealed', artifacts: [{ id: 'snap-1' }] } as never, T).remove).toBe(false);
  });
  test('what an abandoned point or a void cut left behind is deleted', () => {
    expect(judgeStray(old, { status: 'abandoned' } as never, T).remove).toBe(true);
    expect(judgeStray(old, { status: 'sealed', artifacts: [{ id: 'snap-2' }] } as never, T).remove).toBe(true);
  });
});

test('a policy that outlasts a log at home is refused with the way out', () => {
  const policy = { ...plan.policy, keep: { monthly: 12 } };
  const table = { ...resource('arn:table'), logDays: 35 };
  expect(brokenPromises(policy, [table], [])[0]).toMatch(/372 days, but arn:table .* 35 days only.*materialised.*name a vault/);
  expect(brokenPromises({ ...policy, vaults: ['west'] }, [table], [])).toEqual([]);
  expect(brokenPromises({ ...policy, keep: { daily: 14 } }, [table], [])).toEqual([]);
});

test('what no key lets out of its account has no copy in another', () => {
  const volume: Resource = { ...resource('arn:volume'), homebound: 'vol-1 is under the default key.' };
  const vault = (account: string) => ({ name: 'safe', place: { account, region: 'eu-west-1' } }) as unknown as Plan['vault'];
  expect(brokenPromises(plan.policy, [volume], [vault(place.account)])).toEqual([]);
  expect(brokenPromises(plan.policy, [volume, resource('arn:other')], [vault('444455556666')])).toEqual([
    `Policy "${plan.policy.name}" keeps copies in "safe", in account 444455556666, but vol-1 is under the default key.`,
  ]);
  const database: Resource = { ...resource('arn:db'), logDays: 7, logInVaults: true, outlasts: ['materialise', 'snapshot'] };
  const policy = { ...plan.policy, vaults: ['safe'], keep: { monthly: 12 } };
  expect(brokenPromises(policy, [database], [vault(place.account)])).toHaveLength(1);
  expect(brokenPromises(policy, [database], [vault('444455556666')])).toEqual([]); // each of its points is durable
});

describe('what is a promise of a log everywhere', () => {
  const database: Resource = { ...resource('arn:db'), logDays: 7, logInVaults: true, outlasts: ['materialise', 'snapshot'] };
  const policy = { ...plan.policy, vaults: ['west'], keep: { hourly: 24, daily: 14, monthly: 12 } };
  const broken = (more: Partial<Plan['policy']>) => brokenPromises({ ...policy, ...more }, [database], []);

  test('is refused beyond its reach, also in a vault, with every way out', () => {
    expect(broken({})[0]).toMatch(
      /keeps points for 372 days, but arn:db .* for 7 days only, also in a vault: add materialise: daily .* or snapshot: daily/,
    );
    expect(broken({ keep: { hourly: 24, daily: 7, monthly: 0 } })).toEqual([]);
  });
  test('is kept where the first point of every period that must outlast it does', () => {
    expect(broken({ outlast: { by: 'materialise', every: 'daily' } })).toEqual([]);
    expect(broken({ outlast: { by: 'snapshot', every: 'hourly' } })).toEqual([]);
    expect(broken({ outlast: { by: 'snapshot', every: 'monthly' } })[0]).toMatch(
      /snapshot: monthly is too rare for its daily points: write snapshot: daily/,
    );
    const one = { ...database, outlasts: ['materialise'] as const };
    expect(brokenPromises({ ...policy, outlast: { by: 'snapshot', every: 'daily' } }, [one], [])[0]).toMatch(
      /add materialise: daily/,
    );
  });
  test('is said not to be locked, unless the point outlasts it', () => {
    const vault = {
      name: 'west',
      place,
      lock: { mode: 'compliance', days: 14 },
      target: { place, subnets: [], securityGroups: [], zones: [] },
    } as const;
    expect(unlocked([vault], [database, resource('arn:volume')], undefined)).toEqual([
      'The copy of arn:db in "west" is a promise of a log, which nothing can lock.',
    ]);
    expect(unlocked([vault], [database], 'materialise')).toEqual([]);
    const { lock: _, ...open } = vault;
    expect(unlocked([open], [database], undefined)).toEqual([]);
  });
});

test('what lies further from the instant than the label says stands beside it', () => {
  const files = artifact('arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-1', 20_000, 260_000);
  const point = { instant: at(0), skewSeconds: 1, artifacts: [artifact('log', -1000, 1000), files, artifact('held', -200, 900)] };
  expect(besideLabel(point)).toEqual([files]);
  expect(besideLabel({ ...point, skewSeconds: 260 })).toEqual([]);
  expect(besideWords(files)).toBe('fs-1 from 04:00:23 to 04:04:23');
});

describe('periods', () => {
  const period = (text: string, every: Period, zone = 'UTC') => periodOf(Date.parse(text), every, zone);
  test('are those of the policy’s time zone', () => {
    expect(period('2026-11-30T23:30:00Z', 'monthly')).toBe('2026-11');
    expect(period('2026-11-30T23:30:00Z', 'monthly', 'Europe/Berlin')).toBe('2026-12');
    expect(period('2026-12-31T23:30:00Z', 'yearly', 'Asia/Tokyo')).toBe('2027');
    expect(period('2026-11-22T23:59:59Z', 'daily')).toBe('2026-11-22');
  });
  test('weeks begin on Mondays', () => {
    expect(period('2026-11-22T12:00:00Z', 'weekly')).toBe('2026-11-16');
    expect(period('2026-11-23T00:00:00Z', 'weekly')).toBe('2026-11-23');
  });
  test('no two moments of one are further apart than is looked back', () => {
    const moments = fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) });
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia');
    fc.assert(
      fc.property(
        moments,
        fc.constantFrom(...PERIODS),
        zones,
        fc.integer({ min: 0, max: 400 * 86_400_000 }),
        (at, every, zone, later) => {
          const same = periodOf(at, every, zone) === periodOf(at + later, every, zone);
          if (later > LONGEST_DAYS[every] * 86_400_000) expect(same).toBe(false);
        },
      ),
      { seed: 4 },
    );
  });
});

test('waits grow with what has passed, and end about when an item’s time comes', () => {
  const started: Item<never> = { resource: 'a', state: 'started', handle: null };
  const waiting: Item<never> = { resource: 'b', state: 'waiting', until: at(40_000), why: '' };
  expect([0, 60, 400, 4000].map((seconds) => waitSeconds([started], T, T + seconds * 1000, UNHURRIED))).toEqual([
    30, 30, 200, 600,
  ]);
  expect([0, 60, 400, 4000].map((seconds) => waitSeconds([started], T, T + seconds * 1000, HURRIED))).toEqual([15, 15, 60, 60]);
  expect(waitSeconds([waiting], T, T, UNHURRIED)).toBe(40);
  expect(waitSeconds([started, waiting], T - 400_000, T, UNHURRIED)).toBe(40);
  expect(waitSeconds([started, waiting], T - 400_000, T + 36_000, UNHURRIED)).toBe(30);
});
