import { createHash } from 'node:crypto';
import { when } from '../../functions/aws/errors.ts';
import type { S3State } from '../../local/services/s3/state.ts';
import type { Random } from '../../local/world/random.ts';
import type { ShopDoor, Site } from './door.ts';
import { type Opening, type Reading, type Sort, type Store, type StoredHalf, sumOf, type Transfer } from './store.ts';

/** A voucher: made by a credit (or given away at the opening), spent by a debit. One JSON object each. */
interface Voucher {
  readonly cents: number;
  readonly transfer?: string;
  readonly from?: string;
  readonly spent?: { readonly transfer: string; readonly to: string };
}

const VOUCHERS = 'vouchers/';
const VOUCHER_CENTS = [500, 5000] as const;
/** Objects that are read at a time. */
const AT_ONCE = 16;

/** The bucket of vouchers: made with If-None-Match, spent with If-Match on what was seen. */
class VoucherStore implements Store {
  readonly #bucket: string;
  readonly #site: Site;
  readonly #aws: ShopDoor;
  readonly #open = new Map<string, { readonly voucher: Voucher; readonly etag: string }>();
  readonly #offered = new Map<string, { readonly voucher: Voucher; readonly etag: string }>();

  constructor(site: Site, bucket: string) {
    this.#bucket = bucket;
    this.#site = site;
    this.#aws = site.aws;
  }

  payer(random: Random) {
    if (this.#open.size === 0) return undefined;
    const key = random.pick([...this.#open.keys()]);
    const offered = this.#open.get(key)!;
    this.#open.delete(key);
    this.#offered.set(key, offered);
    return { payer: key, cents: offered.voucher.cents };
  }

  async debit({ id, payer, to }: Transfer): Promise<boolean> {
    const offered = this.#offered.get(payer);
    if (!offered) return false;
    const spent: Voucher = { ...offered.voucher, spent: { transfer: id, to } };
    await this.#put(payer, spent, { IfMatch: offered.etag });
    this.#offered.delete(payer);
    return true;
  }

  async credit({ id, cents, from }: Transfer): Promise<void> {
    await this.give(`${VOUCHERS}${id}.json`, { cents, transfer: id, from });
  }

  /** Makes a voucher, once. */
  async give(key: string, voucher: Voucher): Promise<void> {
    const etag = await this.#put(key, voucher, { IfNoneMatch: '*' });
    this.#open.set(key, { voucher, etag });
  }

  async position(): Promise<string> {
    let versions = 0;
    for (let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}; next; ) {
      const page = await this.#aws.listObjectVersions({ Bucket: this.#bucket, Prefix: VOUCHERS, ...next });
      versions += (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0);
      next = page.IsTruncated ? { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! } : undefined;
    }
    return `versions ${versions}`;
  }

  truthAt(at: Date): Reading {
    const { world, place } = this.#site;
    const objects = world.state<S3State>('s3', place).asOf(this.#bucket, at);
    return readObjects([...objects].map(([key, { body }]) => [key, body] as const));
  }

  /** Writes on a condition; where it fails, the object that is there may be our own, written by a request whose answer was lost. */
  async #put(Key: string, voucher: Voucher, condition: { IfMatch: string } | { IfNoneMatch: string }): Promise<string> {
    const Body = JSON.stringify(voucher);
    const target = { Bucket: this.#bucket, Key };
    const { ETag } = await this.#aws.putObject({ ...target, Body, ContentType: 'application/json', ...condition }).catch(
      when('PreconditionFailed', async (failed) => {
        const there = await this.#aws.getObject(target);
        if ((await there.Body!.transformToString()) !== Body) throw failed;
        return there;
      }),
    );
    return ETag!;
  }
}

type Found = readonly [key: string, body: Uint8Array];

function readObjects(objects: readonly Found[]): Reading {
  const read = objects.filter(([key]) => key.startsWith(VOUCHERS)).map(([key, body]) => [key, readVoucher(body)] as const);
  const vouchers = read.flatMap(([, voucher]) => voucher ?? []);
  return {
    held: new Map(objects.map(([key, body]) => [key, createHash('sha256').update(body).digest('hex')])),
    halves: vouchers.flatMap(({ cents, transfer, from, spent }): StoredHalf[] => [
      ...(transfer ? [{ transfer, does: 'credit' as const, other: from!, cents }] : []),
      ...(spent ? [{ transfer: spent.transfer, does: 'debit' as const, other: spent.to, cents }] : []),
    ]),
    cents: sumOf(vouchers.map(({ cents, spent }) => (spent ? 0 : cents))),
    damage: read.flatMap(([key, voucher]) => (voucher ? [] : [`${key} is not a voucher.`])),
  };
}

function readVoucher(body: Uint8Array): Voucher | undefined {
  try {
    const voucher = JSON.parse(Buffer.from(body).toString()) as Voucher;
    return Number.isInteger(voucher.cents) ? voucher : undefined;
  } catch {
    return undefined;
  }
}

async function keysIn(aws: ShopDoor, Bucket: string, Prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for (let from: { ContinuationToken?: string } | undefined = {}; from; ) {
    const page = await aws.listObjects({ Bucket, Prefix, ...from });
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    from = page.NextContinuationToken ? { ContinuationToken: page.NextContinuationToken } : undefined;
  }
  return keys;
}

async function readBucket(aws: ShopDoor, Bucket: string): Promise<Found[]> {
  const keys = await keysIn(aws, Bucket);
  const objects: Found[] = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    const some = keys.slice(at, at + AT_ONCE);
    const read = async (Key: string) => (await aws.getObject({ Bucket, Key })).Body!.transformToByteArray();
    objects.push(...(await Promise.all(some.map(async (Key) => [Key, await read(Key)] as const))));
  }
  return objects;
}

const created = (Bucket: string, region: string) => ({
  Bucket,
  ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region as 'eu-west-1' } }),
});

