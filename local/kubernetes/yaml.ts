import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  type Scalar,
} from 'yaml';
import { type Json, numberOf, parse, plain } from './json.ts';

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A manifest as kubectl and the API server read one: YAML 1.1, timestamps stay text, numbers keep their spelling. Throws a SyntaxError. */
export function fromYaml(text: string): Json {
  if (/^\s*\{/.test(text)) {
    try {
      return parse(text);
    } catch {
      // A flow mapping begins so too.
    }
  }
  const [document, ...more] = documentsIn(text);
  if (more.length > 0) throw new SyntaxError('a body holds one document only');
  return document ?? null;
}

/** All documents of a file, without the empty ones. */
export const documentsIn = (text: string): Json[] =>
  parseAllDocuments(text, { version: '1.1', merge: true }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new SyntaxError(error.message);
    const value = jsonOf(document.contents, document as Document);
    return value === null ? [] : [value];
  });

function jsonOf(node: unknown, document: Document): Json {
  if (isAlias(node)) return jsonOf((node as Alias).resolve(document), document);
  if (isMap(node)) return membersOf(node.items as Pair[], document);
  if (isSeq(node)) return node.items.map((item) => jsonOf(item, document));
  return isScalar(node) ? scalarOf(node) : null;
}

/** Own members win over merged ones, wherever the merge key stands. */
function membersOf(pairs: readonly Pair[], document: Document): Map<string, Json> {
  const merged = new Map<string, Json>();
  const own = new Map<string, Json>();
  for (const { key, value } of pairs) {
    const name = keyOf(key);
    const member = jsonOf(value as Node, document);
    if (name !== '<<') own.set(name, member);
    else
      for (const source of [member].flat()) if (source instanceof Map) for (const [key, inner] of source) merged.set(key, inner);
  }
  return new Map([...merged, ...own]);
}

const keyOf = (key: unknown): string => (isScalar(key) ? (key.source ?? String(key.value)) : String(key));

function scalarOf({ value, source }: Scalar): Json {
  if (typeof value === 'number') return source !== undefined && JSON_NUMBER.test(source) ? numberOf(source) : value;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  return source ?? String(plain(value as Json));
}
