import Table from 'cli-table3'; // measures cells as terminals do: colours, wide characters
import colours from 'picocolors';
import prettyMilliseconds from 'pretty-ms'; // says durations as people do
import { besideWords } from '../functions/decide/slow.ts';

/** Aligned columns without lines, as `kubectl` prints them; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const blank = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
  };
  const inner = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' };
  const made = new Table({
    head: head.map((title) => colours.bold(title)),
    chars: { ...blank, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((_, i) => (rows.length > 0 && rows.every((row) => typeof row[i] === 'number') ? 'right' : 'left')),
  });
  for (const row of rows) made.push(row.map(String));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

/** `1h 20m`, `45s`. */
export const duration = (milliseconds: number): string =>
  prettyMilliseconds(Math.max(0, Math.round(milliseconds / 1000) * 1000), { unitCount: 2 });

/** What the demo found, as its JSON document has it. Money is in integer cents. */
export interface Result {
  readonly points: readonly {
    readonly id: string;
    readonly instant: string;
    readonly skewSeconds: number;
    readonly freezeMillis: number;
    readonly consistency: string;
    readonly artifacts: number;
    /** What has no instant, with the interval of its own. */
    readonly beside: readonly { readonly resource: string; readonly from: string; readonly to: string }[];
    /** Home first. */
    readonly regions: readonly string[];
    readonly awsCalls: number;
    readonly transitions: number;
  }[];
  readonly homeRestore: RestoreResult;
  readonly restore: RestoreResult;
  readonly baseline: { readonly moneyBefore: number; readonly moneyAfter: number; readonly torn: boolean };
  readonly verdict: 'pass' | 'fail';
}

export interface RestoreResult {
  readonly region: string;
  readonly stages: readonly { readonly name: string; readonly minutes: number }[];
  readonly mismatches: readonly string[];
  readonly moneyBefore: number;
  readonly moneyAfter: number;
}

/** The demo's last words, for people. */
export function summary({ points, homeRestore, restore, baseline, verdict }: Result): string[] {
  const restores = [homeRestore, restore];
  const names = [...new Set(restores.flatMap(({ stages }) => stages.map(({ name }) => name)))];
  const minutes = ({ stages }: RestoreResult, name: string) => stages.find((stage) => stage.name === name)?.minutes ?? 0;
  return [
    '',
    colours.bold('Restore points (simulated)'),
    ...table(
      ['POINT', 'T', 'SKEW s', 'FREEZE ms', 'CONSISTENCY', 'ARTIFACTS', 'REGIONS', 'AWS CALLS', 'TRANSITIONS'],
      points.map((point) => [
        point.id,
        point.instant.slice(11, 19),
        point.skewSeconds,
        point.freezeMillis,
        point.consistency,
        point.artifacts,
        point.regions.join(' '),
        point.awsCalls,
        point.transitions,
      ]),
    ),
    ...points.flatMap(({ id, beside }) =>
      beside.map(({ resource, from, to }) =>
        colours.dim(`Beside the label of ${id}: ${besideWords({ resource, interval: { from, to } })}.`),
      ),
    ),
    '',
    colours.bold('Restores, in simulated minutes'),
    ...table(
      ['REGION', ...names.map((name) => name.toUpperCase()), 'ALL', 'MISMATCHES', 'MONEY AT T', 'MONEY RESTORED'],
      restores.map((one) => [
        one.region,
        ...names.map((name) => minutes(one, name)),
        Math.round(100 * one.stages.reduce((sum, stage) => sum + stage.minutes, 0)) / 100,
        one.mismatches.length,
        cents(one.moneyBefore),
        cents(one.moneyAfter),
      ]),
    ),
    ...restores.flatMap(({ region, mismatches }) => mismatches.slice(0, 10).map((what) => colours.red(`${region}: ${what}`))),
    '',
    `${colours.bold('Beside it')}, independent backups of each resource: ${baseline.torn ? colours.red('torn') : 'not torn'}, ` +
      `${cents(baseline.moneyBefore)} went in, ${cents(baseline.moneyAfter)} came out.`,
    '',
    verdict === 'pass'
      ? colours.green(
          'PASS: every store, transfer, file and object came back as it was at T, at home and with the home region dark (simulated).',
        )
      : colours.red('FAIL: what came back is not what it was at T; the mismatches are above (simulated).'),
  ];
}

const cents = (amount: number): string => (amount / 100).toFixed(2);
