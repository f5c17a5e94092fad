import { createCipheriv, createDecipheriv, createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-kms';
import { refuse } from '../../world/service.ts';

/** What a grantee may do with a key until the grant is retired or revoked. */
export type Grant = SDK.GrantListEntry & { readonly GrantId: string; readonly GrantToken: string };

/** A key with real material: what is encrypted under it can be read by nothing else. */
export class Key {
  readonly id: string;
  readonly arn: string;
  readonly spec: SDK.KeySpec;
  readonly usage: SDK.KeyUsageType;
  readonly createdAt: Date;
  readonly manager: SDK.KeyManagerType;
  readonly multiRegion: boolean;
  /** Of a replica: the key whose material it has. */
  readonly primaryArn: string;
  description: string;
  enabled = true;
  deletionDate: Date | undefined;
  policy: string;
  tags: Record<string, string>;
  rotates = false;
  readonly grants = new Map<string, Grant>();
  readonly #secret: Buffer;
  readonly #pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;

  constructor(
    made: Pick<
      Key,
      'id' | 'arn' | 'spec' | 'usage' | 'createdAt' | 'manager' | 'multiRegion' | 'description' | 'policy' | 'tags'
    >,
    original?: Key,
  ) {
    this.id = made.id;
    this.arn = made.arn;
    this.spec = made.spec;
    this.usage = made.usage;
    this.createdAt = made.createdAt;
    this.manager = made.manager;
    this.multiRegion = made.multiRegion;
    this.description = made.description;
    this.policy = made.policy;
    this.tags = made.tags;
    this.primaryArn = original?.arn ?? made.arn;
    this.#secret = original ? original.#secret : randomBytes(32);
    this.#pair = original ? original.#pair : pairOf(made.spec);
  }

  /** The account. */
  get owner(): string {
    return this.arn.split(':')[4] as string;
  }

  get state(): SDK.KeyState {
    if (this.deletionDate) return 'PendingDeletion';
    return this.enabled ? 'Enabled' : 'Disabled';
  }

  /** Throws what KMS answers when a key in this state, or of this usage, is asked to do something (KMS guide, "Key states"). */
  usable(usage?: SDK.KeyUsageType): this {
    if (this.deletionDate) refuse('KMSInvalidStateException', `${this.arn} is pending deletion.`);
    if (!this.enabled) refuse('DisabledException', `${this.arn} is disabled.`);
    if (usage && this.usage !== usage)
      refuse('InvalidKeyUsageException', `${this.arn} key usage is ${this.usage} which is not valid for this operation.`);
    return this;
  }

  /** The blob names its key and binds the context, so Decrypt needs to be told neither. */
  encrypt(plaintext: Uint8Array, context: Readonly<Record<string, string>> = {}): Uint8Array {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', this.#secret, iv).setAAD(canonical(context));
    const name = Buffer.from(this.arn);
    return Buffer.concat([
      Buffer.from([1, name.length]),
      name,
      iv,
      cipher.update(plaintext),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  decrypt(sealed: Buffer, context: Readonly<Record<string, string>> = {}): Uint8Array {
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#secret, sealed.subarray(0, 12))
        .setAAD(canonical(context))
        .setAuthTag(sealed.subarray(-16));
      return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
    } catch {
      return refuse('InvalidCiphertextException', '');
    }
  }

  mac(message: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#secret).update(message).digest();
  }

  get pair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
    return this.#pair ?? refuse('UnsupportedOperationException', `${this.arn} is not an asymmetric key.`);
  }
}

/** The key that a ciphertext names, and the rest of it. */
export function openBlob(blob: Uint8Array | undefined): { arn: string; sealed: Buffer } {
  const bytes = Buffer.from(blob ?? []);
  const length = bytes[1] ?? 0;
  const arn = bytes.subarray(2, 2 + length).toString();
  if (bytes[0] !== 1 || bytes.length < length + 30 || !/^arn:aws:kms:[^:]+:\d{12}:key\/[\w-]+$/.test(arn))
    refuse('InvalidCiphertextException', '');
  return { arn, sealed: bytes.subarray(2 + length) };
}

const canonical = (context: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

function pairOf(spec: SDK.KeySpec) {
  if (spec === 'ECC_NIST_P256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (spec === 'SYMMETRIC_DEFAULT' || spec === 'HMAC_256') return undefined;
  return refuse('UnsupportedOperationException', `The local AWS does not model the key spec ${spec}.`);
}
