import { badRequest } from './problem.ts';

/** Where a list goes on, and at which revision; −1 is whatever is newest (apimachinery, `continueToken`). */
export interface Continuation {
  readonly revision: number;
  readonly start: string;
}

const VERSION = 'meta.k8s.io/v1';

export const tokenOf = ({ revision, start }: Continuation): string =>
  Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString('base64url');

export function continuationOf(token: string): Continuation {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, 'base64url').toString()) as {
      v?: string;
      rv?: number;
      start?: string;
    };
    if (v === VERSION && typeof rv === 'number' && typeof start === 'string') return { revision: rv, start };
  } catch {}
  throw badRequest('continue key is not valid');
}
