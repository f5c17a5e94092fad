import type { Request } from './world.ts';

/** Something that goes wrong with one request, as a value. */
export interface Fault {
  /** Before the effect: nothing happened. After: it happened, and the caller is not told. */
  readonly when?: 'before' | 'after';
  /** What the caller sees: an error of the service, or nothing at all. */
  readonly answer: 'silence' | { readonly code: string; readonly message: string; readonly status: number };
  /** How many times slower than usual. */
  readonly slowdown?: number;
}

/** Decides for each request, numbered from 1, whether a fault strikes it. */
export type Decide = (request: Omit<Request, 'caller'> & { readonly number: number }) => Fault | undefined;

export const noFaults: Decide = () => undefined;

const UNAVAILABLE = { code: 'InternalError', message: 'An internal error has occurred.', status: 500 } as const;
const THROTTLED = { code: 'ThrottlingException', message: 'Rate exceeded', status: 400 } as const;

/** The three faults that every call must survive, and a throttle (reliability: F01–F04). */
export const errorBefore: Fault = { when: 'before', answer: UNAVAILABLE };
export const errorAfter: Fault = { when: 'after', answer: UNAVAILABLE };
export const silenceAfter: Fault = { when: 'after', answer: 'silence' };
export const throttle: Fault = { when: 'before', answer: THROTTLED };
/** A slow answer without an error (F06). */
export const slow = (slowdown: number): Fault => ({ answer: 'silence', slowdown });
