/** What a file was from `at` on; without bytes it was not there. */
interface Version {
  readonly at: number;
  readonly bytes: Uint8Array | undefined;
}

/**
 * The files of a file system, with all that each ever was: hosts write and read them over NFS, for which AWS has no API. Writes are durable
 * when they are acknowledged and every host sees them at once (EFS guide, "Data consistency"). Paths begin with a slash.
 */
export class Tree {
  readonly #files = new Map<string, Version[]>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  write(path: string, bytes: Uint8Array | string): void {
    this.#put(path, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : new Uint8Array(bytes));
  }

  remove(path: string): void {
    if (this.read(path)) this.#put(path, undefined);
  }

  /** A file's bytes as they are, or as they were at a time; undefined where there is, or was, no such file. */
  read(path: string, at = this.#now()): Uint8Array | undefined {
    const bytes = this.#bytesOf(absolute(path), at);
    return bytes && new Uint8Array(bytes);
  }

  #bytesOf(name: string, at: number): Uint8Array | undefined {
    return this.#files.get(name)?.findLast((version) => version.at <= at)?.bytes;
  }

  /** The paths of all files that are there, or were at a time, in order. */
  list(at = this.#now()): string[] {
    return [...this.#files.keys()].filter((name) => this.#bytesOf(name, at) !== undefined).sort();
  }

  /** What one reads who walks the tree: each file as it was at an instant of its own. What was moved meanwhile may be found twice, or not at all. */
  walk(instantOf: () => number): Map<string, Uint8Array> {
    return new Map(
      [...this.#files.keys()].flatMap((path) => {
        const bytes = this.read(path, instantOf());
        return bytes ? [[path, bytes] as const] : [];
      }),
    );
  }

  get bytes(): number {
    const now = this.#now();
    return [...this.#files.keys()].reduce((sum, name) => sum + (this.#bytesOf(name, now)?.length ?? 0), 0);
  }

  #put(path: string, bytes: Uint8Array | undefined): void {
    const name = absolute(path);
    const versions = this.#files.get(name);
    const version = { at: this.#now(), bytes };
    if (versions) versions.push(version);
    else this.#files.set(name, [version]);
  }
}

/** `/a/b`, from `a//b/`; what leads out of the file system, or names no file, is refused. */
function absolute(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.length === 0 || parts.includes('..')) throw new RangeError(`"${path}" names no file of a file system.`);
  return `/${parts.join('/')}`;
}
