import { validation } from '../refusals.ts';
import type { Value } from '../value.ts';
import { type Condition, Parser, type Placeholders } from './parser.ts';
import { type Path, refuseOverlaps } from './path.ts';
import { parseUpdate, type Update } from './update.ts';

/** The members of a request that expressions draw on. */
export interface Named {
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  readonly ExpressionAttributeValues?: Record<string, Value> | undefined;
}

type Kind = 'ConditionExpression' | 'FilterExpression' | 'KeyConditionExpression' | 'UpdateExpression' | 'ProjectionExpression';

/** The expressions of one request, which knows in the end whether every placeholder was used. */
export class Expressions {
  readonly #placeholders: Placeholders;
  readonly #usedNames = new Set<string>();
  readonly #usedValues = new Set<string>();
  #any = false;

  constructor({ ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Named) {
    this.#placeholders = { names, values };
    check(names, 'ExpressionAttributeNames', '#');
    check(values, 'ExpressionAttributeValues', ':');
  }

  condition(text: string | undefined, kind: Kind = 'ConditionExpression'): Condition | undefined {
    return this.#parse(text, kind, (parser) => parser.condition());
  }

  update(text: string | undefined): Update | undefined {
    return this.#parse(text, 'UpdateExpression', parseUpdate);
  }

  projection(text: string | undefined): Path[] | undefined {
    return this.#parse(text, 'ProjectionExpression', (parser) => {
      const paths = [parser.path()];
      while (parser.skip(',')) paths.push(parser.path());
      refuseOverlaps(paths, parser);
      return paths;
    });
  }

  /** DynamoDB refuses placeholders that nothing uses. */
  finish(): void {
    const { names, values } = this.#placeholders;
    this.#refuseIdle(names, 'ExpressionAttributeNames', this.#usedNames);
    this.#refuseIdle(values, 'ExpressionAttributeValues', this.#usedValues);
  }

  #refuseIdle(placeholders: object | undefined, kind: string, used: ReadonlySet<string>): void {
    if (!placeholders) return;
    if (!this.#any) validation(`${kind} can only be specified when using expressions`);
    const idle = Object.keys(placeholders).filter((name) => !used.has(name));
    if (idle.length > 0) validation(`Value provided in ${kind} unused in expressions: keys: {${idle.join(', ')}}`);
  }

  #parse<T>(text: string | undefined, kind: Kind, parse: (parser: Parser) => T): T | undefined {
    if (text === undefined) return undefined;
    this.#any = true;
    const parser = new Parser(text, kind, this.#placeholders);
    const parsed = parse(parser);
    parser.end();
    for (const name of parser.usedNames) this.#usedNames.add(name);
    for (const value of parser.usedValues) this.#usedValues.add(value);
    return parsed;
  }
}

function check(placeholders: object | undefined, kind: string, mark: string): void {
  if (!placeholders) return;
  const names = Object.keys(placeholders);
  if (names.length === 0) validation(`${kind} must not be empty`);
  const wrong = names.find((name) => !name.startsWith(mark) || !/^.\w+$/.test(name));
  if (wrong !== undefined) validation(`${kind} contains invalid key: Syntax error; key: "${wrong}"`);
}
