import { type Condition, conditionsOf, Malformed } from './conditions.ts';
import { type Pattern, patternOf } from './pattern.ts';

/** Whom a statement of a resource's policy names: everybody, or accounts, principals and AWS services. */
export type Named = '*' | { readonly aws: readonly string[]; readonly service: readonly string[] };

/** One statement, ready to be asked. A `not` list matches what it does not name. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Pattern;
  readonly notActions: boolean;
  /** Absent in trust policies: they are about the role that they belong to. */
  readonly resources: Pattern | undefined;
  readonly notResources: boolean;
  readonly principals: Named | undefined;
  readonly notPrincipals: boolean;
  readonly conditions: readonly Condition[];
}

/** A policy as text and as what it says. */
export interface Document {
  readonly text: string;
  readonly statements: readonly Statement[];
}

/** What a policy is attached to decides which elements it must have (IAM guide, "IAM JSON policy elements: Principal"). */
export type Attached = 'identity' | 'resource' | 'trust';

const KNOWN = new Map<string, Document>();
const KEPT = 2000;

/** Compiles a policy, each text once. Throws Malformed. */
export function documentOf(text: string, attached: Attached): Document {
  const key = `${attached} ${text}`;
  const known = KNOWN.get(key);
  if (known) return known;
  const document = { text, statements: statementsIn(text).map((statement) => compile(statement, attached)) };
  if (KNOWN.size >= KEPT) KNOWN.clear();
  KNOWN.set(key, document);
  return document;
}

function statementsIn(text: string): Raw[] {
  let policy: { Statement?: Raw | Raw[]; Version?: string };
  try {
    policy = JSON.parse(text);
  } catch {
    throw new Malformed('Syntax errors in policy.');
  }
  if (typeof policy !== 'object' || policy === null || policy.Statement === undefined)
    throw new Malformed('Policy document must contain at least one statement.');
  if (!['2012-10-17', '2008-10-17', undefined].includes(policy.Version))
    throw new Malformed(`The policy must contain a valid version string, not ${policy.Version}.`);
  return [policy.Statement].flat();
}

type Many = string | readonly string[];
interface Raw {
  readonly Effect?: string;
  readonly Action?: Many;
  readonly NotAction?: Many;
  readonly Resource?: Many;
  readonly NotResource?: Many;
  readonly Principal?: RawPrincipal;
  readonly NotPrincipal?: RawPrincipal;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
type RawPrincipal = '*' | { readonly AWS?: Many; readonly Service?: Many; readonly Federated?: Many };

const listed = (value: Many | undefined): readonly string[] | undefined => (value === undefined ? undefined : [value].flat());

function compile(raw: Raw, attached: Attached): Statement {
  const { Effect } = raw;
  if (Effect !== 'Allow' && Effect !== 'Deny') throw new Malformed('Invalid effect: must be Allow or Deny');
  const actions = listed(raw.Action ?? raw.NotAction);
  const resources = listed(raw.Resource ?? raw.NotResource);
  const principal = raw.Principal ?? raw.NotPrincipal;
  if (!actions?.length) throw new Malformed('Policy statement must contain actions.');
  if (attached === 'trust' ? resources : !resources?.length)
    throw new Malformed(attached === 'trust' ? 'Has prohibited field Resource' : 'Policy statement must contain resources.');
  if ((attached === 'identity') === (principal !== undefined))
    throw new Malformed(
      attached === 'identity' ? 'Policy document should not specify a principal.' : 'Missing required field Principal',
    );
  const bad = actions.find((action) => action !== '*' && !/^[\w-]+:[\w*?-]+$/.test(action));
  if (bad !== undefined)
    throw new Malformed(`Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc., not ${bad}.`);
  return {
    effect: Effect,
    actions: patternOf(actions.map((action) => action.toLowerCase())),
    notActions: raw.NotAction !== undefined,
    resources: resources && patternOf(resources),
    notResources: raw.NotResource !== undefined,
    principals: principal && namedBy(principal),
    notPrincipals: raw.NotPrincipal !== undefined,
    conditions: conditionsOf(raw.Condition ?? {}),
  };
}

function namedBy(principal: RawPrincipal): Named {
  if (typeof principal === 'string') {
    if (principal !== '*') throw new Malformed(`Invalid principal in policy: "${principal}"`);
    return '*';
  }
  const aws = listed(principal.AWS) ?? [];
  return aws.includes('*') ? '*' : { aws, service: listed(principal.Service) ?? [] };
}
