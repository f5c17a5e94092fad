const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A quantity of storage in bytes; undefined for what is none (Kubernetes API, "Quantity"). */
export function bytesOf(quantity: string | undefined): number | undefined {
  const [, number, suffix = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(quantity ?? '') ?? [];
  const factor = FACTORS[suffix];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** The fewest whole GiB that hold so many bytes, which is how EBS counts. */
export const gibibytesOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / 2 ** 30));
