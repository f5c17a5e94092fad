import { addNumbers, compare, elements, equal, type Item, typeOf, type Value, validation } from './value.ts';

/** What the placeholders of an expression stand for. */
export interface Placeholders {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Readonly<Record<string, Value>> | undefined;
}

type Step = string | number;
type Path = readonly Step[];

type Operand =
  | { readonly is: 'path'; readonly path: Path }
  | { readonly is: 'value'; readonly value: Value }
  | { readonly is: 'size'; readonly of: Operand }
  | { readonly is: 'if_not_exists'; readonly path: Path; readonly otherwise: Operand }
  | { readonly is: 'list_append'; readonly first: Operand; readonly second: Operand }
  | { readonly is: 'sum'; readonly first: Operand; readonly second: Operand; readonly sign: 1 | -1 };

export type Condition =
  | { readonly is: 'and' | 'or'; readonly first: Condition; readonly second: Condition }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'compare'; readonly operator: string; readonly first: Operand; readonly second: Operand }
  | { readonly is: 'between'; readonly of: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly is: 'in'; readonly of: Operand; readonly among: readonly Operand[] }
  | { readonly is: 'exists'; readonly path: Path; readonly wanted: boolean }
  | { readonly is: 'type' | 'begins_with' | 'contains'; readonly first: Operand; readonly second: Operand };

export interface Update {
  readonly set: readonly { readonly path: Path; readonly value: Operand }[];
  readonly remove: readonly Path[];
  readonly add: readonly { readonly path: Path; readonly value: Value }[];
  readonly delete: readonly { readonly path: Path; readonly value: Value }[];
}

