import type { Kind } from './kind.ts';

/** The registry: one lazy line per kind, so that only the clients that the work at hand needs are loaded. */
export const kinds: Readonly<Record<string, () => Promise<Kind>>> = {};
