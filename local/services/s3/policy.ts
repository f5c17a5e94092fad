import type { Caller } from '../../world/world.ts';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | { readonly AWS?: string | readonly string[]; readonly Service?: string | readonly string[] };
  readonly Action?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

interface Asked {
  readonly action: string;
  readonly resource: string;
  readonly caller: Caller;
  /** Condition keys of this request, such as `s3:if-none-match`; undefined where the request does not carry them. */
  readonly conditions: Readonly<Record<string, string | undefined>>;
}

/**
 * What a bucket's policy says of a request: an explicit deny wins over any allow (IAM guide, "Policy evaluation logic"). Condition operators
 * that are not modelled match nothing in an Allow and everything in a Deny: never too open.
 */
export function allowed(policy: string | undefined, asked: Asked): 'allow' | 'deny' | undefined {
  if (!policy) return undefined;
  const statements = [(JSON.parse(policy) as { Statement: Statement | Statement[] }).Statement].flat();
  const matching = statements.filter((statement) => matches(statement, asked));
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'deny';
  return matching.length > 0 ? 'allow' : undefined;
}

const listed = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : [value].flat());

function matches(
  { Effect, Principal, Action, Resource, Condition = {} }: Statement,
  { action, resource, caller, conditions }: Asked,
): boolean {
  const principals = Principal === '*' ? ['*'] : listed(Principal?.AWS);
  const root = `arn:aws:iam::${caller.account}:root`;
  return (
    principals.some(
      (principal) => principal === '*' || principal === caller.account || principal === root || principal === caller.arn,
    ) &&
    listed(Action).some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
    listed(Resource).some((pattern) => like(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, conditions[key.toLowerCase()], listed(wanted), Effect)),
    )
  );
}

function holds(operator: string, actual: string | undefined, wanted: readonly string[], effect: Statement['Effect']): boolean {
  switch (operator) {
    case 'Null':
      return wanted.includes(String(actual === undefined));
    case 'StringEquals':
      return actual !== undefined && wanted.includes(actual);
    case 'StringNotEquals':
      return actual === undefined || !wanted.includes(actual);
    case 'StringLike':
      return actual !== undefined && wanted.some((pattern) => like(pattern, actual));
    default:
      return effect === 'Deny';
  }
}

function like(pattern: string, text: string): boolean {
  const expression = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, 's').test(text);
}