const TOKEN = /\s*(<>|<=|>=|[=<>(),.[\]+-]|#[\w-]+|:[\w-]+|[A-Za-z_][\w-]*|\d+)/y;

/** A recursive-descent parser of DynamoDB's expression language (DynamoDB guide, "Using expressions"). */
class Parser {
  readonly #tokens: string[] = [];
  readonly #placeholders: Placeholders;
  readonly #kind: string;
  readonly usedNames = new Set<string>();
  readonly usedValues = new Set<string>();
  #at = 0;

  constructor(text: string, kind: string, placeholders: Placeholders) {
    this.#kind = kind;
    this.#placeholders = placeholders;
    TOKEN.lastIndex = 0;
    for (let at = 0; text.slice(at).trim() !== ''; at = TOKEN.lastIndex) {
      const match = TOKEN.exec(text);
      if (!match) this.#wrong(`Syntax error; token: "${text.slice(at, at + 10).trim()}"`);
      this.#tokens.push(match![1] as string);
    }
    if (this.#tokens.length === 0) this.#wrong('The expression can not be empty;');
  }

  #wrong(why: string): never {
    return validation(`Invalid ${this.#kind}: ${why}`);
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? '';
  }

  #word(): string {
    return this.#peek().toUpperCase();
  }

  #take(expected?: string): string {
    const token = this.#peek();
    if (token === '' || (expected !== undefined && token.toUpperCase() !== expected))
      this.#wrong(`Syntax error; token: "${token || '<EOF>'}"`);
    this.#at++;
    return token;
  }

  end(): void {
    if (!this.done) this.#wrong(`Syntax error; token: "${this.#peek()}"`);
  }

  condition(): Condition {
    let first = this.#conjunction();
    while (this.#word() === 'OR') {
      this.#take();
      first = { is: 'or', first, second: this.#conjunction() };
    }
    return first;
  }

  #conjunction(): Condition {
    let first = this.#negation();
    while (this.#word() === 'AND') {
      this.#take();
      first = { is: 'and', first, second: this.#negation() };
    }
    return first;
  }

  #negation(): Condition {
    if (this.#word() !== 'NOT') return this.#predicate();
    this.#take();
    return { is: 'not', of: this.#negation() };
  }

  #predicate(): Condition {
    if (this.#peek() === '(') {
      this.#take();
      const inner = this.condition();
      this.#take(')');
      return inner;
    }
    const next = this.#tokens[this.#at + 1];
    const name = this.#peek();
    if (next === '(' && name !== 'size') return this.#function();
    const first = this.operand();
    if (this.#word() === 'BETWEEN') {
      this.#take();
      const low = this.operand();
      this.#take('AND');
      return { is: 'between', of: first, low, high: this.operand() };
    }
    if (this.#word() === 'IN') {
      this.#take();
      this.#take('(');
      return { is: 'in', of: first, among: this.#list(() => this.operand()) };
    }
    const operator = this.#take();
    if (!['=', '<>', '<', '<=', '>', '>='].includes(operator)) this.#wrong(`Syntax error; token: "${operator}"`);
    return { is: 'compare', operator, first, second: this.operand() };
  }

  #function(): Condition {
    const name = this.#take();
    this.#take('(');
    if (name === 'attribute_exists' || name === 'attribute_not_exists') {
      const path = this.path();
      this.#take(')');
      return { is: 'exists', path, wanted: name === 'attribute_exists' };
    }
    const known = { attribute_type: 'type', begins_with: 'begins_with', contains: 'contains' } as const;
    if (!Object.hasOwn(known, name)) this.#wrong(`Invalid function name; function: ${name}`);
    const [first, second, ...more] = this.#list(() => this.operand());
    if (!first || !second || more.length > 0)
      this.#wrong(`Incorrect number of operands for operator or function; operator or function: ${name}`);
    return { is: known[name as keyof typeof known], first, second };
  }

  /** Items up to and with the closing bracket. */
  #list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.#peek() === ',') {
      this.#take();
      items.push(item());
    }
    this.#take(')');
    return items;
  }

  operand(): Operand {
    const token = this.#peek();
    const next = this.#tokens[this.#at + 1];
    if (next === '(' && ['size', 'if_not_exists', 'list_append'].includes(token)) {
      this.#take();
      this.#take('(');
      if (token === 'size') {
        const of = this.operand();
        this.#take(')');
        return { is: 'size', of };
      }
      if (token === 'if_not_exists') {
        const path = this.path();
        this.#take(',');
        const otherwise = this.operand();
        this.#take(')');
        return { is: 'if_not_exists', path, otherwise };
      }
      const [first, second] = this.#list(() => this.operand());
      if (!first || !second)
        this.#wrong('Incorrect number of operands for operator or function; operator or function: list_append');
      return { is: 'list_append', first, second };
    }
    if (token.startsWith(':')) return { is: 'value', value: this.value() };
    return { is: 'path', path: this.path() };
  }

  value(): Value {
    const token = this.#take();
    this.usedValues.add(token);
    return (
      this.#placeholders.values?.[token] ??
      this.#wrong(`An expression attribute value used in expression is not defined; attribute value: ${token}`)
    );
  }

  path(): Path {
    const steps: Step[] = [this.#name()];
    for (;;) {
      if (this.#peek() === '.') {
        this.#take();
        steps.push(this.#name());
      } else if (this.#peek() === '[') {
        this.#take();
        steps.push(Number(this.#take()));
        this.#take(']');
      } else return steps;
    }
  }

  #name(): string {
    const token = this.#take();
    if (token.startsWith('#')) {
      this.usedNames.add(token);
      return (
        this.#placeholders.names?.[token] ??
        this.#wrong(`An expression attribute name used in the document path is not defined; attribute name: ${token}`)
      );
    }
    if (!/^[A-Za-z_]/.test(token)) this.#wrong(`Syntax error; token: "${token}"`);
    return token;
  }

  update(): Update {
    const update = {
      set: [] as Update['set'][number][],
      remove: [] as Path[],
      add: [] as Update['add'][number][],
      delete: [] as Update['delete'][number][],
    };
    while (!this.done) {
      const clause = this.#take().toUpperCase();
      do {
        if (this.#peek() === ',') this.#take();
        if (clause === 'SET') update.set.push(this.#assignment());
        else if (clause === 'REMOVE') update.remove.push(this.path());
        else if (clause === 'ADD') update.add.push({ path: this.path(), value: this.value() });
        else if (clause === 'DELETE') update.delete.push({ path: this.path(), value: this.value() });
        else this.#wrong(`Syntax error; token: "${clause}"`);
      } while (this.#peek() === ',');
    }
    return update;
  }

  #assignment(): Update['set'][number] {
    const path = this.path();
    this.#take('=');
    let value = this.operand();
    while (this.#peek() === '+' || this.#peek() === '-') {
      const sign = this.#take() === '+' ? 1 : -1;
      value = { is: 'sum', first: value, second: this.operand(), sign };
    }
    return { path, value };
  }

  paths(): Path[] {
    const paths = [this.path()];
    while (this.#peek() === ',') {
      this.#take();
      paths.push(this.path());
    }
    return paths;
  }
}

/** The parsers of one request, which knows at the end whether every placeholder was used. */
export class Expressions {
  readonly #placeholders: Placeholders;
  readonly #names = new Set<string>();
  readonly #values = new Set<string>();

  constructor(placeholders: Placeholders) {
    this.#placeholders = placeholders;
  }

  condition(text: string | undefined, kind = 'ConditionExpression'): Condition | undefined {
    return this.#parse(text, kind, (parser) => parser.condition());
  }

  update(text: string | undefined): Update | undefined {
    return this.#parse(text, 'UpdateExpression', (parser) => parser.update());
  }

  projection(text: string | undefined): Path[] | undefined {
    return this.#parse(text, 'ProjectionExpression', (parser) => parser.paths());
  }

  /** DynamoDB refuses placeholders that nothing uses. */
  finish(): void {
    const { names = {}, values = {} } = this.#placeholders;
    const idleNames = Object.keys(names).filter((name) => !this.#names.has(name));
    if (idleNames.length > 0)
      validation(`Value provided in ExpressionAttributeNames unused in expressions: keys: {${idleNames.join(', ')}}`);
    const idleValues = Object.keys(values).filter((value) => !this.#values.has(value));
    if (idleValues.length > 0)
      validation(`Value provided in ExpressionAttributeValues unused in expressions: keys: {${idleValues.join(', ')}}`);
  }

  #parse<T>(text: string | undefined, kind: string, parse: (parser: Parser) => T): T | undefined {
    if (text === undefined) return undefined;
    const parser = new Parser(text, kind, this.#placeholders);
    const parsed = parse(parser);
    parser.end();
    for (const name of parser.usedNames) this.#names.add(name);
    for (const value of parser.usedValues) this.#values.add(value);
    return parsed;
  }
}

export function at(item: Item, path: Path): Value | undefined {
  let value: Value | undefined = { M: item as Record<string, Value> };
  for (const step of path) {
    const inner: Value | undefined =
      value === undefined
        ? undefined
        : typeof step === 'number'
          ? value.L?.[step]
          : value.M && Object.hasOwn(value.M, step)
            ? value.M[step]
            : undefined;
    value = inner;
  }
  return value;
}

function resolve(operand: Operand, item: Item): Value | undefined {
  switch (operand.is) {
    case 'value':
      return operand.value;
    case 'path':
      return at(item, operand.path);
    case 'size': {
      const value = resolve(operand.of, item);
      return (
        value && {
          N: String(
            value.S?.length ??
              value.B?.length ??
              value.L?.length ??
              (value.M ? Object.keys(value.M).length : elements(value).length),
          ),
        }
      );
    }
    case 'if_not_exists':
      return at(item, operand.path) ?? resolve(operand.otherwise, item);
    case 'list_append': {
      const [first, second] = [resolve(operand.first, item), resolve(operand.second, item)];
      if (!first?.L || !second?.L) validation('An operand in the update expression has an incorrect data type');
      return { L: [...first!.L!, ...second!.L!] };
    }
    case 'sum': {
      const [first, second] = [resolve(operand.first, item), resolve(operand.second, item)];
      if (!first || !second) validation('The provided expression refers to an attribute that does not exist in the item');
      if (first!.N === undefined || second!.N === undefined)
        validation('An operand in the update expression has an incorrect data type');
      return { N: addNumbers(first!.N!, second!.N!, operand.sign) };
    }
  }
}

export function holds(condition: Condition | undefined, item: Item): boolean {
  if (!condition) return true;
  switch (condition.is) {
    case 'and':
      return holds(condition.first, item) && holds(condition.second, item);
    case 'or':
      return holds(condition.first, item) || holds(condition.second, item);
    case 'not':
      return !holds(condition.of, item);
    case 'exists':
      return (at(item, condition.path) !== undefined) === condition.wanted;
    case 'compare':
      return compared(condition.operator, resolve(condition.first, item), resolve(condition.second, item));
    case 'between': {
      const of = resolve(condition.of, item);
      return compared('>=', of, resolve(condition.low, item)) && compared('<=', of, resolve(condition.high, item));
    }
    case 'in': {
      const of = resolve(condition.of, item);
      return condition.among.some((one) => equal(of, resolve(one, item)));
    }
    case 'type': {
      const [value, type] = [resolve(condition.first, item), resolve(condition.second, item)];
      return value !== undefined && typeOf(value) === type?.S;
    }
    case 'begins_with': {
      const [value, prefix] = [resolve(condition.first, item), resolve(condition.second, item)];
      if (value?.S !== undefined && prefix?.S !== undefined) return value.S.startsWith(prefix.S);
      return (
        value?.B !== undefined &&
        prefix?.B !== undefined &&
        Buffer.from(value.B).subarray(0, prefix.B.length).equals(Buffer.from(prefix.B))
      );
    }
    case 'contains': {
      const [value, part] = [resolve(condition.first, item), resolve(condition.second, item)];
      if (!value || !part) return false;
      if (value.S !== undefined && part.S !== undefined) return value.S.includes(part.S);
      if (value.L) return value.L.some((one) => equal(one, part));
      return elements(value).some((element) => element === (part.S ?? (part.N && addNumbers(part.N, '0'))));
    }
  }
}

function compared(operator: string, first: Value | undefined, second: Value | undefined): boolean {
  if (operator === '=') return equal(first, second);
  if (operator === '<>') return !equal(first, second);
  if (!first || !second) return false;
  const order = compare(first, second);
  if (order === undefined) return false;
  return { '<': order < 0, '<=': order <= 0, '>': order > 0, '>=': order >= 0 }[operator] as boolean;
}

/** The item after an update; every right side sees the item as it was before (DynamoDB guide, "Update expressions"). */
export function updated(update: Update, item: Item): Item {
  const next = structuredClone(item) as Record<string, Value>;
  const values = update.set.map(({ path, value }) => ({ path, value: resolve(value, item) }));
  for (const { path, value } of values) {
    if (!value) validation('The provided expression refers to an attribute that does not exist in the item');
    place(next, path, value as Value);
  }
  for (const { path, value } of update.add) place(next, path, added(at(next, path), value));
  for (const { path, value } of update.delete) {
    const left = without(at(next, path), value);
    if (left) place(next, path, left);
    else remove(next, path);
  }
  for (const path of update.remove.toSorted((a, b) => Number(b.at(-1)) - Number(a.at(-1)) || 0)) remove(next, path);
  return next;
}

const BAD_PATH = 'The document path provided in the update expression is invalid for update';

function parentOf(item: Record<string, Value>, path: Path): Value {
  const parent = path.length === 1 ? { M: item } : at(item, path.slice(0, -1));
  return (parent as Value | undefined) ?? validation(BAD_PATH);
}

function place(item: Record<string, Value>, path: Path, value: Value): void {
  const parent = parentOf(item, path);
  const last = path.at(-1) as Step;
  if (typeof last === 'number') {
    if (!parent.L) validation(BAD_PATH);
    parent.L![Math.min(last, parent.L!.length)] = value;
  } else {
    if (!parent.M) validation(BAD_PATH);
    Object.defineProperty(parent.M, last, { value, enumerable: true, configurable: true, writable: true });
  }
}

function remove(item: Record<string, Value>, path: Path): void {
  const parent = parentOf(item, path);
  const last = path.at(-1) as Step;
  if (typeof last === 'number') parent.L?.splice(last, 1);
  else if (parent.M) delete parent.M[last];
}

function added(present: Value | undefined, value: Value): Value {
  if (value.N !== undefined) return { N: addNumbers(present?.N ?? '0', value.N) };
  const type = typeOf(value);
  if (!['SS', 'NS', 'BS'].includes(type))
    validation(`Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: ${type}`);
  if (value.SS) return { SS: [...new Set([...(present?.SS ?? []), ...value.SS])] };
  if (value.NS) return { NS: [...new Set([...(present ? elements(present) : []), ...elements(value)])] };
  const known = present ? elements(present) : [];
  return { BS: [...(present?.BS ?? []), ...value.BS!.filter((bytes) => !known.includes(Buffer.from(bytes).toString('base64')))] };
}

function without(present: Value | undefined, value: Value): Value | undefined {
  if (!present) return undefined;
  const gone = elements(value);
  if (present.SS)
    return some(
      'SS',
      present.SS.filter((element) => !gone.includes(element)),
    );
  if (present.NS)
    return some(
      'NS',
      elements(present).filter((element) => !gone.includes(element)),
    );
  return some(
    'BS',
    (present.BS ?? []).filter((bytes) => !gone.includes(Buffer.from(bytes).toString('base64'))),
  );
}

const some = (type: 'SS' | 'NS' | 'BS', left: readonly unknown[]): Value | undefined =>
  left.length > 0 ? ({ [type]: left } as unknown as Value) : undefined;

/** Only these paths of an item, nested as they were. */
export function projected(paths: readonly Path[] | undefined, item: Item): Item {
  if (!paths) return item;
  const shown: Record<string, Value> = {};
  for (const path of paths) {
    const value = at(item, path);
    if (value === undefined) continue;
    let parent: Record<string, Value> = shown;
    for (const step of path.slice(0, -1)) {
      const inner = parent[String(step)]?.M ?? {};
      parent[String(step)] = { M: inner };
      parent = inner;
    }
    parent[String(path.at(-1))] = value;
  }
  return shown;
}
