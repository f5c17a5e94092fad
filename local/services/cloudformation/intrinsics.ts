import { refuse } from '../../world/service.ts';

/** What intrinsic functions look things up in. */
export interface Scope {
  /** A parameter, a pseudo parameter or a resource. */
  ref(name: string): unknown;
  attribute(id: string, name: string): unknown;
  condition(name: string): boolean;
  mapped(map: string, first: string, second: string): unknown;
  zones(region: string): readonly string[];
}

/** `AWS::NoValue`: the property that it stands for is not there (CloudFormation guide, "Pseudo parameters reference"). */
export const NO_VALUE = Symbol('AWS::NoValue');

type Function = (argument: any, scope: Scope) => unknown;

const invalid: (message: string) => never = (message) => refuse('ValidationError', `Template error: ${message}`);
const text = (value: unknown): string =>
  typeof value === 'object' ? invalid('every value that is put into a text must be a text') : String(value);
const list = (value: unknown, name: string): readonly unknown[] =>
  Array.isArray(value) ? value : invalid(`every ${name} object requires a list`);

/** CloudFormation guide, "Intrinsic function reference" and "Rule-specific intrinsic functions". */
const FUNCTIONS: Readonly<Record<string, Function>> = {
  Ref: (name: string, scope) => scope.ref(name),
  'Fn::GetAtt': (argument: string | readonly [string, unknown], scope) => {
    const [id, name] = typeof argument === 'string' ? split(argument) : argument;
    return scope.attribute(id, text(resolve(name, scope)));
  },
  'Fn::Sub': (argument: string | readonly [string, Readonly<Record<string, unknown>>], scope) => {
    const [template, own = {}] = typeof argument === 'string' ? [argument] : argument;
    return template.replaceAll(PLACE, (_, literal: string | undefined, name: string) => {
      if (literal) return `\${${name}}`;
      if (Object.hasOwn(own, name)) return text(resolve(own[name], scope));
      return text(name.includes('.') ? scope.attribute(...split(name)) : scope.ref(name));
    });
  },
  'Fn::Join': ([delimiter, values]: readonly [string, unknown], scope) =>
    list(resolve(values, scope), 'Fn::Join').map(text).join(delimiter),
  'Fn::Split': ([delimiter, value]: readonly [string, unknown], scope) => text(resolve(value, scope)).split(delimiter),
  'Fn::Select': ([index, values]: readonly [unknown, unknown], scope) => {
    const found = list(resolve(values, scope), 'Fn::Select')[Number(resolve(index, scope))];
    return found ?? invalid('Fn::Select cannot select nonexistent value at index');
  },
  'Fn::If': ([name, then, otherwise]: readonly [string, unknown, unknown], scope) =>
    value(scope.condition(name) ? then : otherwise, scope),
  'Fn::Equals': ([one, other]: readonly [unknown, unknown], scope) =>
    JSON.stringify(resolve(one, scope)) === JSON.stringify(resolve(other, scope)),
  'Fn::Not': ([one]: readonly [unknown], scope) => !truth(one, scope),
  'Fn::And': (all: readonly unknown[], scope) => all.every((one) => truth(one, scope)),
  'Fn::Or': (all: readonly unknown[], scope) => all.some((one) => truth(one, scope)),
  'Fn::Contains': ([values, wanted]: readonly [unknown, unknown], scope) =>
    list(resolve(values, scope), 'Fn::Contains').includes(resolve(wanted, scope)),
  'Fn::FindInMap': (keys: readonly unknown[], scope) => {
    const [map, first, second] = keys.map((key) => text(resolve(key, scope))) as [string, string, string];
    return scope.mapped(map, first, second);
  },
  'Fn::Base64': (one: unknown, scope) => Buffer.from(text(resolve(one, scope))).toString('base64'),
  'Fn::GetAZs': (region: unknown, scope) => scope.zones(text(resolve(region, scope))),
};

const PLACE = /\$\{(!)?([^}]+)\}/g;

const split = (path: string): [string, string] => {
  const [id = '', ...rest] = path.split('.');
  return [id, rest.join('.')];
};

/** The only member of an object, if it has one only and that is a function's name. */
function called(object: object): readonly [string, unknown] | undefined {
  const [first, ...rest] = Object.entries(object);
  return first && rest.length === 0 && (first[0] === 'Ref' || first[0].startsWith('Fn::')) ? first : undefined;
}

/** A value with every function in it answered. What has no value is left out of lists and objects. */
export function resolve(written: unknown, scope: Scope): unknown {
  const found = value(written, scope);
  return found === NO_VALUE ? undefined : found;
}

function value(written: unknown, scope: Scope): unknown {
  if (Array.isArray(written)) return written.map((one) => value(one, scope)).filter((one) => one !== NO_VALUE);
  if (typeof written !== 'object' || written === null) return written;
  const call = called(written);
  if (!call) {
    return Object.fromEntries(
      Object.entries(written)
        .map(([name, one]) => [name, value(one, scope)] as const)
        .filter(([, one]) => one !== NO_VALUE),
    );
  }
  const [name, argument] = call;
  const run = FUNCTIONS[name];
  if (!run) refuse('NotImplemented', `The local CloudFormation does not model ${name}.`, { status: 501 });
  return run(argument, scope);
}

/** A condition: a function, or the name of another one. */
export function truth(written: unknown, scope: Scope): boolean {
  const { Condition } = (written ?? {}) as { Condition?: unknown };
  if (typeof Condition === 'string' && Object.keys(written as object).length === 1) return scope.condition(Condition);
  return resolve(written, scope) === true;
}

/** The names of parameters and resources that a value refers to, pseudo parameters left out. */
export function referencesIn(written: unknown, into = new Set<string>()): Set<string> {
  if (Array.isArray(written)) for (const one of written) referencesIn(one, into);
  else if (typeof written === 'object' && written !== null) {
    const [name, argument] = called(written) ?? [];
    if (name === 'Ref') note(argument as string, into);
    else if (name === 'Fn::GetAtt') note(typeof argument === 'string' ? split(argument)[0] : (argument as string[])[0]!, into);
    else if (name === 'Fn::Sub') {
      const [template, own = {}] = typeof argument === 'string' ? [argument] : (argument as [string, object]);
      for (const [, literal, place = ''] of template.matchAll(PLACE))
        if (!literal && !Object.hasOwn(own, place)) note(split(place)[0], into);
      referencesIn(own, into);
    } else for (const one of Object.values(written)) referencesIn(one, into);
  }
  return into;
}

const note = (name: string, into: Set<string>): void => {
  if (!name.startsWith('AWS::')) into.add(name);
};
