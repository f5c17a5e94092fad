import { createHash, randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { p256 } from '@noble/curves/nist.js';
import { operations, refuse } from '../../world/service.ts';
import { type Key, openBlob } from './key.ts';
import type { KmsState } from './state.ts';

const LENGTHS = { AES_128: 16, AES_256: 32 } as const;
const lengthOf = ({
  KeySpec,
  NumberOfBytes,
}: {
  KeySpec?: SDK.DataKeySpec | undefined;
  NumberOfBytes?: number | undefined;
}): number =>
  KeySpec
    ? LENGTHS[KeySpec]
    : (NumberOfBytes ?? refuse('ValidationException', 'Please specify either number of bytes or key spec.'));

/** A blob names its key: in another region or account there is no such key, and a key that is named must be that one. */
function keyOfBlob(blob: Uint8Array | undefined, named: string | undefined, state: KmsState): { key: Key; sealed: Buffer } {
  const { arn, sealed } = openBlob(blob);
  const key = [...state.keys.values()].find((one) => one.arn === arn);
  if (named !== undefined && state.find(named) !== key) {
    refuse('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
  }
  if (!key) return refuse('InvalidCiphertextException', '');
  return { key: key.usable('ENCRYPT_DECRYPT'), sealed };
}

export const cryptography = operations<typeof SDK, KmsState>()({
  Encrypt({ KeyId, Plaintext = new Uint8Array(), EncryptionContext }, { state }) {
    const key = state.usable(KeyId ?? '');
    if (Plaintext.length > 4096) refuse('ValidationException', 'Plaintext must be at most 4096 bytes.');
    return {
      CiphertextBlob: key.encrypt(Plaintext, EncryptionContext),
      KeyId: key.arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  },

  Decrypt({ CiphertextBlob, KeyId, EncryptionContext }, { state }) {
    const { key, sealed } = keyOfBlob(CiphertextBlob, KeyId, state);
    return { Plaintext: key.decrypt(sealed, EncryptionContext), KeyId: key.arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' };
  },

  ReEncrypt({ CiphertextBlob, SourceKeyId, SourceEncryptionContext, DestinationKeyId, DestinationEncryptionContext }, { state }) {
    const { key, sealed } = keyOfBlob(CiphertextBlob, SourceKeyId, state);
    const target = state.usable(DestinationKeyId ?? '');
    const blob = target.encrypt(key.decrypt(sealed, SourceEncryptionContext), DestinationEncryptionContext);
    return { CiphertextBlob: blob, SourceKeyId: key.arn, KeyId: target.arn };
  },

  GenerateDataKey({ KeyId, EncryptionContext, ...size }, { state }) {
    const key = state.usable(KeyId ?? '');
    const Plaintext = new Uint8Array(randomBytes(lengthOf(size)));
    return { Plaintext, CiphertextBlob: key.encrypt(Plaintext, EncryptionContext), KeyId: key.arn };
  },

  GenerateDataKeyWithoutPlaintext({ KeyId, EncryptionContext, ...size }, { state }) {
    const key = state.usable(KeyId ?? '');
    return { CiphertextBlob: key.encrypt(randomBytes(lengthOf(size)), EncryptionContext), KeyId: key.arn };
  },

  GenerateRandom: ({ NumberOfBytes = 32 }) => ({ Plaintext: new Uint8Array(randomBytes(NumberOfBytes)) }),

  Sign({ KeyId, Message = new Uint8Array(), MessageType = 'RAW', SigningAlgorithm = 'ECDSA_SHA_256' }, { state }) {
    const key = state.find(KeyId).usable('SIGN_VERIFY');
    return { KeyId: key.arn, Signature: signDigest(key, digestOf(Message, MessageType), SigningAlgorithm), SigningAlgorithm };
  },

  Verify(
    { KeyId, Message = new Uint8Array(), MessageType = 'RAW', Signature = new Uint8Array(), SigningAlgorithm = 'ECDSA_SHA_256' },
    { state },
  ) {
    const key = state.find(KeyId).usable('SIGN_VERIFY');
    if (!verifyDigest(key, digestOf(Message, MessageType), Signature)) refuse('KMSInvalidSignatureException', '');
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm };
  },

  GetPublicKey({ KeyId }, { state }) {
    const key = state.find(KeyId).usable();
    const PublicKey = new Uint8Array(key.pair.publicKey.export({ format: 'der', type: 'spki' }));
    return { KeyId: key.arn, PublicKey, KeySpec: key.spec, KeyUsage: key.usage, SigningAlgorithms: ['ECDSA_SHA_256'] };
  },

  GenerateMac({ KeyId, Message = new Uint8Array(), MacAlgorithm = 'HMAC_SHA_256' }, { state }) {
    const key = state.find(KeyId).usable('GENERATE_VERIFY_MAC');
    return { KeyId: key.arn, Mac: key.mac(Message), MacAlgorithm };
  },
});

const digestOf = (message: Uint8Array, type: SDK.MessageType): Uint8Array => {
  if (type === 'DIGEST' && message.length !== 32)
    refuse('ValidationException', 'Digest is invalid length for algorithm ECDSA_SHA_256.');
  return type === 'DIGEST' ? message : createHash('sha256').update(message).digest();
};

/** Node signs messages, not digests; KMS signs either, so the curve itself is asked (@noble/curves, audited, no dependencies but its hashes). */
function signDigest(key: Key, digest: Uint8Array, algorithm: SDK.SigningAlgorithmSpec): Uint8Array {
  if (algorithm !== 'ECDSA_SHA_256') refuse('UnsupportedOperationException', `The local AWS does not sign with ${algorithm}.`);
  const { d } = key.pair.privateKey.export({ format: 'jwk' });
  return p256.sign(digest, Buffer.from(d as string, 'base64url'), { prehash: false, format: 'der', lowS: false });
}

function verifyDigest(key: Key, digest: Uint8Array, signature: Uint8Array): boolean {
  const { x, y } = key.pair.publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x as string, 'base64url'), Buffer.from(y as string, 'base64url')]);
  try {
    return p256.verify(signature, digest, point, { prehash: false, format: 'der', lowS: false });
  } catch {
    return false; // not even the shape of a signature
  }
}
