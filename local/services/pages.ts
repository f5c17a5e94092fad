import { refuse } from '../world/service.ts';

/** A page of a list, and the token of the next: the place at which it begins. InvalidParameterException where it is none (EKS, ECR). */
export function paged<T>(all: readonly T[], size = 100, token?: string): { page: T[]; nextToken?: string } {
  const from = Number(token ?? 0);
  if (!Number.isInteger(from) || from < 0) refuse('InvalidParameterException', 'The nextToken is not valid.');
  const page = all.slice(from, from + size);
  return from + size < all.length ? { page, nextToken: String(from + size) } : { page };
}
