import { CfnManagedPolicy, CfnRole, type CfnRoleProps } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { actionsOf } from '../functions/aws/actions.ts';
import { type Call, type Calls, isMade, operationOf } from '../functions/aws/call.ts';
import { otherAccount, type Place, samePlace } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import { functionName, roleArn, roleName, roleOfGuest } from '../functions/vault/layout.ts';
import { letsIn } from '../functions/vault/policy.ts';
import { type AnyStep, holds, kindVerb, type Uses } from '../functions/workflows/step.ts';
import { type Around, type Asked, type Scope, scopesOf, serviceOf, TAGGING } from './scope.ts';

export interface Statement extends Scope {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: readonly string[];
}

/** What a bucket's default encryption does with its key in the caller's name (S3 guide, "Using server-side encryption with AWS KMS keys"). */
const S3_KEYS = { reads: 'kms:Decrypt', writes: 'kms:GenerateDataKey' };

/** The calls that a step declares: its own verbs', and those of the kinds' verbs that it uses. */
export async function callsOfStep(step: AnyStep): Promise<{ own: Call[]; theirs: Call[] }> {
  const kinds = step.kinds ? await loadKinds() : [];
  return {
    own: Object.values(step.uses as Uses).flatMap(({ calls }) => Object.values(calls as Calls)),
    theirs: kinds.flatMap((kind) =>
      (step.kinds ?? []).flatMap((verb) => (holds(step, verb, kind) ? Object.values(kindVerb(kind, verb).calls) : [])),
    ),
  };
}

/** Every action that a step needs where it stands and in its own account's homes, derived from the calls that it and the kinds' verbs it uses declare. */
export async function askedBy(step: AnyStep, { here, homes }: Around): Promise<Asked[]> {
  if (step.duty === 'copy' && homes.every((home) => samePlace(home, here))) return []; // nobody else's points are kept here
  const near = homes.filter((home) => !otherAccount(home, here));
  return askedAt(step, (call) => {
    if (call.at === 'home') return near.filter((home) => isMade(call, { here, home }));
    return homes.some((home) => isMade(call, { here, home })) ? [here] : [];
  });
}

/** Every action that a step of a vault in another account needs at a home. */
export const askedAtHome = (step: AnyStep, here: Place, home: Place): Promise<Asked[]> =>
  askedAt(step, (call) => (call.at === 'home' && isMade(call, { here, home }) ? [home] : []));

async function askedAt(step: AnyStep, placesOf: (call: Call) => readonly Place[]): Promise<Asked[]> {
  const { own, theirs } = await callsOfStep(step);
  const asked = (call: Call, of: Asked['of']): Asked[] => {
    const places = placesOf(call);
    if (places.length === 0) return [];
    const needed = [...actionsOf(call), ...call.also];
    const name = `${call.service}:${operationOf(call)}`;
    const tagged = call.also.some((action) => TAGGING.test(action));
    const common = { duty: step.duty, of, tagged, places, ...(call.passes ? { passes: call.passes } : {}) };
    const keys = of === 'kind' ? keysOf(needed) : [];
    return [
      ...needed.map((action) => ({ action, call: name, ...common })),
      ...keys.map((action) => ({ action, call: 's3:Object', ...common })),
    ];
  };
  return [...own.flatMap((call) => asked(call, 'ledger')), ...theirs.flatMap((call) => asked(call, 'kind'))];
}

/** Data lies under keys, the application's or ours: whoever reads or writes objects lets S3 use them. A write in parts reads too. */
const keysOf = (actions: readonly string[]): string[] => [
  ...(actions.some((action) => /^s3:(GetObject|GetObjectVersion|PutObject)$/.test(action)) ? [S3_KEYS.reads] : []),
  ...(actions.includes('s3:PutObject') ? [S3_KEYS.writes] : []),
];

/** The least that a step can run with. */
export const statementsOf = async (step: AnyStep, around: Around): Promise<Statement[]> =>
  statementsFor(await askedBy(step, around), around);

