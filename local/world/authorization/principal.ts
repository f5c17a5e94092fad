import type { Caller, World } from '../world.ts';
import type { Document } from './document.ts';
import type { Principal } from './evaluate.ts';

/**
 * Whether identities are kept in an account. Where the world has no IAM, or nobody has made a role in the account yet, they are not, and a role
 * of any name may do what resources' policies do not deny: so whoever wants to try one service need not begin with IAM.
 */
export const enforces = (world: World, account: string): boolean =>
  world.services.has('iam') && identitiesAt(world, account).roles.size > 0;

/** What authorization needs of IAM: a role by its name, and what it may do. */
export interface Identities {
  readonly roles: ReadonlyMap<string, KnownRole>;
  documentsOf(role: KnownRole): readonly Document[];
  boundaryOf(role: KnownRole): Document | undefined;
}

export interface KnownRole {
  readonly id: string;
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A caller as policies see it, and the keys that come with it. */
export interface Known extends Principal {
  readonly tags: Readonly<Record<string, string>>;
  /** What `aws:PrincipalArn` is: of a session, its role. */
  readonly principalArn: string;
  readonly userId: string;
}

const SESSION = /^arn:aws[\w-]*:sts::(\d{12}):assumed-role\/([^/]+)\/(.+)$/;
const ROLE = /^arn:aws[\w-]*:iam::(\d{12}):role\/(?:.+\/)?([^/]+)$/;

/** The name of the role that a caller is, in its account; undefined for all others. */
export const roleOf = ({ arn }: Pick<Caller, 'arn'>): string | undefined => (SESSION.exec(arn) ?? ROLE.exec(arn))?.[2];

export const identitiesAt = (world: World, account: string): Identities =>
  world.state<Identities>('iam', { account, region: 'us-east-1' });

/** A role that is not there, or no more, has no policies and may do nothing (IAM guide, "Delete roles": sessions of a deleted role). */
export function principalOf(caller: Caller, world: World): Known {
  const { account, arn } = caller;
  if (caller.service !== undefined)
    return { kind: 'service', account, arn, names: [caller.service], identity: [], tags: {}, principalArn: arn, userId: '' };
  const name = roleOf(caller);
  const unkept = name === undefined ? arn : `arn:aws:iam::${account}:role/${name}`;
  if (name === undefined || !enforces(world, account)) {
    const kind = arn.endsWith(':root') || !enforces(world, account) ? 'root' : 'role';
    return { kind, account, arn, names: [arn, unkept], identity: [], tags: {}, principalArn: unkept, userId: account };
  }
  const identities = identitiesAt(world, account);
  const role = identities.roles.get(name);
  const principalArn = role?.arn ?? unkept;
  return {
    kind: 'role',
    account,
    arn,
    names: [arn, principalArn],
    identity: role ? identities.documentsOf(role) : [],
    boundary: role && identities.boundaryOf(role),
    tags: role?.tags ?? {},
    principalArn,
    userId: `${role?.id ?? ''}:${SESSION.exec(arn)?.[3] ?? ''}`,
  };
}
