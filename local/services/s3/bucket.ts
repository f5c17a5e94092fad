import type * as SDK from '@aws-sdk/client-s3';
import { Malformed } from '../../world/authorization/conditions.ts';
import { type Document, documentOf } from '../../world/authorization/document.ts';
import { refuse } from '../../world/service.ts';
import { compareText, firstWhere } from '../utf8.ts';

/** One version of a key, or the mark of its deletion. Bytes are shared between copies and never changed. */
export interface Version {
  readonly key: string;
  readonly versionId: string;
  /** The order of writing, which no version id tells. */
  readonly sequence: number;
  /** Bytes; undefined for a delete marker. */
  readonly body: Uint8Array | undefined;
  readonly etag: string;
  /** What S3 says: for a multipart upload, when it was initiated. Whole seconds on the wire. */
  readonly lastModified: Date;
  /** When it really became visible: the truth that the model knows and S3 does not tell. */
  readonly appeared: Date;
  readonly headers: Partial<
    Pick<
      SDK.PutObjectRequest,
      'ContentType' | 'ContentEncoding' | 'ContentDisposition' | 'ContentLanguage' | 'CacheControl' | 'StorageClass'
    >
  >;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksums: Readonly<Record<string, string>>;
  readonly encryption: { readonly algorithm: SDK.ServerSideEncryption; readonly key?: string };
  tags: Readonly<Record<string, string>>;
  retention?: { readonly Mode: SDK.ObjectLockRetentionMode; readonly RetainUntilDate: Date };
  legalHold?: SDK.ObjectLockLegalHoldStatus;
}

export type Living = Version & { readonly body: Uint8Array };

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly request: SDK.CreateMultipartUploadRequest;
  readonly parts: Map<number, Part>;
}

export interface Part {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly modified: Date;
  readonly checksums: Readonly<Record<string, string>>;
}

/** What a key held from an instant on; nothing where it was deleted. */
interface Held {
  readonly from: number;
  readonly version: Living | undefined;
}

export class Bucket {
  readonly name: string;
  readonly owner: string;
  readonly region: string;
  readonly createdAt: Date;
  versioning: 'Enabled' | 'Suspended' | undefined;
  lockable: boolean;
  defaultRetention: SDK.DefaultRetention | undefined;
  tags: Readonly<Record<string, string>> | undefined;
  /** Settings that are kept and given back as they were put. */
  readonly settings = new Map<string, object>();
  readonly uploads = new Map<string, Upload>();
  #policy: Document | undefined;
  /** In the order of every listing: that of the keys' UTF-8 bytes. */
  readonly #keys: string[] = [];
  /** Newest first, by key. */
  readonly #versions = new Map<string, Version[]>();
  readonly #held = new Map<string, Held[]>();

  constructor(made: Pick<Bucket, 'name' | 'owner' | 'region' | 'createdAt' | 'lockable'>) {
    this.name = made.name;
    this.owner = made.owner;
    this.region = made.region;
    this.createdAt = made.createdAt;
    this.lockable = made.lockable;
    this.versioning = made.lockable ? 'Enabled' : undefined;
  }

  get policy(): string | undefined {
    return this.#policy?.text;
  }

  set policy(text: string | undefined) {
    this.#policy = text === undefined ? undefined : policyIn(text);
  }

  get statements(): Document | undefined {
    return this.#policy;
  }

  get keys(): readonly string[] {
    return this.#keys;
  }

  /** The keys with a prefix, from after a marker on, or from the marker itself where it is part of a page's beginning. */
  keysFrom(prefix: string, marker: string | undefined, { including = false } = {}): readonly string[] {
    const beyond = marker !== undefined && compareText(marker, prefix) >= 0 ? marker : undefined;
    const from = firstWhere(this.#keys, (key) =>
      beyond === undefined ? compareText(key, prefix) >= 0 : compareText(key, beyond) > (including ? -1 : 0),
    );
    const rest = firstWhere(this.#keys, (key) => compareText(key, prefix) >= 0 && !key.startsWith(prefix));
    return this.#keys.slice(from, Math.max(from, rest));
  }

  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  current(key: string): Living | undefined {
    const newest = this.versions(key)[0];
    return newest?.body ? (newest as Living) : undefined;
  }

  /** A version by its id, or the newest; the errors of GetObject where there is none. */
  find(key: string, versionId: string | undefined): Living {
    if (versionId === undefined) {
      return this.current(key) ?? refuse('NoSuchKey', 'The specified key does not exist.', { status: 404, Key: key });
    }
    const found = this.versions(key).find((version) => version.versionId === versionId);
    if (!found)
      return refuse('NoSuchVersion', 'The specified version does not exist.', { status: 404, Key: key, VersionId: versionId });
    if (!found.body) refuse('MethodNotAllowed', 'The specified method is not allowed against this resource.', { status: 405 });
    return found as Living;
  }

  add(version: Version): void {
    const known = this.#versions.get(version.key);
    if (!known) this.#keys.splice(this.#placeOf(version.key), 0, version.key);
    // Without versioning, or while it is suspended, the null version is replaced (S3 guide, "Versioning").
    const kept = version.versionId === 'null' ? (known ?? []).filter(({ versionId }) => versionId !== 'null') : (known ?? []);
    this.#versions.set(version.key, [version, ...kept]);
    this.#hold(version.key, version.appeared.getTime());
  }

  /** Removes a version for good. */
  remove(key: string, versionId: string, at: Date): void {
    const left = this.versions(key).filter((version) => version.versionId !== versionId);
    if (left.length > 0) this.#versions.set(key, left);
    else if (this.#versions.delete(key)) this.#keys.splice(this.#placeOf(key), 1);
    this.#hold(key, at.getTime());
  }

  #placeOf(key: string): number {
    return firstWhere(this.#keys, (known) => compareText(known, key) >= 0);
  }

  #hold(key: string, from: number): void {
    const held = this.#held.get(key) ?? [];
    this.#held.set(key, held);
    held.push({ from, version: this.current(key) });
  }

  /** When what a key holds last changed. */
  changedAt(key: string): number {
    return this.#held.get(key)?.at(-1)?.from ?? Number.NEGATIVE_INFINITY;
  }

  /** What was truly there when everything up to this millisecond had happened, although S3 may know nothing of it any more. */
  asOf(time: number): Map<string, Living> {
    const there = new Map<string, Living>();
    for (const [key, held] of this.#held) {
      const version = held[firstWhere(held, ({ from }) => from > time) - 1]?.version;
      if (version) there.set(key, version);
    }
    return there;
  }

  get empty(): boolean {
    return this.#keys.length === 0;
  }
}

function policyIn(text: string): Document {
  try {
    return documentOf(text, 'resource');
  } catch (error) {
    if (error instanceof Malformed) return refuse('MalformedPolicy', error.message);
    throw error;
  }
}
