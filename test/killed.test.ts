import { expect, test } from 'vitest';
import { mismatches } from '../demo/shop/audit.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { comeToRest, nobodyFrozen, nothingLeaks, whole } from './invariants.ts';
import { HOME, type Stage, stage } from './world.ts';

/** The process of the first Capture dies at its n-th call: before it is made, or after it took effect. What runs on is a silence. */
function dying(at: number, when: 'before' | 'after', seen: { calls: number }) {
  const die = async <T>(make: () => Promise<T>): Promise<T> => {
    const call = ++seen.calls;
    if (call === at && when === 'before') return new Promise(() => {});
    const answer = await make();
    return call === at ? new Promise(() => {}) : answer;
  };
  return (transport: Transport, step: string): Transport =>
    step !== 'protect-capture'
      ? transport
      : {
          ...transport,
          send: (request) => die(() => transport.send(request)),
          fetch: (request) => die(() => transport.fetch(request)),
        };
}

async function kill(at: number, when: 'before' | 'after'): Promise<{ stand: Stage; calls: number }> {
  const seen = { calls: 0 };
  const stand = await stage({ seed: `killed/${at}/${when}`, shop: { cluster: true }, between: dying(at, when, seen) });
  stand.shop.writers.start();
  await stand.advance(5);
  const execution = stand.startProtect();
  await stand.advance(40); // the first cut, and the lease of 20 s that it may have left behind
  expect(nobodyFrozen(stand), `killed ${when} call ${at}`).toEqual([]);
  await stand.advance(150); // the function's limit, and the retry with a new cut
  await stand.settle(stand.shop.writers.stop());
  await stand.settle(execution.ended);
  return { stand, calls: seen.calls };
}

test('Capture killed between every two of its calls: one cut, one lease, nothing left behind', { timeout: 120_000 }, async () => {
  const { calls } = await kill(Number.POSITIVE_INFINITY, 'before');
  expect(calls).toBeGreaterThan(8);
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= calls; at++) {
      const { stand } = await kill(at, when);
      const told = `killed ${when} call ${at} of ${calls}`;
      expect([...(await whole(stand)), ...nobodyFrozen(stand)], told).toEqual([]);
      const [point] = await stand.sealed(HOME);
      expect(point, told).toBeDefined();
      await comeToRest(stand);
      expect(await nothingLeaks(stand, HOME), told).toEqual([]);
      const { report } = await stand.restore(HOME, 'r1');
      expect(report?.status, told).toBe('restored');
      const held = await stand.settle(stand.shop.readRestored(HOME, report!.renames));
      expect(held.frozen, told).toEqual([]);
      expect(await stand.settle(stand.shop.wrongUploads(HOME, report!.renames, point!)), told).toEqual([]);
      if (point!.consistency === 'application-consistent')
        expect(mismatches(held, stand.shop.truthAt(point!.instant)), told).toEqual([]);
    }
  }
});
