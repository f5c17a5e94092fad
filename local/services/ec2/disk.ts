/** The unit in which a disk's bytes are shared between volumes and snapshots. */
export const PAGE = 4096;

/** Bytes by page number. A page that is absent is zeroes; one that is there is never changed, only replaced. */
export type Pages = ReadonlyMap<number, Uint8Array>;

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
 * A volume as the host that it is attached to sees it. What is written stays in the host's cache until it is flushed; reads see it, snapshots
 * do not (EBS guide, "Create snapshots": a snapshot captures only data that has been written to the volume when the command is issued).
 */
export class Disk {
  readonly size: number;
  #flushed: Map<number, Uint8Array>;
  readonly #cached = new Map<number, Uint8Array>();
  #shared = false;

  constructor(size: number, pages: Pages = new Map()) {
    this.size = size;
    this.#flushed = pages as Map<number, Uint8Array>;
    this.#shared = true;
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
    if (this.#cached.size === 0) return;
    this.#own();
    for (const [page, bytes] of this.#cached) this.#flushed.set(page, bytes);
    this.#cached.clear();
  }

  get dirtyPages(): readonly number[] {
    return [...this.#cached.keys()];
  }

  /** What a snapshot holds now: all that was flushed, and of the host's cache whichever pages it happened to have written back. */
  snapshot(wroteBack: (page: number) => boolean): Pages {
    const lucky = [...this.#cached].filter(([page]) => wroteBack(page));
    if (lucky.length > 0) return new Map([...this.#flushed, ...lucky]);
    this.#shared = true;
    return this.#flushed;
  }

  /** Pages that a snapshot holds are not ours to change. */
  #own(): void {
    if (!this.#shared) return;
    this.#flushed = new Map(this.#flushed);
    this.#shared = false;
  }

  #within(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.size) throw new RangeError(`${length} bytes at ${offset} do not lie on a disk of ${this.size} bytes.`);
  }
}
