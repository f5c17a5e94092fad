import { abandon as give } from '../protect/abandon.ts';
import { step } from '../step.ts';

/** Gives a copy up, as Protect gives up a point; the vault's reconcile starts another when home can be reached again. */
export const abandon = step({ ...give, name: 'replicate-abandon' });
