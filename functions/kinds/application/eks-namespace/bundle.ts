import { Permanent } from '../../../aws/errors.ts';
import { type ApiType, type Captured, typeKey } from '../../../kubernetes/object.ts';

/**
 * How objects lie in a bundle: for each a line of JSON that says what it is and how many bytes follow, then those bytes exactly as the API
 * server sent them, then a new line. The first line says whose bundle it is, so no two artifacts share one.
 */
const FORMAT = 'stillpoint/eks-namespace/1';

export interface BundleHeader {
  readonly part: 'manifests' | 'secrets';
  readonly cluster: string;
  readonly namespace: string;
  readonly revision: string;
  readonly restorePoint: string;
  readonly cut: string;
}

type Line = Omit<ApiType, 'verbs'> & { readonly within?: string; readonly name: string; readonly bytes: number };

/** The same objects give the same bytes, whatever order they were listed in. */
export function packObjects(header: BundleHeader, objects: readonly Captured[]): Uint8Array {
  const parts = [`${JSON.stringify({ format: FORMAT, ...header })}\n`];
  for (const { type, namespace, name, raw } of inOrder(objects)) {
    const { verbs: _, ...named } = type;
    const line: Line = {
      ...named,
      ...(namespace === undefined ? {} : { within: namespace }),
      name,
      bytes: Buffer.byteLength(raw),
    };
    parts.push(JSON.stringify(line), '\n', raw, '\n');
  }
  return Buffer.from(parts.join(''));
}

/** Permanent where the bytes are not those of a bundle, or end too early. */
export function unpackObjects(bytes: Uint8Array): Captured[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const objects: Captured[] = [];
  let at = 0;
  const line = (): Record<string, unknown> => {
    const end = buffer.indexOf(10, at);
    if (end < 0) throw broken('a line has no end');
    const text = buffer.toString('utf8', at, end);
    at = end + 1;
    return JSON.parse(text) as Record<string, unknown>;
  };
  if (line()['format'] !== FORMAT) throw broken(`its format is not ${FORMAT}`);
  while (at < buffer.length) {
    const { within, name, bytes: length, ...type } = line() as unknown as Line;
    const end = at + length;
    if (end >= buffer.length || buffer[end] !== 10) throw broken(`${type.kind} ${name} is cut short`);
    const raw = buffer.toString('utf8', at, end);
    objects.push({ type: { ...type, verbs: [] }, ...(within === undefined ? {} : { namespace: within }), name, raw });
    at = end + 1;
  }
  return objects;
}

const broken = (why: string): Permanent => new Permanent(`A bundle of a Kubernetes namespace cannot be read: ${why}.`);

const keyOf = ({ type, namespace = '', name }: Captured): string => [typeKey(type), type.version, namespace, name].join('\n');

const inOrder = (objects: readonly Captured[]): Captured[] =>
  objects
    .map((object) => ({ key: keyOf(object), object }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ object }) => object);

/** How many there are of each type. */
export function countsOf(objects: readonly Pick<Captured, 'type'>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of objects) counts[typeKey(type)] = (counts[typeKey(type)] ?? 0) + 1;
  return counts;
}
