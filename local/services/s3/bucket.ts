import { createHash } from 'node:crypto';
import type * as SDK from '@aws-sdk/client-s3';
import { refuse } from '../../world/service.ts';

/** One version of a key, or the mark of its deletion. Bytes are shared between copies and never changed. */
export interface Version {
  readonly key: string;
  readonly versionId: string;
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

export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly request: SDK.CreateMultipartUploadRequest;
  readonly parts: Map<number, { readonly body: Uint8Array; readonly etag: string; readonly modified: Date }>;
}

export class Bucket {
  readonly name: string;
  readonly owner: string;
  readonly region: string;
  readonly createdAt: Date;
  versioning: 'Enabled' | 'Suspended' | undefined;
  readonly lockable: boolean;
  defaultRetention: SDK.DefaultRetention | undefined;
  tags: Readonly<Record<string, string>> | undefined;
  policy: string | undefined;
  /** Settings that are kept and given back as they were put. */
  readonly settings = new Map<string, object>();
  readonly uploads = new Map<string, Upload>();
  /** Newest first, by key. */
  readonly #versions = new Map<string, Version[]>();
  #sorted: string[] | undefined;

  constructor({
    name,
    owner,
    region,
    createdAt,
    lockable,
  }: Pick<Bucket, 'name' | 'owner' | 'region' | 'createdAt' | 'lockable'>) {
    this.name = name;
    this.owner = owner;
    this.region = region;
    this.createdAt = createdAt;
    this.lockable = lockable;
    this.versioning = lockable ? 'Enabled' : undefined;
  }

  /** Keys in UTF-8 binary order, as every listing has them. */
  get keys(): readonly string[] {
    this.#sorted ??= [...this.#versions.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return this.#sorted;
  }

  versions(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  current(key: string): Version | undefined {
    const newest = this.versions(key)[0];
    return newest?.body ? newest : undefined;
  }

  /** A version by its id, or the newest; the errors of GetObject where there is none. */
  find(key: string, versionId: string | undefined): Version & { body: Uint8Array } {
    if (versionId === undefined) {
      const current = this.current(key);
      if (!current) refuse('NoSuchKey', 'The specified key does not exist.', { status: 404, Key: key });
      return current as Version & { body: Uint8Array };
    }
    const found = this.versions(key).find((version) => version.versionId === versionId);
    if (!found) refuse('NoSuchVersion', 'The specified version does not exist.', { status: 404, Key: key, VersionId: versionId });
    if (!found.body) refuse('MethodNotAllowed', 'The specified method is not allowed against this resource.', { status: 405 });
    return found as Version & { body: Uint8Array };
  }

  add(version: Version): void {
    const known = this.#versions.get(version.key);
    if (!known) {
      this.#versions.set(version.key, [version]);
      this.#sorted = undefined;
      return;
    }
    // Without versioning (or while it is suspended) the null version is replaced.
    const kept = version.versionId === 'null' ? known.filter(({ versionId }) => versionId !== 'null') : known;
    this.#versions.set(version.key, [version, ...kept]);
  }

  remove(key: string, versionId: string): void {
    const left = this.versions(key).filter((version) => version.versionId !== versionId);
    if (left.length > 0) this.#versions.set(key, left);
    else {
      this.#versions.delete(key);
      this.#sorted = undefined;
    }
  }

  get empty(): boolean {
    return this.#versions.size === 0;
  }
}

export const md5 = (body: Uint8Array): string => createHash('md5').update(body).digest('hex');

/** Whether a version may be deleted now; Object Lock protects versions, never keys (S3 guide, "Object Lock"). */
export function refuseLocked({ retention, legalHold }: Version, now: Date, bypass: boolean): void {
  const held = retention && retention.RetainUntilDate > now && !(retention.Mode === 'GOVERNANCE' && bypass);
  if (held || legalHold === 'ON')
    refuse('AccessDenied', 'Access Denied because object protected by object lock.', { status: 403 });
}
