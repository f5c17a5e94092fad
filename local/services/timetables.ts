/**
 * When a schedule expression fires: `rate(…)`, `cron(…)` and `at(…)`, as EventBridge rules and EventBridge Scheduler write them
 * (EventBridge Scheduler guide, "Schedule types"). Times are milliseconds since the epoch; a time zone is an IANA name.
 */
export interface Timetable {
  /** The first time after `instant`; undefined when there is none any more. */
  next(instant: number): number | undefined;
}

/** An expression that means nothing; the caller says so in its service's own words. */
export class InvalidExpression extends Error {}

const UNITS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** A rate counts from `origin`, which is itself one of its times. */
export function timetable(expression: string, { timeZone = 'UTC', origin }: { timeZone?: string; origin: number }): Timetable {
  offset(origin, timeZone); // a zone that there is not is refused whatever the expression
  const [, kind = '', body = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'rate') return rate(body, origin);
  if (kind === 'cron') return cron(body, timeZone);
  if (kind === 'at') return once(body, timeZone);
  throw new InvalidExpression(expression);
}

function rate(body: string, origin: number): Timetable {
  const [, count = '', unit = ''] = /^([1-9]\d*) (minute|hour|day)s?$/.exec(body) ?? [];
  const step = Number(count) * (UNITS[unit as keyof typeof UNITS] ?? Number.NaN);
  if (!(step > 0)) throw new InvalidExpression(`rate(${body})`);
  return { next: (instant) => (instant < origin ? origin : origin + (Math.floor((instant - origin) / step) + 1) * step) };
}

function once(body: string, timeZone: string): Timetable {
  const wall = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(body) ? Date.parse(`${body}Z`) : Number.NaN;
  if (Number.isNaN(wall)) throw new InvalidExpression(`at(${body})`);
  const time = instantOf(wall, timeZone) ?? wall - offset(wall, timeZone);
  return { next: (instant) => (instant < time ? time : undefined) };
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const LAST_YEAR = 2199;

/** Minutes, hours, day of month, month, day of week (1 is Sunday) and year; one of the two days is `?`. */
function cron(body: string, timeZone: string): Timetable {
  const fields = body.trim().split(/\s+/);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = ''] = fields;
  if (fields.length !== 6 || (dayOfMonth === '?') === (dayOfWeek === '?')) throw new InvalidExpression(`cron(${body})`);
  const minutes = numbers(minute, 0, 59);
  const hours = numbers(hour, 0, 23);
  const months = numbers(month, 1, 12, MONTHS);
  const years = numbers(year, 1970, LAST_YEAR);
  const onDay = dayOfMonth === '?' ? weekday(dayOfWeek) : monthday(dayOfMonth);

  function* walls(from: number): Generator<number> {
    const start = new Date(from);
    for (const y of years) {
      if (y < start.getUTCFullYear()) continue;
      for (const m of months) {
        const days = new Date(Date.UTC(y, m, 0)).getUTCDate();
        for (let d = 1; d <= days; d++) {
          const day = Date.UTC(y, m - 1, d);
          if (day + UNITS.day <= from || !onDay(d, new Date(day).getUTCDay() + 1, days)) continue;
          for (const h of hours) for (const minute of minutes) yield day + h * UNITS.hour + minute * UNITS.minute;
        }
      }
    }
  }

  return {
    /** A wall time that a change of clocks skips is not fired; one that comes twice is fired once (Scheduler guide, "Daylight savings time"). */
    next(instant) {
      for (const wall of walls(instant + offset(instant, timeZone))) {
        const time = instantOf(wall, timeZone);
        if (time !== undefined && time > instant) return time;
      }
      return undefined;
    },
  };
}

type OnDay = (day: number, weekday: number, daysInMonth: number) => boolean;

