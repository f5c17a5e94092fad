import { expect, test } from 'vitest';
import { tellAll } from './seeds.ts';

/** `SEEDS=n` tells more or fewer; a failing one is told again by its number. */
const SEEDS = Number(process.env['SEEDS'] ?? 320);

/** I27 over half of the seeds: one file each, so that two cores share them. */
export function noTornRestore(half: 'even' | 'odd'): void {
  test(`no torn restore, ${half} seeds`, { timeout: SEEDS * 1000 }, async () => {
    const seeds = Array.from({ length: SEEDS }, (_, seed) => seed).filter((seed) => (seed % 2 === 0) === (half === 'even'));
    const { wrong, labels } = await tellAll(seeds);
    console.info(`${seeds.length} seeds:`, labels);
    expect(wrong).toEqual([]);
    expect(labels['honest: application-consistent'] ?? 0).toBeGreaterThan(seeds.length / 3);
    const liars = Object.entries(labels).filter(([of]) => !of.startsWith('honest'));
    const fell = liars.filter(([of]) => !of.includes(': application-consistent'));
    const count = (some: [string, number][]) => some.reduce((sum, [, times]) => sum + times, 0);
    expect(count(fell)).toBeGreaterThan(count(liars) / 2);
  });
}
