/**
 * JSON that is written again as it was read. Members stand in a Map, since a plain object sorts keys such as `10` and swallows `__proto__`;
 * a number that JavaScript would spell differently (9007199254740993, `1.0`, `-0`) keeps its spelling. Values are never changed in place.
 */
export type Json = null | boolean | string | number | Numeral | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;
export type Path = readonly (string | number)[];

/** A number by its spelling. */
export class Numeral {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export const isObject = (value: Json | undefined): value is JsonObject => value instanceof Map;
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The number that a spelling stands for, which keeps the spelling where JavaScript has another. */
export function numberOf(text: string): number | Numeral {
  const number = Number(text);
  return String(number) === text ? number : new Numeral(text);
}

/** Reads a JSON text. Throws a SyntaxError that says where it is none. */
export function parse(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

const BLANK = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORDS: readonly (readonly [string, Json])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Json {
    this.#blank();
    const first = this.#text[this.#at];
    if (first === '{') return this.#object();
    if (first === '[') return this.#list();
    if (first === '"') return this.#string();
    const word = WORDS.find(([word]) => this.#text.startsWith(word, this.#at));
    if (word) {
      this.#at += word[0].length;
      return word[1];
    }
    return numberOf(this.#match(NUMBER) || this.#fail('a value'));
  }

  end(): void {
    this.#blank();
    if (this.#at < this.#text.length) this.#fail('the end');
  }

  #object(): JsonObject {
    const object = new Map<string, Json>();
    this.#at++;
    this.#blank();
    if (this.#takes('}')) return object;
    do {
      this.#blank();
      const key = this.#text[this.#at] === '"' ? this.#string() : this.#fail('a key');
      this.#blank();
      if (!this.#takes(':')) this.#fail('":"');
      object.set(key, this.value());
      this.#blank();
    } while (this.#takes(','));
    if (!this.#takes('}')) this.#fail('"}"');
    return object;
  }

  #list(): Json[] {
    const list: Json[] = [];
    this.#at++;
    this.#blank();
    if (this.#takes(']')) return list;
    do {
      list.push(this.value());
      this.#blank();
    } while (this.#takes(','));
    if (!this.#takes(']')) this.#fail('"]"');
    return list;
  }

  /** Looks for the closing quote, and lets JSON.parse judge what stands between. */
  #string(): string {
    const from = this.#at;
    for (let to = from + 1; ; to++) {
      to = this.#text.indexOf('"', to);
      if (to < 0) this.#fail('a closing quote');
      let escapes = 0;
      while (this.#text[to - 1 - escapes] === '\\') escapes++;
      if (escapes % 2 === 1) continue;
      this.#at = to + 1;
      return JSON.parse(this.#text.slice(from, to + 1)) as string;
    }
  }

  #blank(): void {
    this.#match(BLANK);
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(wanted: string): never {
    throw new SyntaxError(`${wanted} was expected at character ${this.#at + 1}`);
  }
}

export function write(value: Json): string {
  if (value instanceof Numeral) return value.text;
  if (isObject(value)) return `{${[...value].map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`).join(',')}}`;
  if (isList(value)) return `[${value.map(write).join(',')}]`;
  return JSON.stringify(value);
}

/** A value of JavaScript as JSON; members that are undefined are left out. */
export function json(value: unknown): Json {
  if (Array.isArray(value)) return value.map(json);
  if (value instanceof Map || value instanceof Numeral) return value;
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json;
  return objectOf(value);
}

export const objectOf = (value: object): JsonObject =>
  new Map(Object.entries(value).flatMap(([key, member]) => (member === undefined ? [] : [[key, json(member)]])));

/** JSON as values of JavaScript, for reading: objects without a prototype, every number a number. */
export function plain(value: Json | undefined): any {
  if (value instanceof Numeral) return Number(value.text);
  if (isList(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, member] of value) object[key] = plain(member);
  return object;
}

export function at(value: Json | undefined, ...path: Path): Json | undefined {
  return path.reduce<Json | undefined>((found, step) => {
    if (isObject(found)) return found.get(String(step));
    return isList(found) && typeof step === 'number' ? found[step] : undefined;
  }, value);
}

export function textAt(value: Json | undefined, ...path: Path): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function listAt(value: Json | undefined, ...path: Path): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

export function objectAt(value: Json | undefined, ...path: Path): JsonObject {
  const found = at(value, ...path);
  return isObject(found) ? found : new Map();
}

/** A copy with one value set; what is missing on the way is made. A member that is there keeps its place among the others. */
export function set(object: JsonObject, path: Path, value: Json): JsonObject {
  return setIn(object, path, value) as JsonObject;
}

function setIn(within: Json | undefined, [step, ...rest]: Path, value: Json): Json {
  if (step === undefined) return value;
  if (isList(within) && typeof step === 'number') return within.with(step, setIn(within[step], rest, value));
  const object = isObject(within) ? within : new Map<string, Json>();
  return new Map(object).set(String(step), setIn(object.get(String(step)), rest, value));
}

/** A copy without one value. */
export function without(object: JsonObject, path: Path): JsonObject {
  if (at(object, ...path) === undefined) return object;
  const parent = path.slice(0, -1);
  const step = path.at(-1)!;
  const within = at(object, ...parent);
  if (isList(within)) return set(object, parent, within.toSpliced(Number(step), 1));
  const copy = new Map(within as JsonObject);
  copy.delete(String(step));
  return set(object, parent, copy);
}

/** Equal in meaning: whatever the order of members and, unless asked for, the spelling of numbers. */
export function same(a: Json | undefined, b: Json | undefined, { spelling = false } = {}): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((member, i) => same(member, b[i], { spelling }));
  if (isObject(a)) {
    return isObject(b) && a.size === b.size && [...a].every(([key, member]) => same(member, b.get(key), { spelling }));
  }
  const [one, other] = [spellingOf(a), spellingOf(b)];
  if (one === undefined || other === undefined) return false;
  return spelling ? one === other : sameNumber(one, other);
}

function spellingOf(value: Json | undefined): string | undefined {
  if (value instanceof Numeral) return value.text;
  return typeof value === 'number' ? String(value) : undefined;
}

const WHOLE = /^-?\d+$/;

/** Whole numbers are compared digit by digit, for two of them may be one and the same double. */
const sameNumber = (one: string, other: string): boolean =>
  WHOLE.test(one) && WHOLE.test(other) ? BigInt(one) === BigInt(other) : Number(one) === Number(other);
