import { when } from '../../functions/aws/errors.ts';
import type { Random } from '../../local/world/random.ts';
import type { ShopDoor } from './door.ts';
import type { Store, Transfer } from './stores.ts';

/** A voucher: made by a credit (or given away at the opening), spent by a debit. One JSON object each. */
export interface Voucher {
  readonly cents: number;
  readonly transfer?: string;
  readonly from?: string;
  readonly spent?: { readonly transfer: string; readonly to: string };
}

export const VOUCHERS = 'vouchers/';

/** The bucket of vouchers: made with If-None-Match, spent with If-Match on what was seen. */
export class VoucherStore implements Store {
  readonly name = 'bucket';
  readonly resource: string;
  readonly bucket: string;
  readonly #aws: ShopDoor;
  readonly #open = new Map<string, { readonly voucher: Voucher; readonly etag: string }>();
  readonly #offered = new Map<string, { readonly voucher: Voucher; readonly etag: string }>();

  constructor(options: { resource: string; bucket: string; aws: ShopDoor }) {
    this.resource = options.resource;
    this.bucket = options.bucket;
    this.#aws = options.aws;
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
      const page = await this.#aws.listObjectVersions({ Bucket: this.bucket, Prefix: VOUCHERS, ...next });
      versions += (page.Versions?.length ?? 0) + (page.DeleteMarkers?.length ?? 0);
      next = page.IsTruncated ? { KeyMarker: page.NextKeyMarker!, VersionIdMarker: page.NextVersionIdMarker! } : undefined;
    }
    return `versions ${versions}`;
  }

  /** Writes on a condition; where it fails, the object that is there may be our own, written by a request whose answer was lost. */
  async #put(Key: string, voucher: Voucher, condition: { IfMatch: string } | { IfNoneMatch: string }): Promise<string> {
    const Body = JSON.stringify(voucher);
    const target = { Bucket: this.bucket, Key };
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
