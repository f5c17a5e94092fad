import type { Interval } from '../domain.ts';

/**
 * Errors are classified, never retried in place. The state machines' Retry and Catch name these same constants, so a rename cannot
 * separate what is thrown from what is caught.
 */
export const TRANSIENT = 'Transient';
export const PERMANENT = 'Permanent';
export const CONFLICT = 'Conflict';

/** It may work if asked again later: the machine retries. */
export class Transient extends Error {
  override readonly name = TRANSIENT;
}

/** It will not work: the machine abandons. The message is one sentence that says what, where and how to fix. */
export class Permanent extends Error {
  override readonly name = PERMANENT;
}

/** Someone else decided: stop quietly. */
export class Conflict extends Error {
  override readonly name = CONFLICT;
}

/** A call that must not be repeated got no answer: it may have taken effect, or may yet. */
export class Lost extends Transient {
  /** From sending until we stopped waiting. */
  readonly asked: Interval;

  constructor(call: string, asked: Interval, cause: unknown) {
    super(`${call} got no answer; whether it took effect is not known.`, { cause });
    this.asked = asked;
  }

  /** The one thing that the lost call made, if it is there; Transient when there is none, or more than one. */
  adopt<T>(found: readonly T[] | undefined): T {
    if (found?.length === 1) return found[0] as T;
    throw this;
  }
}

/** `.catch(whenLost(lost => lost.adopt(…)))`: what to do when an answer was lost; every other error passes. */
export const whenLost =
  <T>(recover: (lost: Lost) => Promise<T>) =>
  (error: unknown): Promise<T> => {
    if (error instanceof Lost) return recover(error);
    throw error;
  };

/** `.catch(when('ResourceNotFoundException', () => undefined))`: what to do when AWS answers with one of these errors. */
export const when =
  <T>(names: string | readonly string[], recover: (error: Error) => T | Promise<T>) =>
  async (error: unknown): Promise<T> => {
    if (error instanceof Error && [names].flat().includes(error.name)) return await recover(error);
    throw error;
  };

interface AwsError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $retryable?: object;
}

const BUSY =
  /Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|LimitExceeded|QuotaExceeded|ConcurrentSnapshot|PendingSnapshot|RateExceeded|PriorRequestNotComplete|ConditionalRequestConflict|TransactionInProgress|ResourceInUse|ServiceUnavailable|InternalError|InternalFailure|InternalServer|RequestTimeout|ConnectionLost|TimeoutError|NetworkingError/;
const GIVEN_UP = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)/;

/** Whether no answer came, as opposed to an answer that is an error. A 5xx says nothing about the effect either. */
export function unanswered(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = (error as AwsError).$metadata?.httpStatusCode;
  return status === undefined ? isNetwork(error) : status >= 500 && error.name !== 'NotImplemented';
}

const isNetwork = (error: Error & { code?: string; errno?: unknown }): boolean =>
  GIVEN_UP.test(error.code ?? '') ||
  /^(TimeoutError|ConnectionLost|AbortError|NetworkingError)$/.test(error.name) ||
  error.message === 'socket hang up';

/** Sorts any error into the three classes; keeps those that are sorted. Quotas and throttles are Transient: they pass. */
export function classify(error: unknown): Transient | Permanent | Conflict {
  if (error instanceof Transient || error instanceof Permanent || error instanceof Conflict) return error;
  if (!(error instanceof Error)) return new Permanent(String(error));
  const sentence = error.message ? `${error.name}: ${error.message}` : error.name;
  return unanswered(error) || BUSY.test(error.name)
    ? new Transient(sentence, { cause: error })
    : new Permanent(sentence, { cause: error });
}
