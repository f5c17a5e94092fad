/** The unit in which a disk's bytes are shared between volumes and snapshots. */
export const PAGE = 4096;

/** Bytes by page number. A page that is absent is zeroes; one that is there is never changed, only replaced. */
export type Pages = ReadonlyMap<number, Uint8Array>;

/** Says of a page that a host has not flushed whether it was written back all the same. */
export type WroteBack = (page: number) => boolean;

const ZEROES = new Uint8Array(PAGE);

export function readPages(at: (page: number) => Uint8Array | undefined, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const page = Math.floor((offset + done) / PAGE);
    const within = (offset + done) % PAGE;
    const count = Math.min(PAGE - within, length - done);
    bytes.set((at(page) ?? ZEROES).subarray(within, within + count), done);
    done += count;
  }
  return bytes;
}

/**
 * A volume as the host that it is attached to sees it. What is written stays in the host's cache until it is flushed, or until the host
 * happens to write it back; reads see it, snapshots do not (EBS guide, "Create snapshots": data cached by applications or the operating system
 * is not in a snapshot). When the host is gone, so is its cache, and this disk with it.
 */
export class Disk {
  #size: number;
  #flushed: Map<number, Uint8Array>;
  readonly #cached = new Map<number, Uint8Array>();
  /** Whether somebody else holds `#flushed` too. */
  #shared = true;
  #gone: string | undefined;

  constructor(size: number, pages: Pages = new Map()) {
    this.#size = size;
    this.#flushed = pages as Map<number, Uint8Array>;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  read(offset: number, length: number): Uint8Array {
    this.#within(offset, length);
    return readPages((page) => this.#cached.get(page) ?? this.#flushed.get(page), offset, length);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#within(offset, bytes.length);
    for (let done = 0; done < bytes.length; ) {
      const page = Math.floor((offset + done) / PAGE);
      const within = (offset + done) % PAGE;
      const count = Math.min(PAGE - within, bytes.length - done);
      const fresh = new Uint8Array(this.#cached.get(page) ?? this.#flushed.get(page) ?? ZEROES);
      fresh.set(bytes.subarray(done, done + count), within);
      this.#cached.set(page, fresh);
      done += count;
    }
  }

  flush(): void {
    this.#within(0, 0);
    this.#writeBack(() => true);
  }

  get dirtyPages(): readonly number[] {
    return [...this.#cached.keys()];
  }

  /** What a snapshot holds now: all that was flushed, and of the host's cache whichever pages it happens to have written back. */
  snapshot(wroteBack: WroteBack): Pages {
    this.#writeBack(wroteBack);
    this.#shared = true;
    return this.#flushed;
  }

  grow(size: number): void {
    this.#size = Math.max(this.#size, size);
  }

  /** The host is gone, and with it what it had not written back; answers the disk as the next host finds it. */
  leave(why: string, wroteBack: WroteBack): Disk {
    const left = new Disk(this.#size, this.snapshot(wroteBack));
    this.#cached.clear();
    this.#gone = why;
    return left;
  }

  #writeBack(chosen: WroteBack): void {
    for (const [page, bytes] of this.#cached) {
      if (!chosen(page)) continue;
      this.#own();
      this.#flushed.set(page, bytes);
      this.#cached.delete(page);
    }
  }

  /** Pages that a snapshot holds are not ours to change. */
  #own(): void {
    if (!this.#shared) return;
    this.#flushed = new Map(this.#flushed);
    this.#shared = false;
  }

  #within(offset: number, length: number): void {
    if (this.#gone) throw new Error(`Input/output error: ${this.#gone}`);
    if (offset < 0 || length < 0 || offset + length > this.#size)
      throw new RangeError(`${length} bytes at ${offset} do not lie on a disk of ${this.#size} bytes.`);
  }
}
