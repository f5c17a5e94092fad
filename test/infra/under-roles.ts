import type { Transport } from '../../functions/aws/transport.ts';
import { open, type Verb } from '../../functions/aws/verb.ts';
import type { Place } from '../../functions/domain.ts';
import type { Kind } from '../../functions/kinds/kind.ts';
import { roleName } from '../../functions/vault/layout.ts';
import { workflowsIn } from '../../functions/workflows/index.ts';
import { holds, type KindVerb } from '../../functions/workflows/step.ts';
import { direct } from '../../local/world/direct.ts';
import type { Caller, World } from '../../local/world/world.ts';
import { ofType, type Template } from './synthesised.ts';

/** Puts the roles of templates into a world, in place of what is there under their names, and lets them in to the clusters that are there. */
export async function putRoles(world: World, templates: Readonly<Record<string, Template>>): Promise<void> {
  for (const template of Object.values(templates)) {
    for (const policy of ofType(template, 'AWS::IAM::ManagedPolicy')) await putPolicy(world, template, policy);
    for (const role of ofType(template, 'AWS::IAM::Role')) await putRole(world, template, role);
    for (const entry of ofType(template, 'AWS::EKS::AccessEntry')) await putEntry(world, template, entry);
  }
}

const ask = (world: World, place: Place, service: string, operation: string, input: object): Promise<any> =>
  world.clock.settle(world.call({ place, service, operation, input }));

const already = (error: { code?: string }): void => {
  if (!/EntityAlreadyExists|ResourceInUse|ResourceNotFound/.test(error.code ?? '')) throw error;
};

const putPolicy = (
  world: World,
  { place }: Template,
  { ManagedPolicyName, PolicyDocument }: Record<string, any>,
): Promise<void> =>
  ask(world, place, 'iam', 'CreatePolicy', {
    PolicyName: ManagedPolicyName,
    PolicyDocument: JSON.stringify(PolicyDocument),
  }).catch(already);

async function putRole(world: World, { place, Resources }: Template, role: Record<string, any>): Promise<void> {
  const { RoleName, AssumeRolePolicyDocument, Policies = [], ManagedPolicyArns = [] } = role;
  const iam = (operation: string, input: object) => ask(world, place, 'iam', operation, { RoleName, ...input });
  const trust = JSON.stringify(AssumeRolePolicyDocument);
  await iam('CreateRole', { AssumeRolePolicyDocument: trust }).catch(already);
  await iam('UpdateAssumeRolePolicy', { PolicyDocument: trust });
  for (const { PolicyName, PolicyDocument } of Policies)
    await iam('PutRolePolicy', { PolicyName, PolicyDocument: JSON.stringify(PolicyDocument) });
  for (const { Ref } of ManagedPolicyArns)
    await iam('AttachRolePolicy', {
      PolicyArn: `arn:aws:iam::${place.account}:policy/${Resources[Ref]!.Properties['ManagedPolicyName']}`,
    });
}

/** A cluster that is not in this world has nobody to let in. */
async function putEntry(world: World, { place, Resources }: Template, entry: Record<string, any>): Promise<void> {
  const { ClusterName: clusterName, PrincipalArn, AccessPolicies = [] } = entry;
  const role = Resources[PrincipalArn['Fn::GetAtt'][0]]!.Properties['RoleName'];
  const principalArn = `arn:aws:iam::${place.account}:role/${role}`;
  await ask(world, place, 'eks', 'CreateAccessEntry', { clusterName, principalArn }).catch(already);
  for (const { PolicyArn: policyArn, AccessScope } of AccessPolicies) {
    const accessScope = { type: AccessScope.Type };
    await ask(world, place, 'eks', 'AssociateAccessPolicy', { clusterName, principalArn, policyArn, accessScope }).catch(already);
  }
}

/** The session in which a step's function works at a place. */
export const callerOf = (step: string, place: Place): Caller => ({
  account: place.account,
  arn: `arn:aws:sts::${place.account}:assumed-role/${roleName(step, place)}/stillpoint-${step}`,
});

/** The steps that hold a verb of the kinds, at a place. */
const holders = (verb: KindVerb, kind: Kind, isHome: boolean): string[] =>
  workflowsIn(isHome ? 'home' : 'vault').flatMap(({ steps }) =>
    steps.filter((step) => holds(step, verb, kind)).map(({ name }) => name),
  );

/**
 * A kind whose verbs go under the roles of the steps that hold them: of several, the one whose turn it is. A verb that no step holds at a
 * place goes as it came, since nothing deployed makes that call there.
 */
export function underRoles(kind: Kind, world: World, home: Place, turn: number): Kind {
  const under = (name: KindVerb, verb: Verb<any, any, any>): Verb<any, any, any> => ({
    calls: verb.calls,
    run(aws, input, scene) {
      const steps = holders(name, kind, scene.here.region === home.region);
      const step = steps[turn % steps.length];
      if (step === undefined) return verb.run(aws, input, scene);
      return open(verb, through(scene.transport, world, callerOf(step, scene.here)), scene.clock, scene)(input);
    },
  });
  const passage = (name: 'capture' | 'copy' | 'restore') => ({
    ...kind[name],
    start: under(`${name}.start`, kind[name].start),
    settle: under(`${name}.settle`, kind[name].settle),
  });
  return {
    ...kind,
    discover: under('discover', kind.discover),
    preview: under('preview', kind.preview),
    strays: under('strays', kind.strays),
    expire: under('expire', kind.expire),
    capture: passage('capture'),
    copy: passage('copy'),
    restore: passage('restore'),
  } as Kind;
}

interface As {
  readonly caller?: Caller;
}

/** The same way, with whatever stands in it, as another caller. */
const through = (transport: Transport, world: World, caller: Caller): Transport => ({
  send: (request) => transport.send({ ...request, caller } as typeof request & As),
  fetch: (request) => transport.fetch(request),
  clusterToken: (cluster, place) => direct(world, caller).clusterToken(cluster, place),
});

/** Direct dispatch as whom a request says, else as the account's root. */
export const dispatch = (world: World): Transport => ({
  ...direct(world),
  send: (request) => direct(world, (request as typeof request & As).caller).send(request),
});
