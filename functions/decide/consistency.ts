import type { Artifact, Consistency, Cut, CutClass, FreezeEvidence, Interval, Plan, Progress, Resource } from '../domain.ts';
import { CLOCK_MARGIN } from './cut.ts';
import { slowWord } from './slow.ts';

/** What may be said of a point: its label, what set it, and why it may not be sealed at all, if so. */
export interface Verdict {
  /** Why the point must be abandoned. */
  readonly refusal?: string;
  readonly consistency: Consistency;
  /** The furthest that any artifact may lie from T, in seconds. */
  readonly skewSeconds: number;
  /** What set the label, one sentence each. */
  readonly because: readonly string[];
}

/** Clocks that disagree by more than this lower the label. */
const CLOCKS_APART = 1000;

/**
 * The verdict over an attempt: evidence in, label out, never too good. Application-consistent only where the whole interval of every
 * artifact lies inside one freeze that was verified from outside: held under its lease from before the first call until after the last,
 * drained, flushed, not broken, with every resource's log at release where it stood at freeze.
 */
export function judge(
  plan: Pick<Plan, 'resources' | 'policy' | 'definition'>,
  progress: Progress | undefined,
  classOf: (kind: string) => CutClass,
): Verdict {
  const cut = progress?.cut;
  const lacking = whatIsLacking(plan.resources, progress);
  if (lacking.length > 0 || !cut?.instant) {
    return { ...nothing, refusal: lacking.join(' ') || 'No cut was taken.' };
  }
  const artifacts = progress?.items.flatMap((item) => (item.state === 'done' ? [item.result] : [])) ?? [];
  const refused = artifacts.filter(
    ({ kind, resource }) => classOf(kind) === 'slow' && slowWord(plan.definition.slow[resource]) === 'refuse',
  );
  if (refused.length > 0) {
    return {
      ...nothing,
      refusal: `${refused.map(({ resource }) => resource).join(', ')} has no instant, and the application refuses points with such a member.`,
    };
  }
  const strict = artifacts.filter(
    ({ kind, resource }) => classOf(kind) !== 'slow' || slowWord(plan.definition.slow[resource]) === 'hold',
  );
  const doubts = doubtsOf(cut, strict, plan);
  // While a verified freeze holds nothing changes: what was read all through it is as it was at the instant.
  const measured = doubts.length === 0 ? strict.filter(({ kind }) => classOf(kind) !== 'slow') : strict;
  const { skewSeconds, furthest } = skew(measured, cut.instant);
  const limit = plan.policy.maxSkewSeconds;
  if (limit !== undefined && skewSeconds > limit) {
    return {
      ...nothing,
      skewSeconds,
      refusal: `The skew of ${skewSeconds} s is beyond the ${limit} s that policy "${plan.policy.name}" allows; ${furthest?.resource} set it.`,
    };
  }
  if (doubts.length === 0) {
    const attested = strict.filter(
      ({ resource, unchanging }) => !unchanging && cut.freeze?.positions.atFreeze[resource] === undefined,
    );
    return attested.length === 0
      ? { consistency: 'application-consistent', skewSeconds, because: ['Every artifact lies inside one verified freeze.'] }
      : {
          consistency: 'application-consistent (attested)',
          skewSeconds,
          because: attested.map(
            ({ resource }) => `${resource} has no position, so that it held still is the application's word.`,
          ),
        };
  }
  const fuzzy = strict.filter(({ kind }) => classOf(kind) === 'slow');
  return {
    consistency: fuzzy.length > 0 ? 'fuzzy' : 'crash-consistent',
    skewSeconds,
    because: [...doubts, ...(furthest ? [`${furthest.resource} lies furthest from the instant: ${skewSeconds} s.`] : [])],
  };
}

const nothing = { consistency: 'fuzzy', skewSeconds: 0, because: [] } as const;

