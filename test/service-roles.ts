import type { Call } from '../functions/aws/call.ts';
import type { Place } from '../functions/domain.ts';
import { loadKinds } from '../functions/kinds/index.ts';
import { callsOf } from '../functions/kinds/kind.ts';
import { roleName } from '../functions/vault/layout.ts';
import type { World } from '../local/world/world.ts';

/** The roles with which AWS's own services act on our behalf, as the calls say that hand them over; on everything, as no template scopes them here. */
export async function makeServiceRoles(world: World, place: Place): Promise<void> {
  const calls: Call[] = (await loadKinds()).flatMap((kind) => callsOf(kind).flatMap(({ calls }) => Object.values(calls)));
  const byName = Map.groupBy(
    calls.flatMap(({ passes }) => passes ?? []),
    ({ name }) => name,
  );
  const call = (operation: string, input: object) => world.call({ place, service: 'iam', operation, input });
  const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  for (const [name, roles] of byName) {
    const RoleName = roleName(name, place);
    const Principal = { Service: roles[0]!.service };
    const Action = [...new Set(roles.flatMap(({ does }) => does))];
    await call('CreateRole', { RoleName, AssumeRolePolicyDocument: policy({ Principal, Action: 'sts:AssumeRole' }) });
    await call('PutRolePolicy', { RoleName, PolicyName: 'calls', PolicyDocument: policy({ Action, Resource: '*' }) });
  }
}
