import { randomBytes, timingSafeEqual } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { type Context, operations, refuse } from '../../world/service.ts';
import { type Key, openBlob } from './key.ts';
import type { Asking, KmsState } from './state.ts';

/** KMS API, Encrypt and GenerateRandom. */
const MOST_PLAINTEXT = 4096;
const MOST_RANDOM = 1024;
const LENGTHS = { AES_128: 16, AES_256: 32 } as const;

interface Size {
  readonly KeySpec?: SDK.DataKeySpec | undefined;
  readonly NumberOfBytes?: number | undefined;
}

function lengthOf({ KeySpec, NumberOfBytes }: Size): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined))
    return refuse('ValidationException', 'Please specify either number of bytes or key spec.');
  return KeySpec ? LENGTHS[KeySpec] : between(1, NumberOfBytes as number, MOST_RANDOM);
}

function between(least: number, bytes: number, most: number): number {
  if (bytes < least || bytes > most) refuse('ValidationException', `NumberOfBytes must be ${least} to ${most}, not ${bytes}.`);
  return bytes;
}

/**
 * A blob names its key. A caller who names one too must name that one; without, a key that is not in this region or not the caller's to use
 * is refused in one breath, so that nobody learns which (KMS API, Decrypt).
 */
function opened(
  blob: Uint8Array | undefined,
  named: string | undefined,
  operation: string,
  { state, ...context }: Context<KmsState>,
  encryptionContext: Asking['encryptionContext'],
): { key: Key; plaintext: Uint8Array } {
  const asking = { caller: context.caller, encryptionContext };
  const { arn, sealed } = openBlob(blob);
  const key = state.here(arn);
  if (named !== undefined && state.reach(named, [operation], asking) !== key)
    refuse('IncorrectKeyException', 'The key ID in the request does not identify a CMK that can perform this operation.');
  if (!key || state.objection(key, operation, asking) !== undefined)
    return refuse(
      'AccessDeniedException',
      'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
    );
  return { key, plaintext: key.usable('ENCRYPT_DECRYPT').decrypt(sealed, encryptionContext) };
}

/** The key to encrypt under. */
function target(
  name: string | undefined,
  operation: string,
  { state, caller }: Context<KmsState>,
  encryptionContext: Asking['encryptionContext'],
) {
  return state.reach(name, [operation], { caller, encryptionContext }).usable('ENCRYPT_DECRYPT');
}

const SYMMETRIC = { EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } as const;

export const cryptography = operations<typeof SDK, KmsState>()({
  Encrypt({ KeyId, Plaintext = new Uint8Array(), EncryptionContext }, context) {
    const key = target(KeyId, 'Encrypt', context, EncryptionContext);
    if (Plaintext.length < 1 || Plaintext.length > MOST_PLAINTEXT)
      refuse('ValidationException', `Plaintext must have 1 to ${MOST_PLAINTEXT} bytes, not ${Plaintext.length}.`);
    return { CiphertextBlob: key.encrypt(Plaintext, EncryptionContext), KeyId: key.arn, ...SYMMETRIC };
  },

  Decrypt({ CiphertextBlob, KeyId, EncryptionContext }, context) {
    const { key, plaintext } = opened(CiphertextBlob, KeyId, 'Decrypt', context, EncryptionContext);
    return { Plaintext: plaintext, KeyId: key.arn, ...SYMMETRIC };
  },

  ReEncrypt({ CiphertextBlob, SourceKeyId, SourceEncryptionContext, DestinationKeyId, DestinationEncryptionContext }, context) {
    const { key, plaintext } = opened(CiphertextBlob, SourceKeyId, 'ReEncryptFrom', context, SourceEncryptionContext);
    const to = target(DestinationKeyId, 'ReEncryptTo', context, DestinationEncryptionContext);
    return {
      CiphertextBlob: to.encrypt(plaintext, DestinationEncryptionContext),
      SourceKeyId: key.arn,
      KeyId: to.arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    };
  },

  GenerateDataKey({ KeyId, EncryptionContext, ...size }, context) {
    const key = target(KeyId, 'GenerateDataKey', context, EncryptionContext);
    const Plaintext = new Uint8Array(randomBytes(lengthOf(size)));
    return { Plaintext, CiphertextBlob: key.encrypt(Plaintext, EncryptionContext), KeyId: key.arn };
  },

  GenerateDataKeyWithoutPlaintext({ KeyId, EncryptionContext, ...size }, context) {
    const key = target(KeyId, 'GenerateDataKeyWithoutPlaintext', context, EncryptionContext);
    return { CiphertextBlob: key.encrypt(randomBytes(lengthOf(size)), EncryptionContext), KeyId: key.arn };
  },

  GenerateRandom: ({ NumberOfBytes }) => ({
    Plaintext: new Uint8Array(randomBytes(lengthOf({ NumberOfBytes }))),
  }),

  GenerateMac({ KeyId, Message = new Uint8Array(), MacAlgorithm = 'HMAC_SHA_256' }, { state, caller }) {
    const key = state.reach(KeyId, ['GenerateMac'], { caller }).usable('GENERATE_VERIFY_MAC');
    return { KeyId: key.arn, Mac: key.mac(Message), MacAlgorithm };
  },

  VerifyMac({ KeyId, Message = new Uint8Array(), Mac = new Uint8Array(), MacAlgorithm = 'HMAC_SHA_256' }, { state, caller }) {
    const key = state.reach(KeyId, ['VerifyMac'], { caller }).usable('GENERATE_VERIFY_MAC');
    const expected = key.mac(Message);
    if (Mac.length !== expected.length || !timingSafeEqual(Mac, expected)) refuse('KMSInvalidMacException', '');
    return { KeyId: key.arn, MacValid: true, MacAlgorithm };
  },
});
