import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type * as SDK from '@aws-sdk/client-s3';
import { refuse } from '../../world/service.ts';

export const md5 = (body: Uint8Array): string => createHash('md5').update(body).digest('hex');

const digest = (algorithm: string) => (body: Uint8Array) => createHash(algorithm).update(body).digest('base64');

/** Checksums that are verified when they are given; the others are kept and given back as they came. */
const COMPUTED: Readonly<Record<string, (body: Uint8Array) => string>> = {
  ChecksumSHA1: digest('sha1'),
  ChecksumSHA256: digest('sha256'),
  ChecksumCRC32(body) {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return sum.toString('base64');
  },
};
const KEPT = ['ChecksumCRC32', 'ChecksumCRC32C', 'ChecksumCRC64NVME', 'ChecksumSHA1', 'ChecksumSHA256'] as const;

export type Claims = Partial<Record<(typeof KEPT)[number] | 'ContentMD5', string | undefined>> & {
  readonly ChecksumAlgorithm?: SDK.ChecksumAlgorithm | undefined;
};

/** What to keep of a body's checksums: those that the request gives, which must be right, or the one that it names. */
export function checksumsOf(body: Uint8Array, claims: Claims): Record<string, string> {
  if (claims.ContentMD5 !== undefined && claims.ContentMD5 !== digest('md5')(body)) {
    refuse('BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  const kept = Object.fromEntries(KEPT.flatMap((name) => (claims[name] === undefined ? [] : [[name, claims[name]]])));
  for (const [name, claimed] of Object.entries(kept)) {
    if (COMPUTED[name] && COMPUTED[name](body) !== claimed)
      refuse('BadDigest', `The ${name.slice('Checksum'.length)} you specified did not match the calculated checksum.`);
  }
  const named = `Checksum${claims.ChecksumAlgorithm}`;
  if (kept[named] === undefined && COMPUTED[named]) kept[named] = COMPUTED[named](body);
  return kept as Record<string, string>;
}
