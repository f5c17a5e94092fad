import { createPublicKey, verify } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { calls } from '../aws/call.ts';
import { Permanent } from '../aws/errors.ts';
import type { Door } from '../aws/verb.ts';
import { SIGNING_KEY, sha256 } from './layout.ts';

const { read, again } = calls('kms', KMSClient);

export const signing = { sign: again(SignCommand) };
export const publishing = { publicKey: read(GetPublicKeyCommand) };

/**
 * A signed record is one JSON object, `{"record":…,"signature":{…}}`, whose signature is over the SHA-256 of the exact bytes of the record as
 * they stand in the file. So anyone can read it, and anyone with the public key can verify it offline, with openssl alone.
 */
export interface Signature {
  readonly algorithm: 'ECDSA_SHA_256';
  /** The KMS key's ARN. */
  readonly key: string;
  /** SHA-256 of the record's bytes, hexadecimal. */
  readonly digest: string;
  /** DER, base64. */
  readonly value: string;
}

const BEFORE = '{"record":';
const BETWEEN = ',"signature":';
const AFTER = '}\n';

/** The text of a signed record, by this vault's signing key. */
export async function sign(aws: Door<typeof signing>, record: object): Promise<{ text: string; digest: string }> {
  const body = JSON.stringify(record);
  const digest = sha256(body);
  const { Signature: value, KeyId: key } = await aws.sign({
    KeyId: SIGNING_KEY,
    Message: Buffer.from(digest, 'hex'),
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_256',
  });
  const signature: Signature = {
    algorithm: 'ECDSA_SHA_256',
    key: key ?? SIGNING_KEY,
    digest,
    value: Buffer.from(value!).toString('base64'),
  };
  return { text: `${BEFORE}${body}${BETWEEN}${JSON.stringify(signature)}${AFTER}`, digest };
}

/** Takes a signed record apart without believing it. Throws a Permanent sentence that names `where` if it is not one. */
export function readSigned<T>(text: string, where: string): { record: T; body: string; signature: Signature } {
  const between = text.lastIndexOf(BETWEEN);
  if (!text.startsWith(BEFORE) || between < 0 || !text.endsWith(AFTER)) throw new Permanent(`${where} is not a signed record.`);
  const body = text.slice(BEFORE.length, between);
  try {
    return {
      record: JSON.parse(body) as T,
      body,
      signature: JSON.parse(text.slice(between + BETWEEN.length, -AFTER.length)) as Signature,
    };
  } catch (cause) {
    throw new Permanent(`${where} is not a signed record: it is not JSON.`, { cause });
  }
}

/** Verifies with the public key's PEM and nothing else, and answers the record. Throws a Permanent sentence where anything was changed. */
export function verifySigned<T>(text: string, publicKeyPem: string, where: string): { record: T; digest: string } {
  const { record, body, signature } = readSigned<T>(text, where);
  const digest = sha256(body);
  const genuine =
    digest === signature.digest &&
    verify(
      'sha256',
      Buffer.from(body),
      { key: createPublicKey(publicKeyPem), dsaEncoding: 'der' },
      Buffer.from(signature.value, 'base64'),
    );
  if (!genuine) {
    throw new Permanent(
      `The signature of ${where} does not fit: it was changed after it was sealed, or another key signed it. It is not restored from.`,
    );
  }
  return { record, digest };
}

/** The public half of this vault's signing key as PEM. */
export async function fetchPublicKey(aws: Door<typeof publishing>): Promise<string> {
  const { PublicKey } = await aws.publicKey({ KeyId: SIGNING_KEY });
  return createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
    .export({ format: 'pem', type: 'spki' })
    .toString();
}