/** One statement for all actions of one scope. */
export async function statementsFor(all: readonly Asked[], around: Around): Promise<Statement[]> {
  const byScope = new Map<string, { scope: Scope; actions: Set<string> }>();
  for (const asked of all) {
    for (const scope of await scopesOf(asked, around)) {
      if (scope.Resource?.length === 0) continue; // no application has a hook, say
      const key = JSON.stringify([serviceOf(asked.action), scope]);
      const group = byScope.get(key) ?? { scope, actions: new Set() };
      byScope.set(key, { scope, actions: group.actions.add(asked.action) });
    }
  }
  return [...byScope.values()].map(({ scope, actions }) => ({ Effect: 'Allow', Action: [...actions].sort(), ...scope }));
}

const logging = ({ account, region }: Place, step: AnyStep): Statement => ({
  Effect: 'Allow',
  Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  Resource: [`arn:aws:logs:${region}:${account}:log-group:/aws/lambda/${functionName(step.name)}:*`],
});

/** The roles in which a step works at homes of other accounts. */
async function visiting(step: AnyStep, { here, homes }: Around): Promise<Statement[]> {
  const far = homes.filter((home) => otherAccount(home, here));
  const asked = await Promise.all(far.map((home) => askedAtHome(step, here, home)));
  const Resource = far.filter((_, index) => asked[index]!.length > 0).map((home) => roleArn(roleOfGuest(step.name, here), home));
  return Resource.length > 0 ? [{ Effect: 'Allow', Action: ['sts:AssumeRole'], Resource }] : [];
}

/** Characters that IAM takes: of all inline policies of a role, and of each policy beside them (IAM guide, "IAM and AWS STS quotas"). */
const INLINE = 10_240;
const BESIDE = 6_144;
/** What a policy has around its statements. */
const FRAME = JSON.stringify(policyOf([])).length;

/** The statements in order, as many in each part as fit. */
function parts(statements: readonly Statement[]): Statement[][] {
  const found: Statement[][] = [[]];
  let left = INLINE - FRAME;
  for (const statement of statements) {
    const size = JSON.stringify(statement).length + 1;
    if (size > left) {
      found.push([]);
      left = BESIDE - FRAME;
    }
    found.at(-1)!.push(statement);
    left -= size;
  }
  return found;
}

function policyOf(Statement: readonly Statement[]): object {
  return { Version: '2012-10-17', Statement };
}

/** Who takes a role: one AWS service, for this account only; or roles of another account, by their ARNs. */
export type Trusted = string | readonly string[];

const trustOf = (trusted: Trusted, { account }: Place): object => {
  if (typeof trusted !== 'string') return { Version: '2012-10-17', Statement: letsIn(trusted, ['sts:AssumeRole']) };
  const inAccount = { Condition: { StringEquals: { 'aws:SourceAccount': account } } };
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: trusted },
        Action: 'sts:AssumeRole',
        ...(trusted === 'lambda.amazonaws.com' ? {} : inAccount),
      },
    ],
  };
};

/** A role; its policies are whole and its own. What does not fit inside stands in policies beside it. */
export function role(
  scope: Construct,
  what: string,
  place: Place,
  trusted: Trusted,
  statements: readonly Statement[],
  more: Partial<CfnRoleProps> = {},
): CfnRole {
  const [inside = [], ...beside] = parts(statements);
  const policies = beside.map(
    (part, index) =>
      new CfnManagedPolicy(scope, `Policy-${what}-${index + 2}`, {
        managedPolicyName: `${roleName(what, place)}-${index + 2}`,
        description: `More of what ${roleName(what, place)} may do; IAM has a limit to what fits into a role`,
        policyDocument: policyOf(part),
      }),
  );
  return new CfnRole(scope, `Role-${what}`, {
    roleName: roleName(what, place),
    assumeRolePolicyDocument: trustOf(trusted, place),
    policies: [{ policyName: 'calls', policyDocument: policyOf(inside) }],
    ...(policies.length > 0 ? { managedPolicyArns: policies.map(({ ref }) => ref) } : {}),
    ...more,
  });
}

/** The role of a step's function: what its calls need, its log, and whatever else where it runs asks for. */
export const stepRole = async (
  scope: Construct,
  step: AnyStep,
  around: Around,
  more: readonly Statement[] = [],
): Promise<CfnRole> =>
  role(scope, step.name, around.here, 'lambda.amazonaws.com', [
    ...(await statementsOf(step, around)),
    ...(await visiting(step, around)),
    logging(around.here, step),
    ...more,
  ]);
