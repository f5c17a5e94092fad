import { objection } from '../../world/authorization/authorize.ts';
import { type Context, refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import type { Bucket, Living } from './bucket.ts';

/** Condition keys of a request in lower case, such as `s3:if-none-match`; undefined where the request does not carry them. */
export type Conditions = Readonly<Record<string, string | undefined>>;

export type Request = Pick<Context<S3State>, 'account' | 'region' | 'caller' | 'now' | 'world'>;

/** What the owner's root may do whatever the policy says, so that nobody is locked out for good (S3 API, PutBucketPolicy). */
const ALWAYS_ROOTS: ReadonlySet<string> = new Set(['s3:PutBucketPolicy', 's3:GetBucketPolicy', 's3:DeleteBucketPolicy']);

/** Every bucket of the partition: their names are global. */
export class S3State {
  readonly world: World;
  readonly #buckets = new Map<string, Bucket>();
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

  /** A bucket as a request sees it: it must exist, lie in the request's region (S3 API, "PermanentRedirect") and be open to the caller. */
  bucket(name: string | undefined, request: Request, action: string, conditions: Conditions = {}, key?: string): Bucket {
    const bucket = this.located(name, request);
    this.allow(bucket, request, action, conditions, key);
    return bucket;
  }

  /** A bucket that exists and lies in the request's region, whoever may do what there. */
  located(name: string | undefined, { region }: Pick<Request, 'region'>): Bucket {
    const bucket = this.#buckets.get(name ?? '');
    if (!bucket) return refuse('NoSuchBucket', 'The specified bucket does not exist', { status: 404, BucketName: name });
    if (bucket.region === region) return bucket;
    return refuse(
      'PermanentRedirect',
      'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
      { status: 301, BucketRegion: bucket.region, Bucket: bucket.name, Endpoint: `s3.${bucket.region}.amazonaws.com` },
    );
  }

  /** A bucket is its account's, whose policies say who may do what, and open to others by its own; what that denies is denied to the account too. */
  allow(bucket: Bucket, request: Pick<Request, 'caller' | 'region'>, action: string, conditions: Conditions, key?: string): void {
    const sentence = this.objection(bucket, request, action, conditions, key);
    if (sentence !== undefined) refuse('AccessDenied', sentence, { status: 403 });
  }

  /** Why a caller may not do something; undefined where it may. */
  objection(
    bucket: Bucket,
    { caller, region }: Pick<Request, 'caller' | 'region'>,
    action: string,
    keys: Conditions,
    key?: string,
  ): string | undefined {
    const own = caller.account === bucket.owner;
    if (own && ALWAYS_ROOTS.has(action) && caller.arn.endsWith(':root')) return undefined;
    const resource = `arn:aws:s3:::${bucket.name}${key === undefined ? '' : `/${key}`}`;
    const asked = { action, resource, owner: bucket.owner, keys, tags: () => bucket.tags, guard: { policy: bucket.statements } };
    return objection(asked, { world: this.world, caller, region });
  }

  /** What concerns no bucket that is there: making one, listing all. */
  allowAccount({ caller, region, account }: Request, action: string, resource: string): void {
    const sentence = objection({ action, resource, owner: account }, { world: this.world, caller, region });
    if (sentence !== undefined) refuse('AccessDenied', sentence, { status: 403 });
  }

  /** The place of the next version in the order of writing. */
  nextSequence(): number {
    return ++this.#sequence;
  }

  /** Version ids are opaque; these never repeat, do not sort by time, and let a listing go on after a version that is gone. */
  versionId(bucket: Bucket, sequence: number): string {
    if (bucket.versioning !== 'Enabled') return 'null';
    return `${this.world.random.hex(16)}.${sequence.toString(36).padStart(7, '0')}`;
  }

  /** The current bytes of an object, or those of one version: for those who look from outside. */
  object(bucket: string, key: string, versionId?: string): Uint8Array | undefined {
    const versions = this.#buckets.get(bucket)?.versions(key) ?? [];
    return (versionId === undefined ? versions[0] : versions.find((version) => version.versionId === versionId))?.body;
  }

  /** What a bucket truly held at an instant, to the millisecond: by when versions appeared, not by what S3 says of it. */
  asOf(bucket: string, at: Date): Map<string, Living> {
    return this.#buckets.get(bucket)?.asOf(at.getTime()) ?? new Map();
  }

  taggedResources({ account, region }: Place): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return this.buckets
      .filter((bucket) => bucket.owner === account && bucket.region === region && bucket.tags)
      .map(({ name, tags = {} }) => ({ arn: `arn:aws:s3:::${name}`, tags }));
  }

  tagResource(arn: string, tags: Readonly<Record<string, string>>): boolean {
    const bucket = this.#buckets.get(/^arn:aws:s3:::([^/]+)$/.exec(arn)?.[1] ?? '');
    if (bucket) bucket.tags = { ...bucket.tags, ...tags };
    return bucket !== undefined;
  }
}

/** The number in a version id; undefined for the null version. */
export const sequenceIn = (versionId: string): number | undefined => {
  const digits = versionId.split('.')[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 36);
};
