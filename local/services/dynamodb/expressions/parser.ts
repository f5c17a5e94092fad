import { validation } from '../refusals.ts';
import type { Value } from '../value.ts';
import type { Path } from './path.ts';
import { RESERVED } from './reserved.ts';
import { type Token, tokensIn } from './tokens.ts';

/** What the placeholders of an expression stand for. */
export interface Placeholders {
  readonly names?: Readonly<Record<string, string>> | undefined;
  readonly values?: Readonly<Record<string, Value>> | undefined;
}

export type Operand =
  | { readonly is: 'path'; readonly path: Path }
  | { readonly is: 'value'; readonly value: Value }
  | { readonly is: 'size'; readonly of: Operand }
  | { readonly is: 'if_not_exists'; readonly path: Path; readonly otherwise: Operand }
  | { readonly is: 'list_append'; readonly first: Operand; readonly second: Operand }
  | { readonly is: 'sum'; readonly first: Operand; readonly second: Operand; readonly sign: 1 | -1 };

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>=';

export type Condition =
  | { readonly is: 'and' | 'or'; readonly first: Condition; readonly second: Condition }
  | { readonly is: 'not'; readonly of: Condition }
  | { readonly is: 'compare'; readonly operator: Comparator; readonly first: Operand; readonly second: Operand }
  | { readonly is: 'between'; readonly of: Operand; readonly low: Operand; readonly high: Operand }
  | { readonly is: 'in'; readonly of: Operand; readonly among: readonly Operand[] }
  | { readonly is: 'exists'; readonly path: Path; readonly wanted: boolean }
  | { readonly is: 'attribute_type' | 'begins_with' | 'contains'; readonly first: Operand; readonly second: Operand };

const COMPARATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);
const OF_CONDITIONS = ['attribute_exists', 'attribute_not_exists', 'attribute_type', 'begins_with', 'contains', 'size'];
const OF_UPDATES = ['if_not_exists', 'list_append'];

/**
 * A recursive-descent parser of what all of DynamoDB's expressions share: paths, operands and conditions (DynamoDB guide, "Using
 * expressions"; the texts of its refusals are DynamoDB's own, as far as they are known).
 */
export class Parser {
  readonly kind: string;
  readonly usedNames = new Set<string>();
  readonly usedValues = new Set<string>();
  readonly #text: string;
  readonly #tokens: readonly Token[];
  readonly #placeholders: Placeholders;
  #at = 0;
  /** Between which tokens the last condition in brackets stood. */
  #bracketed = { from: -1, to: -1 };

  constructor(text: string, kind: string, placeholders: Placeholders) {
    this.kind = kind;
    this.#text = text;
    this.#placeholders = placeholders;
    this.#tokens = tokensIn(text) ?? this.wrong('Syntax error; the expression holds a character that no expression may hold');
    if (this.#tokens.length === 0) this.wrong('The expression can not be empty;');
  }

  wrong(why: string): never {
    return validation(`Invalid ${this.kind}: ${why}`);
  }

  /** Refuses the next token. */
  syntax(): never {
    const token = this.#tokens[this.#at];
    if (!token) return this.wrong('Syntax error; token: "<EOF>"');
    const from = this.#tokens[this.#at - 1]?.start ?? token.start;
    const to = (this.#tokens[this.#at + 1] ?? token).end;
    return this.wrong(`Syntax error; token: "${token.text}", near: "${this.#text.slice(from, to)}"`);
  }

  get done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The next token, or the one after it; empty past the end. */
  peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? '';
  }

  /** Keywords may be written in any case; functions may not. */
  word(): string {
    return this.peek().toUpperCase();
  }

  take(expected?: string): string {
    const token = this.peek();
    if (token === '' || (expected !== undefined && token.toUpperCase() !== expected)) this.syntax();
    this.#at++;
    return token;
  }

  /** Takes the next token if it is this one. */
  skip(expected: string): boolean {
    if (this.word() !== expected) return false;
    this.#at++;
    return true;
  }

  end(): void {
    if (!this.done) this.syntax();
  }

  condition(): Condition {
    let first = this.#conjunction();
    while (this.skip('OR')) first = { is: 'or', first, second: this.#conjunction() };
    return first;
  }

  #conjunction(): Condition {
    let first = this.#negation();
    while (this.skip('AND')) first = { is: 'and', first, second: this.#negation() };
    return first;
  }

  #negation(): Condition {
    return this.skip('NOT') ? { is: 'not', of: this.#negation() } : this.#predicate();
  }

  #predicate(): Condition {
    if (this.peek() === '(') return this.#brackets();
    if (this.peek(1) === '(' && this.peek() !== 'size') return this.#function();
    const first = this.operand();
    if (this.skip('BETWEEN')) {
      const low = this.operand();
      this.take('AND');
      return { is: 'between', of: first, low, high: this.operand() };
    }
    if (this.skip('IN')) {
      this.take('(');
      return { is: 'in', of: first, among: this.#list() };
    }
    if (!COMPARATORS.has(this.peek())) this.syntax();
    return { is: 'compare', operator: this.take() as Comparator, first, second: this.operand() };
  }

  #brackets(): Condition {
    const from = this.#at;
    this.take('(');
    const inner = this.condition();
    if (this.#bracketed.from === from + 1 && this.#bracketed.to === this.#at) {
      this.wrong('The expression has redundant parentheses;');
    }
    this.take(')');
    this.#bracketed = { from, to: this.#at };
    return inner;
  }

  #function(): Condition {
    const name = this.#functionName(OF_CONDITIONS, OF_UPDATES, 'a condition');
    const operands = this.#list();
    const wanted = name.startsWith('attribute_') && name !== 'attribute_type' ? 1 : 2;
    this.#count(name, operands, wanted);
    const [first, second] = operands as [Operand, Operand];
    if (wanted === 2) return { is: name as 'contains', first, second };
    if (first.is !== 'path') {
      return this.wrong(`Operator or function requires a document path; operator or function: ${name}`);
    }
    return { is: 'exists', path: first.path, wanted: name === 'attribute_exists' };
  }

