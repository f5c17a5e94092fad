import type { World } from '../../local/world/world.ts';

interface RoleOptions {
  /** The `Principal` of its trust policy. */
  readonly trusts: object;
  /** What it may do on everything, `*` unless given. */
  readonly allows?: readonly string[];
}

/** Makes a role by IAM's calls. */
export async function makeRole(
  world: World,
  account: string,
  RoleName: string,
  { trusts: Principal, allows = ['*'] }: RoleOptions,
): Promise<string> {
  const call = (operation: string, input: object) =>
    world.clock.settle(world.call({ place: { account, region: 'us-east-1' }, service: 'iam', operation, input }));
  const policy = (statement: object) => JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });
  const { Role } = await call('CreateRole', {
    RoleName,
    AssumeRolePolicyDocument: policy({ Principal, Action: 'sts:AssumeRole' }),
  });
  await call('PutRolePolicy', {
    RoleName,
    PolicyName: 'calls',
    PolicyDocument: policy({ Action: allows, Resource: '*' }),
  });
  return Role.Arn;
}

/** A role that one AWS service assumes. */
export const serviceRole = (
  world: World,
  account: string,
  name: string,
  Service: string,
  allows?: readonly string[],
): Promise<string> => makeRole(world, account, name, { trusts: { Service }, ...(allows ? { allows } : {}) });
