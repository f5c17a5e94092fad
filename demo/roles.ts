import type { Call } from '../functions/aws/call.ts';
import type { Place } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import { callsOf } from '../functions/kinds/kind.ts';
import { roleName } from '../functions/vault/layout.ts';
import { Refusal } from '../local/world/service.ts';
import type { World } from '../local/world/world.ts';

/** The roles with which AWS's own services act on our behalf, as the calls say that hand them over. */
export async function makeServiceRoles(world: World, place: Place): Promise<void> {
  const calls: Call[] = (await loadKinds()).flatMap((kind) => callsOf(kind).flatMap(({ calls }) => Object.values(calls)));
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
  try {
    await call('CreateRole', { RoleName, AssumeRolePolicyDocument });
  } catch (error) {
    if (error instanceof Refusal && error.code === 'EntityAlreadyExistsException') return;
    throw error;
  }
  await call('PutRolePolicy', { RoleName, PolicyName: 'calls', PolicyDocument: policy({ Action, Resource: '*' }) });
}
