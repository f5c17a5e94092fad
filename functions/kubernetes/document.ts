/**
 * JSON text that can be edited without rewriting a byte that did not change. `JSON.parse` and `stringify` would turn 9007199254740993 into
 * 9007199254740992, `1.0` into `1`, `-0` into `0` and lose the place of a key; here every piece of the text is kept as it was read,
 * white space included, and printed again.
 */

type Node = Scalar | JsonObject | JsonArray;
export type Path = readonly (string | number)[];

interface Scalar {
  raw: string;
}

interface Member {
  /** White space before the key, between key and value (with the colon), and after the value. */
  readonly lead: string;
  readonly key: string;
  readonly name: string;
  readonly colon: string;
  value: Node;
  readonly trail: string;
}

interface JsonObject {
  members: Member[];
  /** What stands between the braces where there is no member. */
  readonly blank: string;
}

interface Element {
  readonly lead: string;
  value: Node;
  readonly trail: string;
}

interface JsonArray {
  elements: Element[];
  readonly blank: string;
}

const isObject = (node: Node | undefined): node is JsonObject => node !== undefined && 'members' in node;
const isArray = (node: Node | undefined): node is JsonArray => node !== undefined && 'elements' in node;
const isString = (node: Node | undefined): node is Scalar => node !== undefined && 'raw' in node && node.raw.startsWith('"');

/** One JSON text, open for edits by path. Keys are compared as strings, so `__proto__` is a key like any other. */
export class Document {
  readonly #lead: string;
  #root: Node;
  readonly #trail: string;

  /** Throws a SyntaxError that says where the text is not JSON. */
  constructor(text: string) {
    const reader = new Reader(text);
    this.#lead = reader.blank();
    this.#root = reader.value();
    this.#trail = reader.blank();
    reader.end();
  }

  toString(): string {
    return this.#lead + print(this.#root) + this.#trail;
  }

  has(...path: Path): boolean {
    return this.#at(path) !== undefined;
  }

  /** The string at a path; undefined where there is none, or something that is not a string. */
  string(...path: Path): string | undefined {
    const node = this.#at(path);
    return isString(node) ? (JSON.parse(node.raw) as string) : undefined;
  }

  /** The value at a path, for reading only: numbers are JavaScript's. */
  value(...path: Path): unknown {
    const node = this.#at(path);
    return node === undefined ? undefined : JSON.parse(print(node));
  }

  /** The keys of the object at a path; none where there is no object. */
  keys(...path: Path): string[] {
    const node = this.#at(path);
    return isObject(node) ? node.members.map(({ name }) => name) : [];
  }

  /** How many elements the array at a path has; 0 where there is no array. */
  length(...path: Path): number {
    const node = this.#at(path);
    return isArray(node) ? node.elements.length : 0;
  }

  /** Puts a value at a path, making the objects on the way. A new key is the last of its object, unless `first`. */
  set(path: Path, value: unknown, { first = false } = {}): this {
    const fresh = new Reader(JSON.stringify(value)).value();
    const [key, parents] = lastOf(path);
    if (key === undefined) {
      this.#root = fresh;
      return this;
    }
    const parent = this.#ensure(parents);
    if (isArray(parent)) {
      const element = parent.elements[key as number];
      if (element) element.value = fresh;
      else parent.elements.push({ lead: '', value: fresh, trail: '' });
      return this;
    }
    const name = String(key);
    const member = memberOf(parent, name);
    if (member) member.value = fresh;
    else {
      const added = { lead: '', key: JSON.stringify(name), name, colon: ':', value: fresh, trail: '' };
      if (first) parent.members.unshift(added);
      else parent.members.push(added);
    }
    return this;
  }

  /** Takes away what is at a path, if anything is. */
  remove(...path: Path): this {
    const [key, parents] = lastOf(path);
    const parent = this.#at(parents);
    if (isObject(parent)) parent.members = parent.members.filter(({ name }) => name !== key);
    else if (isArray(parent)) parent.elements = parent.elements.filter((_, i) => i !== key);
    return this;
  }

  /** Takes away the elements of the array at a path for which `unwanted` holds, and the array itself where none is left. */
  removeWhere(path: Path, unwanted: (value: unknown) => boolean): this {
    const node = this.#at(path);
    if (!isArray(node)) return this;
    const left = node.elements.filter(({ value }) => !unwanted(JSON.parse(print(value))));
    if (left.length === node.elements.length) return this;
    if (left.length === 0) return this.remove(...path);
    node.elements = left;
    return this;
  }

