import type { Period } from '../domain.ts';

/** The longest that two moments of one period can be apart, in days. */
export const LONGEST_DAYS: Readonly<Record<Period, number>> = { hourly: 1, daily: 2, weekly: 8, monthly: 32, yearly: 367 };

/**
 * Names the hour, day, week, month or year of a time zone that a moment lies in: equal for two moments of one, different for any others.
 * Weeks begin on Mondays. `timezone` is an IANA name; a RangeError says where it is none.
 */
export function periodOf(at: number, every: Period, timezone: string): string {
  if (every === 'hourly') return String(Math.floor(at / 3_600_000));
  const local = localDate(at, timezone);
  if (every === 'weekly') {
    const day = Date.parse(`${local}T00:00:00Z`);
    return new Date(day - ((new Date(day).getUTCDay() + 6) % 7) * 86_400_000).toISOString().slice(0, 10);
  }
  return local.slice(0, LENGTHS[every]);
}

/** How much of `2026-11-22` names a period. */
const LENGTHS = { daily: 10, monthly: 7, yearly: 4 } as const;

/** `2026-11-22` by the calendar on the wall; Swedes write dates so. */
const localDate = (at: number, timeZone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(at);
