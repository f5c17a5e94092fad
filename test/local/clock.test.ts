import { expect, test } from 'vitest';
import { Clock } from '../../local/world/clock.ts';

test('a paced clock loses no time to those who often ask for something', async () => {
  const clock = new Clock({ patience: 3 });
  const start = clock.now();
  clock.pace(1000);
  const began = performance.now();
  while (performance.now() - began < 400) {
    await clock.settle(clock.sleep(1));
    await new Promise((next) => setTimeout(next, 5));
  }
  clock.stop();
  // 400 real milliseconds at this pace, less what the machine takes over the demands themselves.
  expect(clock.now() - start).toBeGreaterThan(100_000);
  expect(clock.now() - start).toBeLessThan(600_000);
});

test('what a demand takes of the machine is not time', async () => {
  const clock = new Clock({ patience: 3 });
  const start = clock.now();
  clock.pace(1000);
  const work = async () => {
    await clock.sleep(1);
    const until = performance.now() + 200;
    while (performance.now() < until);
    await clock.sleep(1);
  };
  await clock.settle(work());
  clock.stop();
  expect(clock.now() - start).toBeLessThan(100_000);
});

test('nothing happens after the end, also where somebody waits: a served world that is interrupted in the middle of a day ends', async () => {
  const clock = new Clock({ patience: 3 });
  clock.pace(60);
  let slept = 0;
  const forever = async () => {
    for (;;) {
      await clock.sleep(1000);
      slept++;
    }
  };
  void clock.settle(forever());
  while (slept === 0) await new Promise((next) => setTimeout(next, 1));
  clock.stop();
  const then = slept;
  await new Promise((next) => setTimeout(next, 100));
  expect(slept - then).toBeLessThanOrEqual(1);
});