  /** Visits every string value (never a key); what `visit` answers takes its place. */
  replaceStrings(visit: (text: string, path: Path) => string | undefined): this {
    const walk = (node: Node, path: Path): void => {
      if (isObject(node)) for (const member of node.members) walk(member.value, [...path, member.name]);
      else if (isArray(node)) node.elements.forEach((element, i) => void walk(element.value, [...path, i]));
      else if (isString(node)) {
        const text = JSON.parse(node.raw) as string;
        const replaced = visit(text, path);
        if (replaced !== undefined && replaced !== text) node.raw = JSON.stringify(replaced);
      }
    };
    walk(this.#root, []);
    return this;
  }

  #at(path: Path): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const key of path) {
      if (isObject(node)) node = memberOf(node, String(key))?.value;
      else if (isArray(node)) node = node.elements[key as number]?.value;
      else return undefined;
    }
    return node;
  }

  #ensure(path: Path): JsonObject | JsonArray {
    const found = this.#at(path);
    if (isObject(found) || isArray(found)) return found;
    this.set(path, {});
    return this.#at(path) as JsonObject;
  }
}

const lastOf = (path: Path): [string | number | undefined, Path] => [path.at(-1), path.slice(0, -1)];

/** Of a key that stands twice the last counts, as everywhere. */
const memberOf = (object: JsonObject, name: string): Member | undefined =>
  object.members.findLast((member) => member.name === name);

function print(node: Node): string {
  if (isObject(node)) {
    const members = node.members.map(({ lead, key, colon, value, trail }) => lead + key + colon + print(value) + trail);
    return `{${members.length > 0 ? members.join(',') : node.blank}}`;
  }
  if (isArray(node)) {
    const elements = node.elements.map(({ lead, value, trail }) => lead + print(value) + trail);
    return `[${elements.length > 0 ? elements.join(',') : node.blank}]`;
  }
  return node.raw;
}

const BLANK = /[\t\n\r ]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Reads JSON from left to right. */
export class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  blank(): string {
    return this.#match(BLANK) ?? '';
  }

  value(): Node {
    const first = this.#text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#array();
    return { raw: first === '"' ? this.string() : (this.#match(SCALAR) ?? this.#fail()) };
  }

  /** A value's own text, without looking inside more than it takes to find its end. */
  rawValue(): string {
    const first = this.#text[this.#at];
    if (first !== '{' && first !== '[') return first === '"' ? this.string() : (this.#match(SCALAR) ?? this.#fail());
    const from = this.#at;
    for (let depth = 0; this.#at < this.#text.length; ) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === QUOTE) {
        this.string();
        continue;
      }
      this.#at++;
      if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return this.#text.slice(from, this.#at);
    }
    return this.#fail();
  }

  /** A string as it stands, quotes included. */
  string(): string {
    const from = this.#at;
    if (this.#text[from] !== '"') this.#fail();
    for (let end = from; ; ) {
      end = this.#text.indexOf('"', end + 1);
      if (end < 0) this.#fail();
      let escapes = 0;
      while (this.#text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
      if (escapes % 2 === 0) {
        this.#at = end + 1;
        return this.#text.slice(from, end + 1);
      }
    }
  }

  /** Whether the next character is this one, which is then passed. */
  next(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  expect(character: string): void {
    if (!this.next(character)) this.#fail();
  }

  end(): void {
    if (this.#at < this.#text.length) this.#fail();
  }

  #object(): JsonObject {
    this.expect('{');
    const members: Member[] = [];
    const blank = this.blank();
    if (this.next('}')) return { members, blank };
    for (let lead = blank; ; lead = this.blank()) {
      const key = this.string();
      const before = this.blank();
      this.expect(':');
      const colon = `${before}:${this.blank()}`;
      const value = this.value();
      members.push({ lead, key, name: JSON.parse(key) as string, colon, value, trail: this.blank() });
      if (this.next('}')) return { members, blank: '' };
      this.expect(',');
    }
  }

  #array(): JsonArray {
    this.expect('[');
    const elements: Element[] = [];
    const blank = this.blank();
    if (this.next(']')) return { elements, blank };
    for (let lead = blank; ; lead = this.blank()) {
      const value = this.value();
      elements.push({ lead, value, trail: this.blank() });
      if (this.next(']')) return { elements, blank: '' };
      this.expect(',');
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(): never {
    throw new SyntaxError(`Not JSON at character ${this.#at}: ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`);
  }
}

const QUOTE = 34;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
