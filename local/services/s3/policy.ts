import { refuse } from '../../world/service.ts';
import type { Caller } from '../../world/world.ts';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: Principal;
  readonly NotPrincipal?: Principal;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | boolean | readonly string[]>>>>;
}

type Principal = '*' | { readonly AWS?: string | readonly string[]; readonly Service?: string | readonly string[] };

export interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly caller: Caller;
  /** Condition keys of this request in lower case, such as `s3:if-none-match`; undefined where the request does not carry them. */
  readonly conditions: Conditions;
}

export type Conditions = Readonly<Record<string, string | undefined>>;

/**
 * A bucket policy. An explicit deny wins over any allow (IAM guide, "Policy evaluation logic"). Condition operators that are not modelled
 * match nothing in an Allow and everything in a Deny: never too open.
 */
export class Policy {
  readonly text: string;
  readonly #statements: readonly Statement[];

  /** Refuses what is not a policy. */
  constructor(text: string) {
    this.text = text;
    this.#statements = statementsIn(text);
  }

  verdict(asked: Asked): 'allow' | 'deny' | undefined {
    const matching = this.#statements.filter((statement) => matches(statement, asked));
    if (matching.some(({ Effect }) => Effect === 'Deny')) return 'deny';
    return matching.length > 0 ? 'allow' : undefined;
  }
}

function statementsIn(text: string): Statement[] {
  try {
    const { Statement } = JSON.parse(text) as { Statement: Statement | Statement[] };
    const statements = [Statement].flat();
    if (statements.every(({ Effect }) => Effect === 'Allow' || Effect === 'Deny')) return statements;
    return refuse('MalformedPolicy', 'Invalid effect: must be Allow or Deny');
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      return refuse('MalformedPolicy', 'Policies must be valid JSON and the first byte must be "{"');
    throw error;
  }
}

const listed = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : [value].flat());

function matches(statement: Statement, asked: Asked): boolean {
  const { Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const is = (pattern: string) => like(pattern.toLowerCase(), asked.action.toLowerCase());
  const covers = (pattern: string) => like(pattern, asked.resource);
  return (
    (NotPrincipal ? !names(NotPrincipal, asked.caller) : names(Principal, asked.caller)) &&
    (NotAction ? !listed(NotAction).some(is) : listed(Action).some(is)) &&
    (NotResource ? !listed(NotResource).some(covers) : listed(Resource).some(covers)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) =>
        holds(operator, conditionOf(key.toLowerCase(), asked), [wanted].flat().map(String), Effect),
      ),
    )
  );
}

/** An assumed role is named by its role, by its session or by its account. */
function names(principal: Principal | undefined, { account, arn }: Caller): boolean {
  const role = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn);
  const known = [account, arn, `arn:aws:iam::${account}:root`, ...(role ? [`arn:aws:iam::${role[1]}:role/${role[2]}`] : [])];
  return listed(typeof principal === 'object' ? principal.AWS : principal).some((name) => name === '*' || known.includes(name));
}

/** Requests are taken to come over TLS: the local AWS stands for one that has it. */
function conditionOf(key: string, { caller, conditions }: Asked): string | undefined {
  if (key === 'aws:securetransport') return 'true';
  if (key === 'aws:principalaccount') return caller.account;
  if (key === 'aws:principalarn')
    return caller.arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2');
  return conditions[key];
}

function holds(operator: string, actual: string | undefined, wanted: readonly string[], effect: Statement['Effect']): boolean {
  const patterns = () => actual !== undefined && wanted.some((pattern) => like(pattern, actual));
  switch (operator) {
    case 'Null':
      return wanted.includes(String(actual === undefined));
    case 'Bool':
      return actual !== undefined && wanted.includes(actual);
    case 'StringEquals':
      return actual !== undefined && wanted.includes(actual);
    case 'StringNotEquals':
      return actual === undefined || !wanted.includes(actual);
    case 'StringLike':
    case 'ArnLike':
    case 'ArnEquals':
      return patterns();
    case 'StringNotLike':
    case 'ArnNotLike':
    case 'ArnNotEquals':
      return !patterns();
    default:
      return effect === 'Deny';
  }
}

const EXPRESSIONS = new Map<string, RegExp>();

function like(pattern: string, text: string): boolean {
  let expression = EXPRESSIONS.get(pattern);
  if (!expression) {
    const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
    expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
    EXPRESSIONS.set(pattern, expression);
  }
  return expression.test(text);
}
