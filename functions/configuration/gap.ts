import { fieldsOf, firesOn, timesOfDay, UNIT_SECONDS } from './schedule.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
/** Long enough for the rarest schedule: a 29th of February comes every fourth year. */
const HORIZON_DAYS = 9 * 366;

/**
 * At most how many seconds lie between two times of a valid schedule, looking nine years ahead of a day; Infinity where it comes to an end.
 * A wall time that a change of clocks skips does not fire, and one that comes twice fires once (Scheduler guide, "Daylight saving time").
 */
export function longestGapSeconds(expression: string, timezone: string, from: number): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim());
  if (rate) return Number(rate[1]) * UNIT_SECONDS[rate[2] as keyof typeof UNIT_SECONDS];
  const fields = fieldsOf(expression);
  const walls = timesOfDay(fields);
  const offsetAt = offsetsOf(timezone);
  const first = Math.floor(from / DAY) * DAY;
  const end = first + HORIZON_DAYS * DAY;
  let longest = 0;
  let last: number | undefined;
  for (let midnight = first; midnight < end; midnight += DAY) {
    if (!firesOn(fields, midnight)) continue;
    for (const time of instantsOf(walls, midnight, offsetAt)) {
      if (last !== undefined) longest = Math.max(longest, time - last);
      last = time;
    }
  }
  return last === undefined || end - last > Math.max(longest, DAY) * 2 ? Number.POSITIVE_INFINITY : longest / 1000;
}

/** When the wall times of one day are. On most days the clocks do not change, so one offset is theirs all. */
function instantsOf(walls: readonly number[], midnight: number, offsetAt: (instant: number) => number): number[] {
  const [before, after] = [offsetAt(midnight - DAY / 2), offsetAt(midnight + 1.5 * DAY)];
  const times = walls.map((minute) => midnight + minute * MINUTE);
  if (before === after) return times.map((wall) => wall - before);
  // one that comes twice is taken when it first comes: at the offset that the clocks then leave
  return times.flatMap(
    (wall) => [before, after].map((offset) => wall - offset).find((time) => time + offsetAt(time) === wall) ?? [],
  );
}

/** How far a zone's clocks are ahead of UTC at an instant, in milliseconds. */
function offsetsOf(timezone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  const known = new Map<number, number>();
  return (instant) => {
    const found = known.get(instant);
    if (found !== undefined) return found;
    const whole = Math.floor(instant / 1000) * 1000;
    const offset = Date.parse(`${format.format(whole).replace(' ', 'T')}Z`) - whole;
    known.set(instant, offset);
    return offset;
  };
}
