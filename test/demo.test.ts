import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { Result } from '../demo/report.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { HOME, stage, WEST } from './world.ts';

interface Ran {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const demo = (...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const env = { ...process.env, CI: undefined, FORCE_COLOR: undefined };
    execFile(process.execPath, ['demo/story.ts', ...args], { env, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });

describe('npm run demo', () => {
  test('passes on what is deployed, and answers one JSON document beside a story without colours', {
    timeout: 240_000,
  }, async () => {
    const { code, stdout, stderr } = await demo('--json', '--seed', 'test');
    expect(code, stderr).toBe(0);
    const { verdict, points, homeRestore, restore, baseline } = JSON.parse(stdout) as Result;
    expect(verdict).toBe('pass');
    expect([homeRestore, restore].map(({ region, mismatches }) => ({ region, mismatches }))).toEqual([
      { region: HOME.region, mismatches: [] },
      { region: WEST.region, mismatches: [] },
    ]);
    expect(baseline.torn).toBe(true);
    for (const { awsCalls, transitions, regions } of points) {
      expect(awsCalls).toBeGreaterThan(100);
      expect(transitions).toBeGreaterThan(10);
      expect(regions[0]).toBe(HOME.region);
    }
    expect(stderr).toContain('PASS');
    expect(stderr).not.toMatch(/\[\d+m|█|\n +at /);
  });

  test('says in one line what it cannot understand', async () => {
    const { code, stdout, stderr } = await demo('--sed', '1');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: .*--sed.*\n$/);
  });
});

test('each invocation logs whom it works for, and how many calls it made', async () => {
  const lines: { step: string; owner: string; calls: number }[] = [];
  const made = new Map<string, number>();
  const between = (transport: Transport, step: string): Transport => ({
    ...transport,
    send: (request) => {
      made.set(step, (made.get(step) ?? 0) + 1);
      return transport.send(request);
    },
  });
  const stand = await stage({ seed: 'calls', between, log: (line) => void lines.push(line as (typeof lines)[number]) });
  const { arn, ended } = stand.startProtect();
  await stand.settle(ended);
  const logged = new Map<string, number>();
  for (const { step, owner, calls } of lines) {
    if (step.startsWith('protect-')) expect(owner).toBe(arn);
    logged.set(step, (logged.get(step) ?? 0) + calls);
  }
  expect(logged.get('protect-capture')).toBeGreaterThan(5);
  for (const step of ['protect-plan', 'protect-capture', 'protect-seal']) expect(logged.get(step)).toBe(made.get(step));
});
