import { refuse } from '../world/service.ts';

/** A page of a list, and the token of the next: the place at which it begins. InvalidParameterException where it is none (EKS, ECR). */
export function paged<T>(all: readonly T[], size = 100, token?: string): { page: T[]; nextToken?: string } {
  const from = Number(token ?? 0);
  if (!Number.isInteger(from) || from < 0) refuse('InvalidParameterException', 'The nextToken is not valid.');
  const page = all.slice(from, from + size);
  return from + size < all.length ? { page, nextToken: String(from + size) } : { page };
}

/** One page of a list, and the token that leads to the next; tokens are opaque to callers and an index to us. Undefined for a token that is none. */
export function pageOf<T>(
  all: readonly T[],
  limit: number | undefined,
  token: string | undefined,
): { readonly page: T[]; readonly next?: string } | undefined {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64').toString() || 'none');
  if (!Number.isInteger(from) || from < 0) return undefined;
  const to = limit === undefined ? all.length : from + limit;
  return { page: all.slice(from, to), ...(to < all.length ? { next: Buffer.from(String(to)).toString('base64') } : {}) };
}
