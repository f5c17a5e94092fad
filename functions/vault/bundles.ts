import { gunzipSync, gzipSync } from 'node:zlib';
import {
  CopyObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { calls } from '../aws/call.ts';
import { Permanent, when } from '../aws/errors.ts';
import type { Door } from '../aws/verb.ts';
import type { Instant, Place, Vault } from '../domain.ts';
import { bundleKey, dataBucket, sha256 } from './layout.ts';

const { read, again } = calls('s3', S3Client);

/** The calls to spread into a verb that writes bundles: `verb({ ...bundleWriting, … }, …)`. */
export const bundleWriting = {
  putBundle: again(PutObjectCommand, { also: ['s3:PutObjectRetention'] }),
  bundleRetention: read(GetObjectRetentionCommand),
  lockBundle: again(PutObjectRetentionCommand),
};

/** The calls to spread into a verb that reads bundles. */
export const bundleReading = { getBundle: read(GetObjectCommand) };

/** The calls to spread into a verb that pulls bundles from home into a vault. */
export const bundleCopying = {
  copyBundle: again(CopyObjectCommand, {
    also: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:PutObjectRetention'],
  }),
  bundleRetention: read(GetObjectRetentionCommand),
  lockBundle: again(PutObjectRetentionCommand),
};

/** Until when what a point refers to must stay, and how firmly. */
export interface Keeping {
  readonly vault: Vault;
  readonly keepUntil?: Instant;
}

/**
 * Writes bytes under the SHA-256 of what is stored, and answers that digest. Compressed unless told otherwise (sealed bytes do not shrink).
 * Where the bundle is there already nothing is written, but its lock is extended first, so that no new point refers to one that expires sooner.
 */
export async function writeBundle(
  aws: Door<typeof bundleWriting>,
  content: Uint8Array,
  keeping: Keeping,
  { compress = true } = {},
): Promise<string> {
  const Body = compress ? gzipSync(content, { level: 6 }) : content;
  const digest = sha256(Body);
  const where = { Bucket: dataBucket(keeping.vault.place), Key: bundleKey(digest) };
  await aws
    .putBundle({ ...where, Body, IfNoneMatch: '*', ChecksumSHA256: base64(digest), ...retention(keeping) })
    .catch(when('PreconditionFailed', () => extendLock(aws, where, keeping)));
  return digest;
}

/** Reads a bundle of a vault and refuses one whose bytes are not those that it is named by. */
export async function readBundle(
  aws: Door<typeof bundleReading>,
  place: Place,
  digest: string,
  { compressed = true } = {},
): Promise<Uint8Array> {
  const { Body } = await aws.getBundle({ Bucket: dataBucket(place), Key: bundleKey(digest) });
  const bytes = await Body!.transformToByteArray();
  if (sha256(bytes) !== digest) {
    throw new Permanent(
      `Bundle ${digest} in ${dataBucket(place)} has been changed: its bytes do not have that digest. It is not restored from.`,
    );
  }
  return compressed ? gunzipSync(bytes) : bytes;
}

/** Pulls a bundle from home's data bucket into a vault's; its digest stays. */
export async function copyBundle(aws: Door<typeof bundleCopying>, home: Place, digest: string, keeping: Keeping): Promise<void> {
  const where = { Bucket: dataBucket(keeping.vault.place), Key: bundleKey(digest) };
  await aws
    .copyBundle({ ...where, CopySource: `${dataBucket(home)}/${bundleKey(digest)}`, IfNoneMatch: '*', ...retention(keeping) })
    .catch(when('PreconditionFailed', () => extendLock(aws, where, keeping)));
}

/** Object Lock's members of a put or copy; none where the vault is not locked. */
export function retention({ vault, keepUntil }: Keeping): {
  ObjectLockMode?: 'GOVERNANCE' | 'COMPLIANCE';
  ObjectLockRetainUntilDate?: Date;
} {
  if (!vault.lock || !keepUntil) return {};
  return {
    ObjectLockMode: vault.lock.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
    ObjectLockRetainUntilDate: new Date(keepUntil),
  };
}

async function extendLock(
  aws: Door<Pick<typeof bundleWriting, 'bundleRetention' | 'lockBundle'>>,
  where: { Bucket: string; Key: string },
  keeping: Keeping,
): Promise<void> {
  const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = retention(keeping);
  if (!Mode || !RetainUntilDate) return;
  const held = await aws.bundleRetention(where).catch(when('NoSuchObjectLockConfiguration', () => undefined));
  if ((held?.Retention?.RetainUntilDate ?? 0) >= RetainUntilDate) return;
  await aws.lockBundle({ ...where, Retention: { Mode, RetainUntilDate } });
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