  /** Takes the name of a function and its opening bracket. */
  #functionName(known: readonly string[], elsewhere: readonly string[], where: string): string {
    const name = this.take();
    if (elsewhere.includes(name)) this.wrong(`The function is not allowed in ${where} expression; function: ${name}`);
    if (!known.includes(name)) this.wrong(`Invalid function name; function: ${name}`);
    this.take('(');
    return name;
  }

  #count(name: string, operands: readonly Operand[], wanted: number): void {
    if (operands.length === wanted) return;
    this.wrong(
      `Incorrect number of operands for operator or function; operator or function: ${name}, number of operands: ${operands.length}`,
    );
  }

  /** Operands up to and with the closing bracket. */
  #list(): Operand[] {
    const operands = [this.operand()];
    while (this.skip(',')) operands.push(this.operand());
    this.take(')');
    return operands;
  }

  operand(): Operand {
    if (this.peek(1) === '(') return this.#operandFunction();
    return this.peek().startsWith(':') ? { is: 'value', value: this.value() } : { is: 'path', path: this.path() };
  }

  #operandFunction(): Operand {
    const updating = this.kind === 'UpdateExpression';
    const name = updating
      ? this.#functionName(OF_UPDATES, OF_CONDITIONS, 'an update')
      : this.#functionName(['size'], OF_UPDATES, 'a condition');
    const operands = this.#list();
    this.#count(name, operands, name === 'size' ? 1 : 2);
    const [first, second] = operands as [Operand, Operand];
    if (name === 'size') return { is: 'size', of: first };
    if (name === 'list_append') return { is: 'list_append', first, second };
    if (first.is !== 'path') this.wrong('Operator or function requires a document path; operator or function: if_not_exists');
    return { is: 'if_not_exists', path: (first as Operand & { is: 'path' }).path, otherwise: second };
  }

  value(): Value {
    const token = this.take();
    if (!token.startsWith(':')) {
      this.#at--;
      this.syntax();
    }
    this.usedValues.add(token);
    return (
      this.#placeholders.values?.[token] ??
      this.wrong(`An expression attribute value used in expression is not defined; attribute value: ${token}`)
    );
  }

  path(): Path {
    const path: [string, ...(string | number)[]] = [this.#name()];
    for (;;) {
      if (this.skip('.')) path.push(this.#name());
      else if (this.skip('[')) {
        if (!/^\d+$/.test(this.peek())) this.syntax();
        path.push(Number(this.take()));
        this.take(']');
      } else return path;
    }
  }

  #name(): string {
    if (!/^[#A-Za-z_]/.test(this.peek())) this.syntax();
    const token = this.take();
    if (token.startsWith('#')) {
      this.usedNames.add(token);
      return (
        this.#placeholders.names?.[token] ??
        this.wrong(`An expression attribute name used in the document path is not defined; attribute name: ${token}`)
      );
    }
    if (RESERVED.has(token.toUpperCase())) this.wrong(`Attribute name is a reserved keyword; reserved keyword: ${token}`);
    return token;
  }
}
