import { refuse } from '../../world/service.ts';

/** One page, as KMS pages: `Truncated` says whether there is more, the marker where. */
export function paged<T>(
  all: readonly T[],
  limit: number,
  marker: string | undefined,
): { page: T[]; Truncated: boolean; NextMarker?: string } {
  const from = Number(marker ?? 0);
  if (!Number.isInteger(from) || from < 0) refuse('InvalidMarkerException', 'The marker is invalid.');
  const more = from + limit < all.length;
  return { page: all.slice(from, from + limit), Truncated: more, ...(more ? { NextMarker: String(from + limit) } : {}) };
}
