import type { Misbehaviour } from '../../demo/shop/writers.ts';
import { Random } from '../../local/world/random.ts';
import { type Stage, stage } from '../world.ts';

/** A world that tells a lie, or none. */
export interface Liar {
  readonly name: string;
  readonly misbehaviour?: Misbehaviour;
  /** How far the clock of the application's function, or of Capture, is from the world's, in milliseconds. */
  readonly hookClock?: number;
  readonly captureClock?: number;
}

/** Who there is, by the seed: half of the worlds are honest, the others each break the freeze in their own way. */
export function liarOf(seed: number): Liar {
  const random = new Random(`liar/${seed}`);
  if (random.chance(0.5)) return { name: 'honest' };
  return random.pick<Liar>([
    { name: 'a writer that ignores the freeze', misbehaviour: { ignoresFreeze: true } },
    { name: 'a late commit', misbehaviour: { lateCommit: true } },
    { name: 'unflushed pages', misbehaviour: { unflushed: true } },
    { name: 'a lease that breaks in mid-cut', misbehaviour: { breaksLeaseAfterMillis: Math.round(random.between(200, 2500)) } },
    {
      name: 'the application’s clock is wrong',
      hookClock: Math.round(random.between(1200, 8000)) * (random.chance(0.5) ? 1 : -1),
    },
    { name: 'Capture’s clock is wrong', captureClock: Math.round(random.between(1200, 8000)) * (random.chance(0.5) ? 1 : -1) },
  ]);
}

/** Sets the world of a seed, with its writers at work. */
export async function worldOf(seed: number, liar: Liar): Promise<Stage> {
  const stand = await stage({
    seed,
    shop: {
      ...(liar.misbehaviour ? { misbehaviour: liar.misbehaviour } : {}),
      ...(liar.hookClock === undefined ? {} : { hookClockOffsetMillis: liar.hookClock }),
      pace: { clients: 4, rate: 10 },
      cluster: seed % 8 === 3, // a cluster costs as much as the rest of a world
    },
    ...(liar.captureClock === undefined ? {} : { clockOffsets: { 'protect-capture': liar.captureClock } }),
  });
  stand.shop.writers.start();
  await stand.advance(10 + (seed % 17));
  return stand;
}
