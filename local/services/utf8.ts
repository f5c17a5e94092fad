/**
 * The order of two texts by the bytes of their UTF-8: how S3 lists keys and how DynamoDB sorts strings. JavaScript compares UTF-16 units, which
 * differs only where surrogates meet the units above them, so those are lifted over the rest.
 */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return lifted(x) - lifted(y);
  }
  return a.length - b.length;
}

const lifted = (unit: number): number =>
  unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2000 : unit >= 0xe000 ? unit - 0x800 : unit;

/** The first place in a sorted list at which `isAfter` holds; `isAfter` must not change back. */
export function firstWhere<T>(sorted: readonly T[], isAfter: (one: T) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(sorted[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
