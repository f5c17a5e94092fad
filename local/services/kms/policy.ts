import { refuse } from '../../world/service.ts';
import type { Caller } from '../../world/world.ts';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | { readonly AWS?: string | readonly string[] };
  readonly Action?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | boolean | readonly string[]>>>>;
}

/** One operation that a caller asks for, by itself or through a service such as `ec2.eu-west-1.amazonaws.com`. */
export interface Asked {
  readonly operation: string;
  readonly caller: Caller;
  readonly via: string | undefined;
}

export const refuseMalformed = (policy: string): void => void statementsIn(policy);

/**
 * Whether a key's policy lets a caller do something (KMS guide, "Key policies"). An explicit deny wins. Conditions that are not modelled
 * match nothing in an Allow and everything in a Deny: never too open.
 */
export function admits(policy: string, asked: Asked): boolean {
  const matching = statementsIn(policy).filter((statement) => matches(statement, asked));
  return matching.length > 0 && matching.every(({ Effect }) => Effect === 'Allow');
}

/** A caller by every name that a policy or a grant may call it: an assumed role by its session, its role and its account. */
export const namesOf = (caller: Caller): readonly string[] => [
  caller.account,
  caller.arn,
  `arn:aws:iam::${caller.account}:root`,
  principalOf(caller),
];

/** A session counts as its role (IAM guide, "aws:PrincipalArn"). */
const principalOf = ({ arn }: Caller): string =>
  arn.replace(/^arn:aws:sts::(\d+):assumed-role\/([^/]+)\/.*$/, 'arn:aws:iam::$1:role/$2');

function statementsIn(policy: string): readonly Statement[] {
  try {
    const { Statement } = JSON.parse(policy) as { Statement: Statement | Statement[] };
    const statements = [Statement].flat();
    if (statements.every(({ Effect }) => Effect === 'Allow' || Effect === 'Deny')) return statements;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  return refuse('MalformedPolicyDocumentException', 'The policy is no JSON with statements that allow or deny.');
}

const listed = (value: string | readonly string[] | undefined): readonly string[] => (value === undefined ? [] : [value].flat());

function matches({ Effect, Principal, Action, Condition = {} }: Statement, asked: Asked): boolean {
  const names = namesOf(asked.caller);
  const principals = listed(typeof Principal === 'object' ? Principal.AWS : Principal);
  return (
    principals.some((name) => name === '*' || names.includes(name)) &&
    listed(Action).some((pattern) => like(pattern.toLowerCase(), `kms:${asked.operation}`.toLowerCase())) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(
        ([key, wanted]) => holds(operator, key, [wanted].flat().map(String), asked) ?? Effect === 'Deny',
      ),
    )
  );
}

/** Undefined where the condition is not one that is known here. */
function holds(operator: string, key: string, wanted: readonly string[], asked: Asked): boolean | undefined {
  const known: Readonly<Record<string, string | undefined>> = {
    'kms:calleraccount': asked.caller.account,
    'aws:principalaccount': asked.caller.account,
    'aws:principalarn': principalOf(asked.caller),
    'kms:viaservice': asked.via,
    'kms:grantisforawsresource': asked.via === undefined ? undefined : 'true',
  };
  if (!Object.hasOwn(known, key.toLowerCase())) return undefined;
  const actual = known[key.toLowerCase()];
  if (['StringEquals', 'Bool', 'StringLike', 'ArnLike', 'ArnEquals'].includes(operator))
    return actual !== undefined && wanted.some((pattern) => like(pattern, actual));
  if (operator === 'StringNotEquals') return actual === undefined || !wanted.includes(actual);
  return undefined;
}

function like(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}
