import type { Call } from '../functions/aws/call.ts';
import type { Place } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import { roleName } from '../functions/vault/layout.ts';
import { type KindVerb, kindVerb } from '../functions/workflows/step.ts';
import { Refusal } from '../local/world/service.ts';
import type { World } from '../local/world/world.ts';

const VERBS: readonly KindVerb[] = [
  'discover',
  'preview',
  'strays',
  'expire',
  'capture.start',
  'capture.settle',
  'copy.start',
  'copy.settle',
  'restore.start',
  'restore.settle',
];

/** The roles with which AWS's own services act on our behalf, as the calls say that hand them over. */
export async function makeServiceRoles(world: World, place: Place): Promise<void> {
  const calls = (await loadKinds()).flatMap((kind) =>
    VERBS.flatMap((verb) => Object.values(kindVerb(kind, verb).calls) as Call[]),
  );
  const byName = Map.groupBy(
    calls.flatMap(({ passes }) => passes ?? []),
    ({ name }) => name,
  );
  for (const [name, roles] of byName)
    await makeRole(world, place, name, roles[0]!.service, [...new Set(roles.flatMap(({ does }) => does))]);
}

/** A role that one AWS service assumes; one that is there already stays. */
export async function makeRole(
  world: World,
  place: Place,
  what: string,
  Service: string,
  Action: readonly string[],
): Promise<void> {
  const RoleName = roleName(what, place);
  const call = (operation: string, input: object) => world.call({ place, service: 'iam', operation, input });
  const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const AssumeRolePolicyDocument = policy({ Principal: { Service }, Action: 'sts:AssumeRole' });
  await call('CreateRole', { RoleName, AssumeRolePolicyDocument }).catch((error: unknown) => {
    if (!(error instanceof Refusal && error.code === 'EntityAlreadyExistsException')) throw error;
  });
  await call('PutRolePolicy', { RoleName, PolicyName: 'calls', PolicyDocument: policy({ Action, Resource: '*' }) });
}
