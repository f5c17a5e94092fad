/**
 * Where the instant T lies. T is a whole second, because that is the grain at which point-in-time logs can be asked (aws.md §1.5), and
 * everything an exact kind may answer for T must still lie inside the freeze. All times are milliseconds since the epoch, by one clock.
 */

/** How far clocks are trusted apart before a margin is broken. */
export const CLOCK_MARGIN = 100;
/** What an exact kind may answer for T reaches this far to both sides (S3's LastModified has a one-second grain). */
export const GRAIN = 1000;
/** How long a freeze hook usually takes to drain and answer; only the start of the freeze is timed by it. */
const USUAL_DRAIN = 300;

/** How long to wait before asking for the freeze, so that the whole second that it must contain comes soon after it is held. */
export function beforeFreeze(now: number, usualDrain = USUAL_DRAIN): number {
  const earliest = now + usualDrain + CLOCK_MARGIN + GRAIN;
  return Math.ceil(earliest / 1000) * 1000 - earliest;
}

/**
 * T for a freeze that is held from `heldFrom`; when to fire the prompt kinds, close enough to T that they add nothing to the skew and early
 * enough that a slow call does not prolong the freeze; and the earliest moment at which it may be let go.
 */
export function instantInFreeze(heldFrom: number): { instant: number; fireFrom: number; releaseFrom: number } {
  const instant = Math.ceil((heldFrom + CLOCK_MARGIN + GRAIN) / 1000) * 1000;
  return { instant, fireFrom: instant - GRAIN / 2, releaseFrom: instant + GRAIN + CLOCK_MARGIN };
}

/** T without a freeze: the whole second nearest to the middle of what the prompt kinds answered, or of now where there are none. */
export function instantBetween(intervals: readonly { readonly from: number; readonly to: number }[], now: number): number {
  if (intervals.length === 0) return Math.floor(now / 1000) * 1000;
  const from = Math.min(...intervals.map((interval) => interval.from));
  const to = Math.max(...intervals.map((interval) => interval.to));
  return Math.round((from + to) / 2000) * 1000;
}
