import { crc32 } from 'node:zlib';

/** A block device as a process on the instance sees it: what is written is read back at once, and is on the volume once it was flushed. */
export interface Disk {
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  flush(): void;
}

/** One entry of the journal. Amounts are in cents. `transfer` names the transfer; `other` the store on its far side. */
export type Entry =
  | { readonly does: 'open'; readonly account: string; readonly cents: number }
  | {
      readonly does: 'debit' | 'credit';
      readonly account: string;
      readonly cents: number;
      readonly transfer: string;
      readonly other: string;
    };

/** Who asked the application to hold still. */
export interface Frozen {
  readonly cut: string;
  readonly restorePoint: string;
}

/** What a disk was found to hold. */
export interface Found {
  readonly entries: readonly Entry[];
  readonly frozen?: Frozen;
  /** What cannot be read though something was written after it. A torn last record is none: it was never acknowledged. */
  readonly damage: readonly string[];
}

const PAGE = 4096;
const HEADER_MAGIC = 'SHOPDB01';
const RECORD_MAGIC = 0x4a524e4c; // "JRNL"
const RECORD_HEAD = 16; // magic, sequence, length, checksum
const ALIGN = 16;
const CHUNK = 16 * PAGE;

/**
 * The shop's own little database: an append-only journal of accounts and transfers on a disk. Every record bears its sequence and a
 * checksum, so a torn write at the end is told from damage in the middle. A page of the header says whether the shop was frozen when it was
 * last touched: a copy of the disk wakes up as the original was.
 */
export class Database {
  readonly #disk: Disk;
  readonly #balances = new Map<string, number>();
  readonly #transfers = new Set<string>();
  #sequence = 0;
  #end = PAGE;

  private constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Writes an empty database. */
  static format(disk: Disk): Database {
    writeHeader(disk, undefined);
    disk.flush();
    return new Database(disk);
  }

  /** Opens what is on a disk, replaying its journal, or says why it cannot be gone on with. */
  static open(disk: Disk): Database {
    const { entries, damage } = inspect(disk);
    if (damage.length > 0) throw new Error(`The database cannot be opened: ${damage.join(' ')}`);
    const database = new Database(disk);
    for (const entry of entries) database.#apply(entry);
    return database;
  }

  /** Where the journal ends: grows with every entry, flushed or not. */
  get position(): string {
    return `${this.#sequence}@${this.#end}`;
  }

