import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { calls } from '../aws/call.ts';
import { Permanent, when } from '../aws/errors.ts';
import type { Door } from '../aws/verb.ts';
import type { Place } from '../domain.ts';
import { bundleWriting, type Keeping, readBundle, retention, writeBundle } from './bundles.ts';
import { DATA_KEY, dataBucket, wrappedKeyKey } from './layout.ts';

const kms = calls('kms', KMSClient);
const s3 = calls('s3', S3Client);

/**
 * What is secret leaves the function sealed: AES-256-GCM under a data key of KMS, whose wrapped form lies beside the bundle. The bundle's
 * digest never changes; a vault wraps the same data key again under a key of its own, so what is in the vault needs nothing of home.
 */
const MAGIC = Buffer.from('SPE1');
const KEY_NOT_THERE = ['DisabledException', 'NotFoundException', 'KMSInvalidStateException'];

export const envelopeWriting = {
  ...bundleWriting,
  newDataKey: kms.again(GenerateDataKeyCommand),
  putWrappedKey: s3.again(PutObjectCommand, { also: ['s3:PutObjectRetention'] }),
};
export const envelopeReading = {
  getBundle: s3.read(GetObjectCommand),
  getWrappedKey: s3.read(GetObjectCommand),
  unwrapKey: kms.read(DecryptCommand),
};
export const envelopeCopying = {
  getHomesWrappedKey: s3.read(GetObjectCommand, { at: 'home' }),
  unwrapHomesKey: kms.read(DecryptCommand, { at: 'home' }),
  wrapKey: kms.again(EncryptCommand),
  putWrappedKey: s3.again(PutObjectCommand, { also: ['s3:PutObjectRetention'] }),
};

/** Seals and writes; answers the bundle's digest. `application` is bound to the key, so one application's secrets cannot pose as another's. */
export async function writeEnvelope(
  aws: Door<typeof envelopeWriting>,
  content: Uint8Array,
  application: string,
  keeping: Keeping,
): Promise<string> {
  const { Plaintext, CiphertextBlob } = await aws
    .newDataKey({ KeyId: DATA_KEY, KeySpec: 'AES_256', EncryptionContext: { application } })
    .catch(when(KEY_NOT_THERE, (error) => refuseKey(keeping.vault.place, error)));
  const digest = await writeBundle(aws, seal(content, Plaintext!), keeping, { compress: false });
  await aws.putWrappedKey({
    Bucket: dataBucket(keeping.vault.place),
    Key: wrappedKeyKey(digest),
    Body: CiphertextBlob!,
    ...retention(keeping),
  });
  return digest;
}

/** Reads and opens an envelope with nothing but this vault's bucket and key. */
export async function readEnvelope(
  aws: Door<typeof envelopeReading>,
  place: Place,
  digest: string,
  application: string,
): Promise<Uint8Array> {
  const { Body } = await aws.getWrappedKey({ Bucket: dataBucket(place), Key: wrappedKeyKey(digest) });
  const { Plaintext } = await aws
    .unwrapKey({ CiphertextBlob: await Body!.transformToByteArray(), KeyId: DATA_KEY, EncryptionContext: { application } })
    .catch(when(KEY_NOT_THERE, (error) => refuseKey(place, error)));
  return unseal(await readBundle(aws, place, digest, { compressed: false }), Plaintext!, digest);
}

/** Wraps the data key of a bundle that was pulled from home again under this vault's key. The bundle itself is `copyBundle`'s to pull. */
export async function rewrapKey(
  aws: Door<typeof envelopeCopying>,
  home: Place,
  digest: string,
  application: string,
  keeping: Keeping,
): Promise<void> {
  const EncryptionContext = { application };
  const { Body } = await aws.getHomesWrappedKey({ Bucket: dataBucket(home), Key: wrappedKeyKey(digest) });
  const { Plaintext } = await aws
    .unwrapHomesKey({ CiphertextBlob: await Body!.transformToByteArray(), KeyId: DATA_KEY, EncryptionContext })
    .catch(when(KEY_NOT_THERE, (error) => refuseKey(home, error)));
  const { CiphertextBlob } = await aws
    .wrapKey({ KeyId: DATA_KEY, Plaintext: Plaintext!, EncryptionContext })
    .catch(when(KEY_NOT_THERE, (error) => refuseKey(keeping.vault.place, error)));
  const where = { Bucket: dataBucket(keeping.vault.place), Key: wrappedKeyKey(digest) };
  await aws.putWrappedKey({ ...where, Body: CiphertextBlob!, ...retention(keeping) });
}

export function seal(content: Uint8Array, key: Uint8Array): Uint8Array {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(MAGIC);
  return Buffer.concat([MAGIC, iv, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

export function unseal(sealed: Uint8Array, key: Uint8Array, name: string): Uint8Array {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < MAGIC.length + 28 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Permanent(`Bundle ${name} is not a sealed envelope.`);
  }
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(4, 16)).setAAD(MAGIC).setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(16, -16)), decipher.final()]);
  } catch (cause) {
    throw new Permanent(`Envelope ${name} cannot be opened: it was changed, or its key is another's.`, { cause });
  }
}

function refuseKey({ account, region }: Place, cause: Error): never {
  throw new Permanent(
    `The key ${DATA_KEY} in ${account}/${region} cannot be used (${cause.name}: ${cause.message}). Enable it, or restore access to it, and try again.`,
    { cause },
  );
}
