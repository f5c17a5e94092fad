import { type JsonObject, plain, write } from './json.ts';

/** One version of an object. What it looks like is worked out when somebody looks. */
export class Stored {
  readonly object: JsonObject;
  readonly revision: number;
  #view: any;
  #text: string | undefined;
  #untyped: string | undefined;

  constructor(object: JsonObject, revision: number) {
    this.object = object;
    this.revision = revision;
  }

  /** For reading; nobody writes to it. */
  get view(): any {
    this.#view ??= plain(this.object);
    return this.#view;
  }

  get text(): string {
    this.#text ??= write(this.object);
    return this.#text;
  }

  /** Without `apiVersion` and `kind`, as an item of a list that says it for all. */
  get untyped(): string {
    this.#untyped ??= write(new Map([...this.object].filter(([name]) => name !== 'apiVersion' && name !== 'kind')));
    return this.#untyped;
  }
}

/** An object, or that there was none from a revision on. */
interface Version {
  readonly revision: number;
  readonly stored: Stored | undefined;
}

/** All objects of a type by `namespace/name`, or by name; each by its versions, oldest first. */
class Shelf {
  readonly versions = new Map<string, Version[]>();
  #sorted: readonly string[] | undefined;

  add(key: string, version: Version): void {
    const known = this.versions.get(key);
    if (known) known.push(version);
    else {
      this.versions.set(key, [version]);
      this.#sorted = undefined;
    }
  }

  drop(key: string): void {
    this.versions.delete(key);
    this.#sorted = undefined;
  }

  keysFrom(start: string): readonly string[] {
    this.#sorted ??= [...this.versions.keys()].sort();
    let low = 0;
    for (let high = this.#sorted.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? this.#sorted : this.#sorted.slice(low);
  }
}

const COMPACTION_MILLIS = 300_000;

/** A revision that is asked for and cannot be had. */
export class RevisionGone extends Error {
  override readonly name = 'RevisionGone';
}
export class RevisionToCome extends Error {
  override readonly name = 'RevisionToCome';
}

/**
 * Where a cluster keeps its objects, as etcd does: one revision counts every write of every type, and what was can be read at its revision
 * until it is compacted. An API server compacts every five minutes to where the revision stood five minutes before (kube-apiserver,
 * `--etcd-compaction-interval`), so a revision is kept for five to ten.
 */
export class Store {
  #revision = 0;
  #compacted = 0;
  readonly #shelves = new Map<string, Shelf>();
  readonly #now: () => number;
  readonly #interval: number;
  #next: { readonly at: number; readonly to: number };

  constructor(now: () => number, interval = COMPACTION_MILLIS) {
    this.#now = now;
    this.#interval = interval;
    this.#next = { at: now() + interval, to: 0 };
  }

  /** The newest revision. */
  get revision(): number {
    return this.#revision;
  }

  get(type: string, key: string): Stored | undefined {
    return this.#shelves.get(type)?.versions.get(key)?.at(-1)?.stored;
  }

  /** Writes what `make` makes of the new revision. */
  put(type: string, key: string, make: (revision: number) => JsonObject): Stored {
    this.compact();
    const stored = new Stored(make(this.#revision + 1), ++this.#revision);
    this.#shelf(type).add(key, { revision: this.#revision, stored });
    return stored;
  }

  /** Keeps an object under a revision that it already had; the store goes on from the highest. */
  seed(type: string, key: string, object: JsonObject, revision: number): Stored {
    this.#revision = Math.max(this.#revision, revision);
    const stored = new Stored(object, revision);
    this.#shelf(type).add(key, { revision, stored });
    return stored;
  }

  remove(type: string, key: string): void {
    this.compact();
    this.#shelf(type).add(key, { revision: ++this.#revision, stored: undefined });
  }

  /** The objects whose key begins with `prefix`, in the order of their keys, from `start` on, as they were at a revision. */
  *range(type: string, where: { prefix?: string; start?: string; revision?: number } = {}): Generator<readonly [string, Stored]> {
    this.compact();
    const { prefix = '', revision = this.#revision } = where;
    if (revision > this.#revision) throw new RevisionToCome();
    if (revision < this.#compacted) throw new RevisionGone();
    const shelf = this.#shelves.get(type);
    for (const key of shelf?.keysFrom(where.start ?? prefix) ?? []) {
      if (!key.startsWith(prefix)) return;
      const stored = shelf!.versions.get(key)?.findLast((version) => version.revision <= revision)?.stored;
      if (stored) yield [key, stored];
    }
  }

  /** Forgets what nobody can ask for any more. Time has passed when somebody looks, so no event of the clock is spent on it. */
  compact(): void {
    while (this.#now() >= this.#next.at) {
      this.#forget(this.#next.to);
      const idle = Math.floor((this.#now() - this.#next.at) / this.#interval);
      this.#next = { at: this.#next.at + (idle + 1) * this.#interval, to: this.#revision };
      if (idle > 0) this.#forget(this.#revision);
    }
  }

  #forget(upTo: number): void {
    if (upTo <= this.#compacted) return;
    this.#compacted = upTo;
    for (const shelf of this.#shelves.values()) {
      for (const [key, versions] of shelf.versions) {
        const last = versions.findLastIndex(({ revision }) => revision <= upTo);
        const kept = versions.slice(Math.max(last, 0));
        if (kept.length === 1 && !kept[0]!.stored) shelf.drop(key);
        else if (kept.length < versions.length) shelf.versions.set(key, kept);
      }
    }
  }

  #shelf(type: string): Shelf {
    const known = this.#shelves.get(type);
    if (known) return known;
    const shelf = new Shelf();
    this.#shelves.set(type, shelf);
    return shelf;
  }
}
