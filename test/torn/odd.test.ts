import { expect, test } from 'vitest';
import { tellAll } from './seeds.ts';

/** Half of the seeds in each file, so that two cores share them. `SEEDS=n` tells more or fewer; a failing one is told again by its number. */
const SEEDS = Number(process.env['SEEDS'] ?? 320);

test('no torn restore, odd seeds', { timeout: 240_000 }, async () => {
  const seeds = Array.from({ length: SEEDS }, (_, seed) => seed).filter((seed) => seed % 2 === 1);
  const { wrong, labels } = await tellAll(seeds);
  console.info(`${seeds.length} seeds:`, labels);
  expect(wrong).toEqual([]);
  const honest = labels['honest: application-consistent'] ?? 0;
  expect(honest).toBeGreaterThan(seeds.length / 3);
  const liars = Object.entries(labels).filter(([of]) => !of.startsWith('honest'));
  const fell = liars.filter(([of]) => !of.includes(': application-consistent')).reduce((sum, [, count]) => sum + count, 0);
  expect(fell).toBeGreaterThan(liars.reduce((sum, [, count]) => sum + count, 0) / 2);
});
