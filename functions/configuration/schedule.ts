import { nearest } from './nearest.ts';

/** One field of a cron expression: its name, its range, the words that stand for numbers and the letters that it alone allows. */
interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly words?: readonly string[];
  readonly letters?: RegExp;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** The six fields of EventBridge Scheduler (Scheduler guide, "Schedule types"). */
const FIELDS: readonly Field[] = [
  { name: 'minutes', from: 0, to: 59 },
  { name: 'hours', from: 0, to: 23 },
  { name: 'day of month', from: 1, to: 31, letters: /^(\?|L|LW|(0?[1-9]|[12]\d|3[01])W)$/ },
  { name: 'month', from: 1, to: 12, words: MONTHS },
  { name: 'day of week', from: 1, to: 7, words: DAYS, letters: /^(\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5]))$/i },
  { name: 'year', from: 1970, to: 2199 },
];

const EXAMPLE = 'write one such as cron(0 * * * ? *) or rate(6 hours)';

/** What is wrong with a schedule, or nothing. */
export function scheduleProblem(expression: string): string | undefined {
  const [, form, inside = ''] = /^(cron|rate|at)\((.*)\)$/.exec(expression.trim()) ?? [];
  if (form === 'cron') return cronProblem(inside.trim().split(/\s+/));
  if (form === 'rate') return rateProblem(inside.trim());
  if (form === 'at') return `is a schedule for one time, and a policy goes on; ${EXAMPLE}`;
  return `is neither cron(…) nor rate(…); ${EXAMPLE}`;
}

function rateProblem(inside: string): string | undefined {
  return /^[1-9]\d* (minute|hour|day)s?$/.test(inside)
    ? undefined
    : 'is not a rate; write a whole number and minutes, hours or days, such as rate(6 hours)';
}

function cronProblem(parts: readonly string[]): string | undefined {
  if (parts.length !== FIELDS.length) {
    const also = parts.length === 5 ? ' (cron of Unix has five: put ? into one of the two day fields and add the year)' : '';
    return `has ${parts.length} fields where AWS wants six: minutes, hours, day of month, month, day of week, year${also}; ${EXAMPLE}`;
  }
  for (const [index, field] of FIELDS.entries()) {
    const wrong = parts[index]!.split(',').find((part) => !fits(part, field));
    if (wrong !== undefined) return `has "${wrong}" for the ${field.name}, which goes from ${field.from} to ${field.to}`;
  }
  const unknowns = [parts[2], parts[4]].filter((part) => part === '?').length;
  return unknowns === 1 ? undefined : 'must have ? in exactly one of the two day fields (day of month, day of week)';
}

function fits(part: string, field: Field): boolean {
  if (field.letters?.test(part)) return true;
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (range === '*') return true;
  const ends = range.split('-').map((end) => numberOf(end, field));
  return ends.length <= 2 && ends.every((end) => end >= field.from && end <= field.to);
}

function numberOf(text: string, { words = [], from }: Field): number {
  const word = words.indexOf(text.toUpperCase());
  if (word >= 0) return word + from;
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

export const UNIT_SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const;
const DAY_MINUTES = 1440;

/** At least how many seconds lie between two times of a valid schedule. Restrictions to days only lengthen it, so they are not looked at. */
export function shortestGapSeconds(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression.trim());
  if (rate) return Number(rate[1]) * UNIT_SECONDS[rate[2] as keyof typeof UNIT_SECONDS];
  const times = timesOfDay(fieldsOf(expression));
  const gaps = times.map((time, index) => (times[index + 1] ?? times[0]! + DAY_MINUTES) - time);
  return Math.min(...gaps) * 60;
}

/** The six fields of a valid `cron(…)`. */
export const fieldsOf = (expression: string): string[] =>
  expression
    .trim()
    .replace(/^cron\(|\)$/g, '')
    .trim()
    .split(/\s+/);

/** The minutes of a day at which a cron expression fires, in order. */
export const timesOfDay = ([minutes = '*', hours = '*']: readonly string[]): number[] =>
  valuesOf(hours, FIELDS[1]!).flatMap((hour) => valuesOf(minutes, FIELDS[0]!).map((minute) => hour * 60 + minute));

/** Whether a cron expression fires on a day of the calendar, given as its midnight in UTC. */
export function firesOn(
  [, , monthday = '*', month = '*', weekday = '?', year = '*']: readonly string[],
  midnight: number,
): boolean {
  const date = new Date(midnight);
  const names = (text: string, index: number, value: number) => valuesOf(text, FIELDS[index]!).includes(value);
  return (
    names(year, 5, date.getUTCFullYear()) &&
    names(month, 3, date.getUTCMonth() + 1) &&
    monthday.split(',').some((part) => isMonthday(part, date)) &&
    weekday.split(',').some((part) => isWeekday(part, date))
  );
}

const daysIn = (date: Date): number => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

/** `L` is the last day, `15W` the weekday nearest to the 15th within the month (Scheduler guide, "Cron-based schedules"). */
function isMonthday(part: string, date: Date): boolean {
  const day = date.getUTCDate();
  const last = daysIn(date);
  if (part === '?') return true;
  if (part === 'L') return day === last;
  const wanted = part === 'LW' ? last : /^\d+W$/.test(part) ? Math.min(Number.parseInt(part, 10), last) : undefined;
  if (wanted === undefined) return valuesOf(part, FIELDS[2]!).includes(day);
  const of = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), wanted)).getUTCDay();
  if (of === 6) return day === (wanted === 1 ? 3 : wanted - 1);
  if (of === 0) return day === (wanted === last ? wanted - 2 : wanted + 1);
  return day === wanted;
}

/** `L` is Saturday, `5L` the month's last Thursday, `6#3` its third Friday (the same page). */
function isWeekday(part: string, date: Date): boolean {
  const day = date.getUTCDate();
  const weekday = date.getUTCDay() + 1;
  if (part === '?') return true;
  if (part.toUpperCase() === 'L') return weekday === 7;
  const [, named, nth] = /^(\w+?)(?:L|#([1-5]))$/i.exec(part) ?? [];
  if (named === undefined) return valuesOf(part, FIELDS[4]!).includes(weekday);
  const inMonth = nth === undefined ? day > daysIn(date) - 7 : Math.ceil(day / 7) === Number(nth);
  return inMonth && weekday === numberOf(named, FIELDS[4]!);
}

/** Every value that a field names, in order. */
function valuesOf(text: string, field: Field): number[] {
  const values = text.split(',').flatMap((part) => {
    const [range = '*', step] = part.split('/');
    const [from, to] =
      range === '*' ? [field.from, field.to] : (range.split('-').map((end) => numberOf(end, field)) as [number, number?]);
    const last = to ?? (step === undefined ? from : field.to);
    return Array.from({ length: Math.floor((last - from) / Number(step ?? 1)) + 1 }, (_, i) => from + i * Number(step ?? 1));
  });
  return [...new Set(values)].sort((a, b) => a - b);
}

/** What is wrong with a time zone, or nothing. */
export function timezoneProblem(timezone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
    if (/^[A-Za-z]/.test(timezone)) return undefined;
  } catch {}
  const meant = nearest(timezone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
  return `is not an IANA time zone; ${meant ? `did you mean ${meant}?` : 'write one such as Europe/Berlin or UTC'}`;
}
