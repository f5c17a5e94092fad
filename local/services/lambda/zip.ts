import { inflateRawSync } from 'node:zlib';

/** A file of an archive. */
export interface Entry {
  readonly path: string;
  /** What it holds, unpacked. */
  read(): Uint8Array;
}

/** Something that is no archive, or one whose files have no place in a function's folder. */
export class InvalidZip extends Error {
  override readonly name = 'InvalidZip';
}

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const METHODS: Readonly<Record<number, (bytes: Buffer) => Buffer>> = { 0: (bytes) => bytes, 8: (bytes) => inflateRawSync(bytes) };

/** The files of a Zip archive, by its central directory (APPNOTE.TXT §4.3). */
export function unzip(archive: Uint8Array): Entry[] {
  const zip = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || zip.readUInt32LE(end) !== END)
    throw new InvalidZip('Could not unzip uploaded file. Please check your file, then try to upload again.');
  const entries: Entry[] = [];
  for (let at = zip.readUInt32LE(end + 16), left = zip.readUInt16LE(end + 10); left > 0; left--) {
    if (zip.readUInt32LE(at) !== CENTRAL) throw new InvalidZip('The central directory of the archive is damaged.');
    const [name, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const path = zip.toString('utf8', at + 46, at + 46 + name);
    if (!path.endsWith('/')) entries.push({ path: checked(path), read: contentOf(zip, at) });
    at += 46 + name + extra + comment;
  }
  return entries;
}

function contentOf(zip: Buffer, central: number): () => Uint8Array {
  const local = zip.readUInt32LE(central + 42);
  const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const expand = METHODS[zip.readUInt16LE(central + 10)];
  if (!expand) throw new InvalidZip('The archive is compressed in a way that is not read here.');
  return () => expand(zip.subarray(from, from + zip.readUInt32LE(central + 20)));
}

function checked(path: string): string {
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new InvalidZip(`The archive holds ${path}, which lies outside of it.`);
  return path;
}
