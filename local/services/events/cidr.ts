import { isIPv4, isIPv6 } from 'node:net';
import { PatternError } from './pattern-error.ts';

/** Whether an address lies in a block, of IPv4 or IPv6 (EventBridge guide, "IP address matching"). */
export function cidr(block: string): (address: string) => boolean {
  const [address = '', mask = '', ...more] = block.split('/');
  if (mask === '' || more.length > 0) throw new PatternError("Malformed CIDR, one '/' required");
  if (!/^\d+$/.test(mask)) throw new PatternError('Malformed CIDR, mask bits must be an integer');
  const bits = Number(mask);
  const from = bitsOf(address);
  if (from === undefined) throw new PatternError(`Nonstandard IP address: ${address}`);
  if (bits > from.length) throw new PatternError(`Malformed CIDR, mask bits must not exceed ${from.length}`);
  return (value) => {
    const other = bitsOf(value);
    return other?.length === from.length && other.slice(0, bits) === from.slice(0, bits);
  };
}

/** An address as a text of 32 or 128 zeros and ones. */
function bitsOf(address: string): string | undefined {
  if (isIPv4(address)) return binary(address.split('.').map(Number), 8);
  if (!isIPv6(address) || address.includes('.') || address.includes('%')) return undefined;
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text ? text.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  return binary([...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right], 16);
}

const binary = (parts: readonly number[], width: number): string =>
  parts.map((part) => part.toString(2).padStart(width, '0')).join('');