function monthday(field: string): OnDay {
  if (field === 'L') return (day, _, days) => day === days;
  if (field === 'LW') return nearestWeekday(31);
  const nearest = /^(\d+)W$/.exec(field)?.[1];
  if (nearest !== undefined) return nearestWeekday(within(Number(nearest), 1, 31, field));
  const days = new Set(numbers(field, 1, 31));
  return (day) => days.has(day);
}

/** The weekday closest to a day, in the same month. */
function nearestWeekday(target: number): OnDay {
  return (day, weekday, days) => {
    if (weekday === 1 || weekday === 7) return false;
    const wanted = Math.min(target, days);
    const wantedWeekday = ((weekday - 1 + wanted - day + 35) % 7) + 1;
    if (wantedWeekday === 7) return day === (wanted === 1 ? 3 : wanted - 1);
    if (wantedWeekday === 1) return day === (wanted === days ? wanted - 2 : wanted + 1);
    return day === wanted;
  };
}

function weekday(field: string): OnDay {
  const [, last] = /^(\w+)L$/.exec(field) ?? [];
  if (last !== undefined) {
    const wanted = number(last, 1, 7, DAYS);
    return (day, weekday, days) => weekday === wanted && day > days - 7;
  }
  if (field === 'L') return (_, weekday) => weekday === 7;
  const [, name, nth] = /^(\w+)#([1-5])$/.exec(field) ?? [];
  if (name !== undefined) {
    const wanted = number(name, 1, 7, DAYS);
    return (day, weekday) => weekday === wanted && Math.ceil(day / 7) === Number(nth);
  }
  const days = new Set(numbers(field, 1, 7, DAYS));
  return (_, weekday) => days.has(weekday);
}

/** The numbers that a field names, ascending: `*`, `5`, `1-5`, `MON-FRI`, `0/15`, `10-50/20`, and lists of these. */
function numbers(field: string, low: number, high: number, names: readonly string[] = []): number[] {
  const found = new Set<number>();
  for (const part of field.split(',')) {
    const [, range = '', step] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    const [first = '', last] = range.split('-');
    const from = range === '*' ? low : number(first, low, high, names);
    const to = last === undefined ? (range === '*' || step !== undefined ? high : from) : number(last, low, high, names);
    const by = step === undefined ? 1 : within(Number(step), 1, high, field);
    if (from > to) throw new InvalidExpression(field);
    for (let n = from; n <= to; n += by) found.add(n);
  }
  return [...found].sort((a, b) => a - b);
}

function number(text: string, low: number, high: number, names: readonly string[]): number {
  const named = names.indexOf(text.toUpperCase());
  return within(named >= 0 ? named + 1 : /^\d+$/.test(text) ? Number(text) : Number.NaN, low, high, text);
}

function within(value: number, low: number, high: number, field: string): number {
  if (!(value >= low && value <= high)) throw new InvalidExpression(field);
  return value;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Milliseconds by which a zone's wall clocks are ahead of UTC at an instant. Throws where there is no such zone. */
export function offset(instant: number, timeZone: string): number {
  if (timeZone === 'UTC') return 0;
  let format = formats.get(timeZone);
  if (!format) {
    format = zoned(timeZone);
    formats.set(timeZone, format);
  }
  const part = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part['year']!, part['month']! - 1, part['day']!, part['hour']!, part['minute']!, part['second']!);
  return wall - Math.floor(instant / 1000) * 1000;
}

function zoned(timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit';
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
  } catch {
    throw new InvalidExpression(timeZone);
  }
}

/** The first instant at which a zone's wall clocks show `wall` (a UTC reading of them); undefined where they skip it. */
function instantOf(wall: number, timeZone: string): number | undefined {
  const offsets = [offset(wall - UNITS.day, timeZone), offset(wall + UNITS.day, timeZone)];
  const instants = offsets.map((ahead) => wall - ahead).filter((instant) => instant + offset(instant, timeZone) === wall);
  return instants.length > 0 ? Math.min(...instants) : undefined;
}
