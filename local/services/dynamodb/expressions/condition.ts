import { addNumbers, normalise } from '../number.ts';
import { validation } from '../refusals.ts';
import { compare, elements, equal, type Item, typeOf, type Value } from '../value.ts';
import type { Comparator, Condition, Operand } from './parser.ts';
import { at } from './path.ts';

/** What an operand is worth for an item; undefined where the item has nothing there. */
export function resolve(operand: Operand, item: Item): Value | undefined {
  switch (operand.is) {
    case 'value':
      return operand.value;
    case 'path':
      return at(item, operand.path);
    case 'size':
      return sizeOfOperand(resolve(operand.of, item));
    case 'if_not_exists':
      return at(item, operand.path) ?? resolve(operand.otherwise, item);
    case 'list_append': {
      const [first, second] = [there(operand.first, item).L, there(operand.second, item).L];
      return first && second ? { L: [...first, ...second] } : wrongType();
    }
    case 'sum': {
      const [first, second] = [there(operand.first, item).N, there(operand.second, item).N];
      return first !== undefined && second !== undefined ? { N: addNumbers(first, second, operand.sign) } : wrongType();
    }
  }
}

export const wrongType = (): never => validation('An operand in the update expression has an incorrect data type');

/** An operand of an update, which must be worth something. */
export const there = (operand: Operand, item: Item): Value =>
  resolve(operand, item) ?? validation('The provided expression refers to an attribute that does not exist in the item');

function sizeOfOperand(value: Value | undefined): Value | undefined {
  const size = value?.S?.length ?? value?.B?.length ?? value?.L?.length ?? (value?.M ? Object.keys(value.M).length : undefined);
  if (size !== undefined) return { N: String(size) };
  const set = value ? elements(value) : [];
  return set.length > 0 ? { N: String(set.length) } : undefined;
}

/** Whether an item meets a condition. Nothing met is nothing demanded; what an item lacks compares with nothing. */
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
    case 'attribute_type': {
      const value = resolve(condition.first, item);
      return value !== undefined && typeOf(value) === resolve(condition.second, item)?.S;
    }
    case 'begins_with':
      return begins(resolve(condition.first, item), resolve(condition.second, item));
    case 'contains':
      return contains(resolve(condition.first, item), resolve(condition.second, item));
  }
}

const IN_ORDER: Readonly<Record<Exclude<Comparator, '=' | '<>'>, (order: number) => boolean>> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

export function compared(operator: Comparator, first: Value | undefined, second: Value | undefined): boolean {
  if (operator === '=') return equal(first, second);
  if (operator === '<>') return !equal(first, second);
  const order = first && second && compare(first, second);
  return order !== undefined && IN_ORDER[operator](order);
}

export function begins(value: Value | undefined, prefix: Value | undefined): boolean {
  if (value?.S !== undefined && prefix?.S !== undefined) return value.S.startsWith(prefix.S);
  if (value?.B === undefined || prefix?.B === undefined) return false;
  return Buffer.compare(value.B.subarray(0, prefix.B.length), prefix.B) === 0;
}

function contains(value: Value | undefined, part: Value | undefined): boolean {
  if (!value || !part) return false;
  if (value.S !== undefined && part.S !== undefined) return value.S.includes(part.S);
  if (value.B !== undefined && part.B !== undefined) return Buffer.from(value.B).includes(Buffer.from(part.B));
  if (value.L) return value.L.some((one) => equal(one, part));
  if (value.SS) return part.S !== undefined && value.SS.includes(part.S);
  if (value.NS) return part.N !== undefined && elements(value).includes(normalise(part.N));
  return (
    value.BS !== undefined && part.B !== undefined && value.BS.some((one) => Buffer.compare(one, part.B as Uint8Array) === 0)
  );
}
