import type { Rename } from '../functions/domain.ts';
import type { Random } from '../local/world/random.ts';
import type { World } from '../local/world/world.ts';
import type { Shop } from './shop/shop.ts';

/** The most that the start of one resource's backup lies behind the one before, in milliseconds. */
const JITTER = 60_000;

/**
 * How the same application is protected by what acts on resources: each has its own backup on the same schedule, one after the other, none
 * knowing of the others, and nobody holds the writers. Every backup by itself is perfect. Answers how to restore each of them, beside the
 * original, and as what they come back.
 */
export const backUpEach = (world: World, shop: Shop, random: Random, label: string): Promise<() => Promise<Rename[]>> =>
  shop.backUpEach(label, () => world.clock.sleep(random.between(0, JITTER)));