  get accounts(): readonly string[] {
    return [...this.#balances.keys()];
  }

  balance(account: string): number {
    return this.#balances.get(account) ?? 0;
  }

  has(transfer: string): boolean {
    return this.#transfers.has(transfer);
  }

  /** Appends an entry to the journal. It is safe only once `flush` was called. */
  append(entry: Entry): void {
    const record = encode(this.#sequence + 1, entry);
    this.#disk.write(this.#end, record);
    this.#apply(entry);
  }

  flush(): void {
    this.#disk.flush();
  }

  /** Says on the disk that the shop holds still, or that it is awake. It is safe only once `flush` was called. */
  mark(frozen: Frozen | undefined): void {
    writeHeader(this.#disk, frozen);
  }

  #apply(entry: Entry): void {
    this.#sequence++;
    this.#end += sizeOf(entry);
    this.#balances.set(entry.account, balanceAfter(this.#balances.get(entry.account) ?? 0, entry));
    if (entry.does !== 'open') this.#transfers.add(entry.transfer);
  }
}

export const balanceAfter = (before: number, { does, cents }: Entry): number =>
  does === 'debit' ? before - cents : before + cents;

/** Reads a disk without changing it: the journal as far as it can be read, whether it sleeps, and what is damaged. */
export function inspect(disk: Pick<Disk, 'read'>): Found {
  const header = readHeader(disk);
  if (typeof header === 'string') return { entries: [], damage: [header] };
  const entries: Entry[] = [];
  const damage: string[] = [];
  const journal = readJournal(disk);
  for (let at = 0; at < journal.length; ) {
    const entry = decode(journal, at, entries.length + 1);
    if (entry) {
      entries.push(entry);
      at += sizeOf(entry);
      continue;
    }
    const next = nextRecord(journal, at, entries.length + 1);
    if (next !== undefined) damage.push(`The journal cannot be read from byte ${PAGE + at} to ${PAGE + next}.`);
    break;
  }
  return { entries, damage, ...(header ? { frozen: header } : {}) };
}

/** Marks a disk as frozen, or as awake; what else it holds is left alone. It is safe only once the disk was flushed. */
export function writeHeader(disk: Disk, frozen: Frozen | undefined): void {
  const page = Buffer.alloc(PAGE);
  const body = Buffer.from(JSON.stringify({ frozen: frozen ?? null }));
  page.write(HEADER_MAGIC, 0, 'latin1');
  page.writeUInt32BE(body.length, 8);
  page.writeUInt32BE(crc32(body), 12);
  body.copy(page, 16);
  disk.write(0, page);
}

/** Who froze it, undefined where it is awake, or a sentence where the page is not a header. */
function readHeader(disk: Pick<Disk, 'read'>): Frozen | undefined | string {
  const page = Buffer.from(disk.read(0, PAGE));
  if (page.toString('latin1', 0, 8) !== HEADER_MAGIC) return 'The disk holds no database of the shop.';
  const body = page.subarray(16, 16 + Math.min(page.readUInt32BE(8), PAGE - 16));
  if (crc32(body) !== page.readUInt32BE(12)) return 'The header of the database is damaged.';
  return (JSON.parse(body.toString()) as { frozen: Frozen | null }).frozen ?? undefined;
}

/** All that was ever written to the journal: up to the first stretch that holds nothing but zeros. */
function readJournal(disk: Pick<Disk, 'read'>): Buffer {
  const chunks: Uint8Array[] = [];
  for (let offset = PAGE; ; offset += CHUNK) {
    const chunk = disk.read(offset, CHUNK);
    if (chunk.length === 0 || chunk.every((byte) => byte === 0)) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function encode(sequence: number, entry: Entry): Buffer {
  const body = Buffer.from(JSON.stringify(entry));
  const record = Buffer.alloc(aligned(RECORD_HEAD + body.length));
  record.writeUInt32BE(RECORD_MAGIC, 0);
  record.writeUInt32BE(sequence, 4);
  record.writeUInt32BE(body.length, 8);
  body.copy(record, RECORD_HEAD);
  record.writeUInt32BE(checksum(record, body.length), 12);
  return record;
}

function decode(journal: Buffer, at: number, sequence: number): Entry | undefined {
  if (at + RECORD_HEAD > journal.length || journal.readUInt32BE(at) !== RECORD_MAGIC) return undefined;
  const length = journal.readUInt32BE(at + 8);
  if (journal.readUInt32BE(at + 4) !== sequence || at + RECORD_HEAD + length > journal.length) return undefined;
  const record = journal.subarray(at, at + RECORD_HEAD + length);
  if (checksum(record, length) !== record.readUInt32BE(12)) return undefined;
  return JSON.parse(record.toString('utf8', RECORD_HEAD)) as Entry;
}

/** Over sequence, length and body, so that a record in the wrong place is no record. */
const checksum = (record: Buffer, length: number): number =>
  crc32(record.subarray(RECORD_HEAD, RECORD_HEAD + length), crc32(record.subarray(4, 12)));

/** Where a later record begins that is whole, if there is one. */
function nextRecord(journal: Buffer, from: number, sequence: number): number | undefined {
  for (let at = from + ALIGN; at + RECORD_HEAD <= journal.length; at += ALIGN) {
    const found = journal.readUInt32BE(at) === RECORD_MAGIC ? journal.readUInt32BE(at + 4) : 0;
    if (found > sequence && decode(journal, at, found)) return at;
  }
  return undefined;
}

const sizeOf = (entry: Entry): number => aligned(RECORD_HEAD + Buffer.byteLength(JSON.stringify(entry)));
const aligned = (length: number): number => Math.ceil(length / ALIGN) * ALIGN;
