import type { Keys } from './conditions.ts';
import type { Document, Named, Statement } from './document.ts';
import type { Variable } from './pattern.ts';

/** One action on one resource, as a request asks for it. */
export interface Asked {
  /** `ec2:CreateTags` */
  readonly action: string;
  /** An ARN, or `*`. */
  readonly resource: string;
  /** The account whose resource it is. */
  readonly owner: string;
  readonly keys: Keys;
}

/** Who asks, and what its own policies say. */
export interface Principal {
  readonly kind: 'root' | 'role' | 'service';
  readonly account: string;
  /** As AWS calls it in its answers: of a role, its session. */
  readonly arn: string;
  /** By which a policy may name it, and it alone. */
  readonly names: readonly string[];
  readonly identity: readonly Document[];
  /** What bounds its own policies, where it has a permissions boundary. */
  readonly boundary?: Document | undefined;
}

/** What the resource's own policy says. */
export interface Guard {
  readonly policy?: Document | undefined;
  /** Whether nothing is allowed that the policy does not allow, to nobody: key policies and role trust policies. */
  readonly decides?: boolean;
  /** Whether the resource lets this principal in beside its policy, as a KMS grant does. */
  readonly grants?: boolean;
  /** What AWS calls the policy in its answers. */
  readonly called?: string;
}

/** Allowed, or why not, in the words of the IAM guide, "Access denied error message examples". */
export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly because: string };

const ALLOWED: Verdict = { allowed: true };

/**
 * Whether a principal may do something (IAM guide, "Policy evaluation logic" and "Cross-account policy evaluation logic"): an explicit deny
 * wins over every allow; within an account it is enough that the principal's policies allow, or the resource's policy names the principal
 * itself; from another account both must allow. An account's root is allowed all that a resource of its own does not deny.
 */
export function evaluate(
  asked: Asked,
  principal: Principal,
  { policy, decides = false, grants = false, called }: Guard = {},
): Verdict {
  const resourceBased = called ?? 'resource-based policy';
  const own = says(principal.identity, asked);
  const bound = principal.boundary === undefined ? 'allow' : says([principal.boundary], asked);
  const there = policy === undefined ? undefined : resourceSays(policy, asked, principal);
  if (own === 'deny') return denied('with an explicit deny in an identity-based policy');
  if (there === 'deny') return denied(`with an explicit deny in a ${resourceBased}`);
  if (bound === 'deny') return denied('with an explicit deny in a permissions boundary');
  const local = principal.account === asked.owner;
  if (principal.kind === 'root' && local) return ALLOWED;
  if (principal.kind === 'service' || grants) return grants || there !== undefined ? ALLOWED : missing(resourceBased, asked);
  if (local && there === 'direct' && bound === 'allow') return ALLOWED;
  if ((decides || !local) && there === undefined) return missing(resourceBased, asked);
  if (principal.kind === 'root') return ALLOWED; // the resource lets it in, and nothing bounds it in its own account
  if (own !== 'allow') return missing('identity-based policy', asked);
  return bound === 'allow' ? ALLOWED : missing('permissions boundary', asked);
}

const denied = (because: string): Verdict => ({ allowed: false, because });
const missing = (policy: string, { action }: Asked): Verdict => denied(`because no ${policy} allows the ${action} action`);

function says(documents: readonly Document[], asked: Asked): 'allow' | 'deny' | undefined {
  let allowed = false;
  for (const { statements } of documents) {
    for (const statement of statements) {
      if (allowed && statement.effect === 'Allow') continue;
      if (!covers(statement, asked)) continue;
      if (statement.effect === 'Deny') return 'deny';
      allowed = true;
    }
  }
  return allowed ? 'allow' : undefined;
}

/** `direct` where the principal itself is let in; `account` where its account is, which then decides by its own policies. */
function resourceSays({ statements }: Document, asked: Asked, principal: Principal): 'deny' | 'direct' | 'account' | undefined {
  let found: 'direct' | 'account' | undefined;
  for (const statement of statements) {
    const named = namedIn(statement, principal);
    if (named === undefined || !covers(statement, asked)) continue;
    if (statement.effect === 'Deny') return 'deny';
    if (found !== 'direct') found = named;
  }
  return found;
}

function namedIn({ principals, notPrincipals }: Statement, principal: Principal): 'direct' | 'account' | undefined {
  if (principals === undefined) return undefined;
  const named = namedAs(principals, principal);
  if (!notPrincipals) return named;
  return named === undefined ? 'direct' : undefined;
}

function namedAs(principals: Named, { account, names, kind }: Principal): 'direct' | 'account' | undefined {
  if (principals === '*') return 'direct';
  if (kind === 'service') return principals.service.some((name) => names.includes(name)) ? 'direct' : undefined;
  if (principals.aws.some((name) => names.includes(name))) return 'direct';
  return principals.aws.some((name) => name === account || name === `arn:aws:iam::${account}:root`) ? 'account' : undefined;
}

function covers(statement: Statement, { action, resource, keys }: Asked): boolean {
  const { actions, notActions, resources, notResources, conditions } = statement;
  if (actions.matches(action.toLowerCase()) === notActions) return false;
  if (resources !== undefined && resources.matches(resource, variableIn(keys)) === notResources) return false;
  return conditions.every((condition) => condition.holds(keys));
}

const variableIn =
  (keys: Keys): Variable =>
  (name) => {
    const value = keys(name);
    return typeof value === 'string' ? value : undefined;
  };