/** A point references complete members only, and all that were planned (I01, I11). */
function whatIsLacking(resources: readonly Resource[], progress: Progress | undefined): string[] {
  const items = new Map(progress?.items.map((item) => [item.resource, item]));
  return resources.flatMap(({ id }) => {
    const item = items.get(id);
    if (item?.state === 'done') return [];
    return [item?.state === 'failed' ? `${id} failed: ${item.why}` : `${id} was not captured.`];
  });
}

function skew(artifacts: readonly Artifact[], at: string): { skewSeconds: number; furthest?: Artifact } {
  const instant = Date.parse(at);
  let skewMillis = 0;
  let furthest: Artifact | undefined;
  for (const artifact of artifacts) {
    const distance = Math.max(
      Math.abs(Date.parse(artifact.interval.from) - instant),
      Math.abs(Date.parse(artifact.interval.to) - instant),
    );
    if (distance > skewMillis || !furthest) [skewMillis, furthest] = [Math.max(distance, skewMillis), artifact];
  }
  return { skewSeconds: Math.round(skewMillis) / 1000, ...(furthest ? { furthest } : {}) };
}

/** Every reason for which the freeze does not vouch for these artifacts. */
function doubtsOf(cut: Cut, artifacts: readonly Artifact[], { definition }: Pick<Plan, 'definition'>): string[] {
  const { freeze } = cut;
  if (!freeze) return [definition.freeze ? 'The application was not frozen.' : `"${definition.name}" has no freeze hook.`];
  if (freeze.trouble) return [`The freeze hook could not be used: ${freeze.trouble}`];
  const held = heldInterval(freeze);
  return [
    ...doubtsOfHook(freeze),
    ...doubtsOfPositions(freeze),
    ...artifacts
      .filter(({ interval }) => !contains(held, interval))
      .map(({ resource }) => `${resource} was not captured wholly inside the freeze.`),
    ...artifacts.flatMap(({ resource, witnessed = [] }) =>
      witnessed.map((what) => `${resource} was written to during the freeze: ${what}`),
    ),
  ];
}

function doubtsOfHook(freeze: FreezeEvidence): string[] {
  const doubts: string[] = [];
  if (!freeze.drained) doubts.push('The application did not drain its writers.');
  if (!freeze.flushed) doubts.push('The application had not flushed what it had written.');
  if (!freeze.released) doubts.push('The freeze was not released by us, so when it ended is not known.');
  else if (freeze.broken) doubts.push('The freeze broke before it was released.');
  else if (Date.parse(freeze.released.from) > leaseEnd(freeze)) doubts.push('The lease ran out before the freeze was released.');
  if (freeze.clocksApartMillis > CLOCKS_APART) doubts.push(`Clocks were ${freeze.clocksApartMillis} ms apart.`);
  return doubts;
}

function doubtsOfPositions({ positions: { atFreeze, atRelease = {} } }: FreezeEvidence): string[] {
  const names = new Set([...Object.keys(atFreeze), ...Object.keys(atRelease)]);
  return [...names]
    .filter((name) => atFreeze[name] !== atRelease[name])
    .map(
      (name) =>
        `${name} moved during the freeze: from ${atFreeze[name] ?? 'no position'} to ${atRelease[name] ?? 'no position'}.`,
    );
}

/** Held for certain from when the hook's answer reached us until we sent the release, or the lease ended, whichever came first. */
function heldInterval(freeze: FreezeEvidence): Interval {
  const until = Math.min(Date.parse(freeze.released?.from ?? freeze.asked.to), leaseEnd(freeze));
  return { from: freeze.asked.to, to: new Date(until).toISOString() };
}

/** The hook cannot have begun its lease before it was asked, so it may end this early. */
const leaseEnd = ({ asked, leaseSeconds }: FreezeEvidence): number => Date.parse(asked.from) + leaseSeconds * 1000 - CLOCK_MARGIN;

const contains = (outer: Interval, inner: Interval): boolean => outer.from <= inner.from && inner.to <= outer.to;
