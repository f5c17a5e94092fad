import { randomBytes } from 'node:crypto';
import type { Instant } from '../domain.ts';

/** The only reader of the machine's own clock and dice. What runs in the local AWS is given another. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Lower-case hexadecimal digits for ids that must not be guessed or repeated. */
  random(digits: number): string;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds)),
  random: (digits) =>
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
};

export const instant = (milliseconds: number): Instant => new Date(milliseconds).toISOString();
export const millis = (at: Instant): number => {
  const milliseconds = Date.parse(at);
  if (Number.isNaN(milliseconds)) throw new RangeError(`"${at}" is not an ISO 8601 instant.`);
  return milliseconds;
};