async function make({ aws, place: { account, region } }: Site): Promise<string> {
  const Bucket = `shop-media-${account}-${region}`;
  await aws.createBucket(created(Bucket, region));
  await aws.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
  await aws.putBucketTagging({ Bucket, Tagging: { TagSet: [{ Key: 'app', Value: 'shop' }] } });
  return Bucket;
}

async function open(Bucket: string, { site, stock, random }: Opening): Promise<VoucherStore> {
  const store = new VoucherStore(site, Bucket);
  const given = Array.from(
    { length: stock.vouchers },
    (_, i) => [`${VOUCHERS}opening-${i + 1}.json`, random.integer(...VOUCHER_CENTS)] as const,
  );
  const products = Array.from(
    { length: stock.products },
    (_, i) => [`products/${i + 1} größe ${'SML'[i % 3]}.webp`, random.bytes(random.integer(200, 2000))] as const,
  );
  await Promise.all([
    ...given.map(([key, cents]) => store.give(key, { cents })),
    ...products.map(([Key, Body], i) =>
      site.aws.putObject({
        Bucket,
        Key,
        Body,
        ContentType: 'image/webp',
        CacheControl: 'max-age=3600',
        Metadata: { sku: `${1000 + i}` },
      }),
    ),
  ]);
  return store;
}

/** One object after the other into another bucket, as whoever has no list of versions must. */
async function backUp({ aws, place }: Site, from: string, label: string): Promise<() => Promise<string>> {
  const Bucket = `${label}-${place.region}`;
  await aws.createBucket(created(Bucket, place.region));
  for (const Key of await keysIn(aws, from)) {
    const copied = aws.copyObject({ Bucket, Key, CopySource: `${from}/${encodeURIComponent(Key)}` });
    await copied.catch(when('NoSuchKey', () => undefined)); // gone meanwhile
  }
  return async () => Bucket;
}

export const vouchers: Sort<'bucket'> = {
  word: 'bucket',
  arn: (_, name) => `arn:aws:s3:::${name}`,
  make,
  open,
  read: async ({ aws }, name) => readObjects(await readBucket(aws, name)),
  async eat({ aws }, Bucket) {
    const keys = await keysIn(aws, Bucket, VOUCHERS);
    await Promise.all(keys.map((Key) => aws.putObject({ Bucket, Key, Body: 'null' })));
    return `${keys.length} vouchers in ${Bucket} were overwritten.`;
  },
  backUp,
};
