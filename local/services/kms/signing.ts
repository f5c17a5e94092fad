import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { p256 } from '@noble/curves/nist.js';
import { operations, refuse } from '../../world/service.ts';
import type { Key } from './key.ts';
import type { KmsState } from './state.ts';

/** KMS API, Sign: what is longer must be hashed by the caller. */
const MOST_MESSAGE = 4096;
const DIGEST = 32;
/** Digests are signed as they are, and both halves of the curve are good, as KMS has it. */
const CURVE = { prehash: false, format: 'der', lowS: false } as const;

function digestOf(message: Uint8Array, type: SDK.MessageType): Uint8Array {
  if (type === 'DIGEST' && message.length !== DIGEST)
    refuse('ValidationException', 'Digest is invalid length for algorithm ECDSA_SHA_256.');
  if (message.length < 1 || message.length > MOST_MESSAGE)
    refuse('ValidationException', `Message must have 1 to ${MOST_MESSAGE} bytes, not ${message.length}; sign its digest.`);
  return type === 'DIGEST' ? message : createHash('sha256').update(message).digest();
}

function refuseAlgorithm(key: Key, algorithm: SDK.SigningAlgorithmSpec | undefined): void {
  if (algorithm !== 'ECDSA_SHA_256')
    refuse('InvalidKeyUsageException', `Algorithm ${algorithm} and key spec ${key.spec} are incompatible.`);
}

/** Node signs messages, not digests; KMS signs either, so the curve itself is asked (@noble/curves, audited, no dependencies but its hashes). */
function sign(key: Key, digest: Uint8Array): Uint8Array {
  const { d } = key.pair.privateKey.export({ format: 'jwk' });
  return p256.sign(digest, Buffer.from(d as string, 'base64url'), CURVE);
}

function verifies(key: Key, digest: Uint8Array, signature: Uint8Array): boolean {
  const { x, y } = key.pair.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x as string, 'base64url'), Buffer.from(y as string, 'base64url')]);
  try {
    return p256.verify(signature, digest, point, CURVE);
  } catch {
    return false; // not even the shape of a signature
  }
}

export const signing = operations<typeof SDK, KmsState>()({
  Sign({ KeyId, Message = new Uint8Array(), MessageType = 'RAW', SigningAlgorithm }, { state, caller }) {
    const key = state.reach(KeyId, ['Sign'], { caller }).usable('SIGN_VERIFY');
    refuseAlgorithm(key, SigningAlgorithm);
    return { KeyId: key.arn, Signature: sign(key, digestOf(Message, MessageType)), SigningAlgorithm };
  },

  Verify({ KeyId, Message = new Uint8Array(), MessageType = 'RAW', Signature, SigningAlgorithm }, { state, caller }) {
    const key = state.reach(KeyId, ['Verify'], { caller }).usable('SIGN_VERIFY');
    refuseAlgorithm(key, SigningAlgorithm);
    if (!verifies(key, digestOf(Message, MessageType), Signature ?? new Uint8Array())) refuse('KMSInvalidSignatureException', '');
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm };
  },

  /** SubjectPublicKeyInfo in DER, as RFC 5280 has it (KMS API, GetPublicKey). */
  GetPublicKey({ KeyId }, { state, caller }) {
    const key = state.reach(KeyId, ['GetPublicKey'], { caller }).usable();
    const PublicKey = new Uint8Array(key.pair.publicKey.export({ format: 'der', type: 'spki' }));
    return {
      KeyId: key.arn,
      PublicKey,
      KeySpec: key.spec,
      CustomerMasterKeySpec: key.spec as SDK.CustomerMasterKeySpec,
      KeyUsage: key.usage,
      SigningAlgorithms: ['ECDSA_SHA_256'],
    };
  },
});
