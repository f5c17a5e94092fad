import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';

/** A folder as a Zip archive, such as Lambda takes (APPNOTE.TXT §4.3). The same folder gives the same bytes. */
export function zipOf(folder: string): Uint8Array {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const path of files) {
    const name = Buffer.from(path);
    const bytes = readFileSync(join(folder, path));
    const packed = deflateRawSync(bytes, { level: 1 });
    const about = aboutOf(crc32(bytes), packed.length, bytes.length, name.length);
    parts.push(record(0x04034b50, about), name, packed);
    central.push(record(0x02014b50, about, offset), name);
    offset += 30 + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...parts, directory, end]));
}

/** What a file's own header and its line in the directory have alike, 26 bytes: version, deflated, 1980, and sizes. */
function aboutOf(crc: number, packed: number, size: number, name: number): Buffer {
  const about = Buffer.alloc(26);
  about.writeUInt16LE(20, 0);
  about.writeUInt16LE(8, 4);
  about.writeUInt16LE(0x21, 8);
  about.writeUInt32LE(crc, 10);
  about.writeUInt32LE(packed, 14);
  about.writeUInt32LE(size, 18);
  about.writeUInt16LE(name, 22);
  return about;
}

function record(signature: number, about: Buffer, offset?: number): Buffer {
  const begin = Buffer.alloc(offset === undefined ? 4 : 6);
  begin.writeUInt32LE(signature, 0);
  if (offset === undefined) return Buffer.concat([begin, about]);
  begin.writeUInt16LE(20, 4);
  const end = Buffer.alloc(14);
  end.writeUInt32LE(offset, 10);
  return Buffer.concat([begin, about, end]);
}
