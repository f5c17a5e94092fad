import { refuse } from '../service.ts';
import type { Caller, Place, World } from '../world.ts';
import { objection } from './authorize.ts';
import { type Document, documentOf } from './document.ts';
import type { Guard } from './evaluate.ts';
import { enforces, identitiesAt, roleOf } from './principal.ts';

interface Assuming {
  /** `lambda.amazonaws.com` */
  readonly service: string;
  readonly roleArn: string;
  readonly session: string;
  /** For whom the service works, which its trust policy may ask for (IAM guide, "The confused deputy problem"). */
  readonly for: Place;
  /** The resource for which it works: a rule, a schedule, a machine. */
  readonly resource?: string | undefined;
}

/** Any role may be taken on where none is kept. */
const OPEN = documentOf(
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole' }],
  }),
  'trust',
);

/** A role's trust policy; a role that is not there trusts nobody, but in an account that keeps no identities. */
export function trustOf(roleArn: string, world: World): Guard {
  const account = roleArn.split(':')[4] ?? '';
  if (!enforces(world, account)) return { policy: OPEN, decides: true, called: 'role trust policy' };
  const role = identitiesAt(world, account).roles.get(roleOf({ arn: roleArn }) ?? '') as { trust?: Document } | undefined;
  return { policy: role?.trust, decides: true, called: 'role trust policy' };
}

/** The session in which an AWS service works under a customer's role: refuses AccessDenied where the role does not trust the service. */
export function assumed(world: World, { service, roleArn, session, for: place, resource }: Assuming): Caller {
  const account = roleArn.split(':')[4] ?? place.account;
  const caller = { account, arn: `arn:aws:sts::${account}:assumed-role/${roleOf({ arn: roleArn })}/${session}` };
  if (!enforces(world, account)) return caller;
  const trouble = objection(
    {
      action: 'sts:AssumeRole',
      resource: roleArn,
      keys: { 'aws:sourceaccount': place.account, ...(resource === undefined ? {} : { 'aws:sourcearn': resource }) },
      guard: trustOf(roleArn, world),
    },
    { world, caller: { account, arn: service, service }, region: place.region },
  );
  return trouble === undefined ? caller : refuse('AccessDenied', trouble, { status: 403 });
}
