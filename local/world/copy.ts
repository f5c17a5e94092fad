/**
 * A copy that shares nothing with what it is of: what a request or an answer holds is simple, and most of it is copied here far faster than by
 * `structuredClone`, which copies the rest.
 */
export function copyOf<T>(value: T): T {
  return copied(value) as T;
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'function' || typeof value === 'symbol') return structuredClone(value); // which refuses them
    return value;
  }
  if (Array.isArray(value)) return value.map(copied);
  const kind = Object.getPrototypeOf(value);
  if (kind === Object.prototype || kind === null) {
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      if (key === '__proto__') return structuredClone(value); // a member that cannot be set like any other
      copy[key] = copied((value as Record<string, unknown>)[key]);
    }
    return copy;
  }
  if (value instanceof Uint8Array) return new Uint8Array(value); // its own bytes alone: a Buffer may be a part of a larger one
  if (kind === Date.prototype) return new Date((value as Date).getTime());
  return structuredClone(value);
}
