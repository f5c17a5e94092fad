import { spoken } from './slow.ts';

/** What is usual of a kind while nothing has been measured: minutes until what was captured can be sealed, and until its copy in a vault can. */
export interface Usual {
  readonly sealMinutes: number;
  readonly copyMinutes: number;
}

/** How often points are taken, and how long one then takes until it counts in some vault. */
export interface Rhythm {
  /** The longest between two times of the schedule, but for changes of clocks. */
  readonly gapSeconds: number;
  /** The longest when a change of clocks comes between. */
  readonly longestGapSeconds: number;
  /** How late after its time a point may begin. */
  readonly windowSeconds: number;
  /** From the instant of a point until it is sealed there. */
  readonly takesSeconds: number;
}

/** How old the newest point becomes, at the most: it is the newest until the next one is sealed. */
export const oldestSeconds = ({ gapSeconds, windowSeconds, takesSeconds }: Omit<Rhythm, 'longestGapSeconds'>): number =>
  gapSeconds + windowSeconds + takesSeconds;

export interface Judged {
  /** `doubtful`: it is broken only when clocks change, or if points take as long as is usual, which none has shown. */
  readonly kept: 'surely' | 'doubtful' | 'never';
  /** Why not, or how well, with what would help. */
  readonly sentence: string;
}

/** Of what a rhythm is, and how the time that points take is known: `shown` by points, or usual for such members. */
export interface RpoOf {
  readonly policy: string;
  readonly vault: string;
  readonly timezone: string;
  readonly shown: boolean;
  readonly evidence: string;
}

/** Whether an RPO can be kept with such a rhythm. What is only usual makes it doubtful; what the schedule or points show makes it impossible. */
export function judgeRpo(rpoSeconds: number, rhythm: Rhythm, of: RpoOf): Judged {
  const where = of.vault === 'home' ? 'at home' : `in "${of.vault}"`;
  const window = rhythm.windowSeconds > 0 ? `, ${said(rhythm.windowSeconds)} of window` : '';
  const parts = (gap: number) =>
    `${said(gap)} between points${window}, ${said(rhythm.takesSeconds)} until one is sealed ${where} (${of.evidence})`;
  const promise = `policies.${of.policy}.rpo is ${said(rpoSeconds)}`;
  const usual = oldestSeconds(rhythm);
  const seldom = oldestSeconds({ ...rhythm, gapSeconds: rhythm.longestGapSeconds });
  if (usual > rpoSeconds) {
    const impossible = of.shown || oldestSeconds({ ...rhythm, takesSeconds: 0 }) >= rpoSeconds;
    return {
      kept: impossible ? 'never' : 'doubtful',
      sentence: `${promise}, and the newest point ${impossible ? 'becomes' : 'may become'} ${said(usual)} old: ${parts(rhythm.gapSeconds)}; take points more often, or promise ${atLeast(usual)}.`,
    };
  }
  if (seldom > rpoSeconds)
    return {
      kept: 'doubtful',
      sentence: `${promise}, and when clocks change in ${of.timezone} the newest point becomes ${said(seldom)} old: ${parts(rhythm.longestGapSeconds)}; use timezone: UTC or rate(…), or promise ${atLeast(seldom)}.`,
    };
  return { kept: 'surely', sentence: `${promise}; the newest point becomes ${said(usual)} old: ${parts(rhythm.gapSeconds)}.` };
}

const said = (seconds: number): string => spoken(seconds * 1000);

const STEP_MINUTES = 30;
/** The least round duration that is no shorter, as the configuration writes it: `90m`, `26h`. */
export function atLeast(seconds: number): string {
  const minutes = Math.ceil(seconds / 60 / STEP_MINUTES) * STEP_MINUTES;
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${minutes}m`;
}
