import type { Abandoned, Sealed } from '../domain.ts';

/** A thing that bears our tags, as reconcile found it. */
export interface Found {
  readonly id: string;
  readonly resource: string;
  readonly cut?: string;
  readonly createdAt: string;
}

export interface Decision {
  readonly id: string;
  readonly remove: boolean;
  readonly why: string;
}

/** The longest that a function may still be running, that AWS may hide what it made, and that clocks may be apart. */
const SETTLING_MILLIS = (15 + 5 + 5) * 60_000;

/**
 * What reconcile may do with a thing that bears our tags: it is deleted only where the attempt that it was made for is decided, the decision
 * does not refer to it, and no function that could still adopt it can be alive (reliability: the GC fence, I07).
 */
export function judgeStray(found: Found, outcome: Sealed | Abandoned | undefined, now: number): Decision {
  const { id } = found;
  const age = now - Date.parse(found.createdAt);
  if (!outcome) return { id, remove: false, why: 'Its restore point is still being made.' };
  if (outcome.status === 'sealed' && outcome.artifacts.some((artifact) => artifact.id === id)) {
    return { id, remove: false, why: 'A sealed restore point refers to it.' };
  }
  if (age < SETTLING_MILLIS) return { id, remove: false, why: 'It is too young: what made it may still be running.' };
  return {
    id,
    remove: true,
    why:
      outcome.status === 'abandoned'
        ? 'Its restore point was abandoned.'
        : 'It is of a cut that is void; the sealed restore point does not refer to it.',
  };
}
