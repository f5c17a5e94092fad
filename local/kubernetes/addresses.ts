/** Addresses of IPv4 as numbers, for ranges in CIDR notation. */
const toNumber = (address: string): number | undefined => {
  const octets = address.split('.').map(Number);
  const valid = octets.length === 4 && octets.every((octet) => Number.isInteger(octet) && octet >= 0 && octet < 256);
  return valid ? octets.reduce((sum, octet) => sum * 256 + octet, 0) : undefined;
};

const toAddress = (number: number): string => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');

interface Range {
  readonly first: number;
  readonly size: number;
}

function rangeOf(cidr: string): Range {
  const [address = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const first = toNumber(address);
  if (first === undefined || !Number.isInteger(size)) throw new Error(`${cidr} is no range of IPv4 addresses.`);
  return { first: first - (first % size), size };
}

export function isWithin(address: string, cidr: string): boolean {
  const { first, size } = rangeOf(cidr);
  const number = toNumber(address);
  return number !== undefined && number >= first && number < first + size;
}

/** The address at an offset of a range. */
export const addressAt = (cidr: string, offset: number): string => toAddress(rangeOf(cidr).first + offset);

/** An address of a range that nobody has, from a chosen place on; undefined where all are taken. The first and the last are nobody's. */
export function freeAddress(cidr: string, taken: ReadonlySet<string>, chosen: number): string | undefined {
  const { first, size } = rangeOf(cidr);
  const usable = size - 2;
  for (let tried = 0; tried < usable; tried++) {
    const address = toAddress(first + 1 + ((chosen + tried) % usable));
    if (!taken.has(address)) return address;
  }
  return undefined;
}
