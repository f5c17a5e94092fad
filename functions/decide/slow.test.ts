import { describe, expect, test } from 'vitest';
import type { Application, Artifact, Cut, FreezeEvidence, Plan, Progress, Resource, SlowMember } from '../domain.ts';
import { judge } from './consistency.ts';
import { besides, cadenceSeconds, earlierArtifact, isYoung, slowRefusals, slowWord, spoken } from './slow.ts';

const place = { account: '111122223333', region: 'us-east-1' };
const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 22, 4) + seconds * 1000).toISOString();
const resource = (id: string, createdAt = at(-9999)): Resource => ({ kind: id, id, name: id, createdAt, place, facts: {} });
const artifact = (kind: string, from: number, to: number): Artifact => ({
  kind,
  resource: kind,
  id: `${kind}@${from}`,
  place,
  interval: { from: at(from), to: at(to) },
  endurance: 'durable',
  facts: {},
});
const application = (member: SlowMember | undefined, leaseSeconds?: number): Application => ({
  name: 'shop',
  home: place,
  namespaces: [],
  resources: { tags: {}, arns: [] },
  slow: member === undefined ? {} : { files: member },
  ...(leaseSeconds === undefined ? {} : { freeze: { function: 'f', leaseSeconds } }),
});
const classOf = (kind: string) => (kind === 'files' ? 'slow' : 'prompt');

const freeze = (until: number): FreezeEvidence => ({
  leaseSeconds: 600,
  asked: { from: at(-2), to: at(-1) },
  released: { from: at(until), to: at(until + 1) },
  drained: true,
  flushed: true,
  broken: false,
  heldFrom: at(-1),
  heldUntil: at(until),
  positions: { atFreeze: { disk: '1', files: '1' }, atRelease: { disk: '1', files: '1' } },
  clocksApartMillis: 0,
});

function verdict(member: SlowMember | undefined, files: readonly [number, number], evidence?: FreezeEvidence) {
  const plan: Pick<Plan, 'resources' | 'policy' | 'definition'> = {
    resources: [resource('disk'), resource('files')],
    policy: { name: 'p', applications: ['shop'], timezone: 'UTC', on: [], vaults: [], keep: {}, maxSkewSeconds: 5 },
    definition: application(member, 600),
  };
  const cut: Cut = { id: 'c', begun: at(-3), instant: at(0), ...(evidence ? { freeze: evidence } : {}) };
  const items = [artifact('disk', -0.5, 0.5), artifact('files', ...files)].map((result) => ({
    resource: result.resource,
    state: 'done' as const,
    result,
  }));
  const progress: Progress = { owner: 'o', cut, items, notes: ['Something was skipped.'] };
  return { ...judge(plan, progress, classOf), beside: besides(plan, progress, classOf) };
}

describe('the verdict with a slow member', () => {
  test('accepted, it stands beside the label and is told', () => {
    const found = verdict('accept', [1, 900], freeze(2));
    expect(found).toMatchObject({ consistency: 'application-consistent', skewSeconds: 0.5 });
    expect(found.beside).toEqual([
      `files has no instant: each of its parts is as it was at some time from ${at(1)} to ${at(900)}, up to 15 min after the instant; the application accepts that.`,
      'Something was skipped.',
    ]);
  });

  test('held, it counts, and its duration is no skew while the freeze vouches for it', () => {
    expect(verdict('hold', [1, 300], freeze(400))).toMatchObject({ consistency: 'application-consistent', skewSeconds: 0.5 });
    expect(verdict('hold', [1, 300], freeze(200)).refusal).toMatch(/skew of 300 s is beyond the 5 s/);
    expect(verdict('hold', [1, 4]).consistency).toBe('fuzzy');
  });

  test('refused, there is no point; with a cadence of its own, its age is told', () => {
    expect(verdict('refuse', [1, 2], freeze(3)).refusal).toMatch(/^files has no instant/);
    expect(verdict({ cadenceSeconds: 7200 }, [-3600, -3000], freeze(3)).beside[0]).toMatch(
      /; it keeps a cadence of its own \(2 h\) and is 1 h older than this point\.$/,
    );
  });
});

describe('before anything is made', () => {
  const refusals = (member: SlowMember | undefined, lease?: number) =>
    slowRefusals(application(member, lease), [{ resource: resource('files'), leastSeconds: 120 }]);

  test('what cannot be is refused with the way out', () => {
    expect(refusals('refuse', 20)).toEqual([
      expect.stringMatching(/say accept, hold or cadence of it under applications\.shop\.slow/),
    ]);
    expect(refusals('hold')).toEqual([expect.stringMatching(/it has no freeze hook; add applications\.shop\.freeze/)]);
    expect(refusals('hold', 119)).toEqual([expect.stringMatching(/120 s at the least, and the lease lasts 119 s/)]);
    for (const member of ['accept', 'cadence', { cadenceSeconds: 60 }, undefined] as const)
      expect(refusals(member, 5)).toEqual([]);
    expect(refusals('hold', 120)).toEqual([]);
  });
});

describe('a cadence', () => {
  test('is once a day unless said otherwise, and counts from the beginning of the last capture', () => {
    expect([slowWord(undefined), slowWord({ cadenceSeconds: 1 })]).toEqual(['accept', 'cadence']);
    expect([cadenceSeconds('cadence'), cadenceSeconds({ cadenceSeconds: 60 })]).toEqual([86_400, 60]);
    const last = artifact('files', -60, -10);
    expect([isYoung(last, { cadenceSeconds: 61 }, at(0)), isYoung(last, { cadenceSeconds: 60 }, at(0))]).toEqual([true, false]);
  });

  test('takes the newest point’s artifact of the same resource, never a namesake’s', () => {
    const point = (createdAt: string, from: number) => ({
      resources: [resource('files', createdAt)],
      artifacts: [artifact('files', from, from + 1)],
    });
    const points = [point(at(-9999), -300), point(at(-9999), -200), point(at(-150), -100)];
    expect(earlierArtifact(points, resource('files'))?.id).toBe('files@-200');
    expect(earlierArtifact(points, resource('files', at(-1)))).toBeUndefined();
  });
});

test('durations are spoken as people say them', () => {
  const said = [400, 119_000, 120_000, 3_600_000, 7_500_000].map(spoken);
  expect(said).toEqual(['0 s', '119 s', '2 min', '1 h', '2 h 5 min']);
});
