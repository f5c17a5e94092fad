import type { StateContext } from '../../world/service.ts';
import { type Context, refuse } from '../../world/service.ts';
import type { World } from '../../world/world.ts';
import type { Bucket, Version } from './bucket.ts';
import type { KmsKeys } from './encryption.ts';
import { allowed } from './policy.ts';

export type Request = Pick<Context<S3State>, 'account' | 'region' | 'caller' | 'now' | 'world' | 'peer' | 'requestId'>;

/** Every bucket of the partition: their names are global. */
export class S3State {
  readonly #buckets = new Map<string, Bucket>();
  readonly world: World;
  #sequence = 0;

  constructor({ world }: StateContext) {
    this.world = world;
  }

  get buckets(): readonly Bucket[] {
    return [...this.#buckets.values()];
  }

  create(bucket: Bucket): void {
    this.#buckets.set(bucket.name, bucket);
  }

  delete(name: string): void {
    this.#buckets.delete(name);
  }

  peek(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /**
   * A bucket as a request sees it: it must exist, lie in the request's region (S3 API, "PermanentRedirect") and be the caller's own or open
   * to it by policy; what the policy denies is denied to the owner too.
   */
  bucket(
    name: string | undefined,
    request: Request,
    action: string,
    conditions: Readonly<Record<string, string | undefined>> = {},
    key?: string,
  ): Bucket {
    const bucket = this.#buckets.get(name ?? '');
    if (!bucket) return refuse('NoSuchBucket', 'The specified bucket does not exist', { status: 404, BucketName: name });
    if (bucket.region !== request.region) {
      refuse(
        'PermanentRedirect',
        `The bucket you are attempting to access must be addressed using the specified endpoint of ${bucket.region}.`,
        {
          status: 301,
          BucketRegion: bucket.region,
          Endpoint: `s3.${bucket.region}.amazonaws.com`,
        },
      );
    }
    this.allow(bucket, request, action, conditions, key);
    return bucket;
  }

  allow(
    bucket: Bucket,
    { caller }: Pick<Request, 'caller'>,
    action: string,
    conditions: Readonly<Record<string, string | undefined>>,
    key?: string,
  ): void {
    const resource = `arn:aws:s3:::${bucket.name}${key === undefined ? '' : `/${key}`}`;
    const verdict = allowed(bucket.policy, { action, resource, caller, conditions });
    if (verdict === 'deny' || (verdict === undefined && caller.account !== bucket.owner)) {
      refuse('AccessDenied', `User: ${caller.arn} is not authorized to perform: ${action} on resource: "${resource}"`, {
        status: 403,
      });
    }
  }

  /** Version ids are opaque; these never repeat and do not sort by time. */
  versionId(bucket: Bucket): string {
    if (bucket.versioning !== 'Enabled') return 'null';
    return `${this.world.random.hex(12)}.${(++this.#sequence).toString(36).padStart(6, '0')}`;
  }

  /** The current bytes of an object, or those of one version: for those who look from outside. */
  object(bucket: string, key: string, versionId?: string): Uint8Array | undefined {
    const versions = this.#buckets.get(bucket)?.versions(key) ?? [];
    return (versionId === undefined ? versions[0] : versions.find((version) => version.versionId === versionId))?.body;
  }

  /** What a bucket truly held at an instant, to the millisecond: by when versions appeared, not by what S3 says of it. */
  asOf(bucket: string, at: Date): Map<string, Version & { body: Uint8Array }> {
    const held = new Map<string, Version & { body: Uint8Array }>();
    const found = this.#buckets.get(bucket);
    for (const key of found?.keys ?? []) {
      const version = found!.versions(key).find(({ appeared }) => appeared <= at);
      if (version?.body) held.set(key, version as Version & { body: Uint8Array });
    }
    return held;
  }

  taggedResources({
    account,
    region,
  }: {
    account: string;
    region: string;
  }): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return this.buckets
      .filter((bucket) => bucket.owner === account && bucket.region === region && bucket.tags)
      .map(({ name, tags = {} }) => ({ arn: `arn:aws:s3:::${name}`, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const bucket = this.#buckets.get(/^arn:aws:s3:::([^/]+)$/.exec(arn)?.[1] ?? '');
    if (bucket) bucket.tags = { ...bucket.tags, ...tags };
    return bucket !== undefined;
  }

  /** The keys of a region that objects may be encrypted under; absent where the local AWS has no KMS. */
  keys({ world, account, region }: Request): KmsKeys | undefined {
    return world.services.has('kms') ? world.state<KmsKeys>('kms', { account, region }) : undefined;
  }
}
