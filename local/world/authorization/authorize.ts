import { refuse } from '../service.ts';
import type { Caller, World } from '../world.ts';
import type { Keys } from './conditions.ts';
import { evaluate, type Guard } from './evaluate.ts';
import { type Known, principalOf } from './principal.ts';

/** Keys of a request by their names in lower case. */
export type Given = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One thing that a request needs to be allowed. */
export interface Check {
  readonly action: string;
  /** An ARN, or `*` where the action has no resources. */
  readonly resource: string;
  /** Whose the resource is; the account in its ARN, else the caller's, unless given. */
  readonly owner?: string;
  readonly keys?: Given;
  /** The tags that the resource bears, asked for only where a policy wants to know. */
  readonly tags?: () => Readonly<Record<string, string>> | undefined;
  readonly guard?: Guard;
}

/** What was asked for, in which region. */
export interface Subject {
  readonly world: World;
  readonly caller: Caller;
  readonly region: string;
}

/** The sentence that refuses; undefined where it is allowed. Every judgement is counted. */
export function objection(check: Check, { world, caller, region }: Subject): string | undefined {
  const principal = principalOf(caller, world);
  const { action, resource } = check;
  const owner = check.owner ?? ownerOf(resource) ?? caller.account;
  const verdict = evaluate(
    { action, resource, owner, keys: keysOf(check, owner, principal, region, world) },
    principal,
    check.guard,
  );
  world.permissions.count({ principal: principal.principalArn, action, resource, allowed: verdict.allowed });
  if (verdict.allowed) return undefined;
  const on = resource === '*' ? '' : ` on resource: ${resource}`;
  return `User: ${principal.arn} is not authorized to perform: ${action}${on} ${verdict.because}`;
}

/** The account in an ARN, which some types' ARNs do not have or leave open. */
const ownerOf = (arn: string): string | undefined => /^(?:[^:]*:){4}(\d{12}):/.exec(arn)?.[1];

/** How a service says no; its code as the SDK has it. */
export interface Refusing {
  readonly code: string;
  readonly status: number;
  readonly sentence?: (objection: string) => string;
}

/** IAM guide, "Access denied error message examples"; services that speak JSON say it so. */
export const ACCESS_DENIED_EXCEPTION: Refusing = { code: 'AccessDeniedException', status: 400 };

/** Refuses what is not allowed, in the service's words. */
export function authorize(checks: readonly Check[], subject: Subject, refusing: Refusing): void {
  for (const check of checks) {
    const sentence = objection(check, subject);
    if (sentence !== undefined) refuse(refusing.code, refusing.sentence?.(sentence) ?? sentence, { status: refusing.status });
  }
}

/** IAM guide, "AWS global condition context keys". Requests are taken to come over TLS: the local AWS stands for one that has it. */
function keysOf(check: Check, owner: string, principal: Known, region: string, world: World): Keys {
  let tags: Readonly<Record<string, string>> | undefined;
  return (key) => {
    const given = check.keys?.[key];
    if (given !== undefined) return given;
    if (key.startsWith('aws:resourcetag/')) {
      tags ??= check.tags?.() ?? {};
      return valueIn(tags, key.slice('aws:resourcetag/'.length));
    }
    if (key.startsWith('aws:principaltag/')) return valueIn(principal.tags, key.slice('aws:principaltag/'.length));
    switch (key) {
      case 'aws:principalarn':
        return principal.kind === 'service' ? undefined : principal.principalArn;
      case 'aws:principalaccount':
        return principal.kind === 'service' ? undefined : principal.account;
      case 'aws:principaltype':
        return principal.kind === 'root' ? 'Account' : 'AssumedRole';
      case 'aws:principalisawsservice':
        return String(principal.kind === 'service');
      case 'aws:userid':
        return principal.userId;
      case 'aws:requestedregion':
        return region;
      case 'aws:resourceaccount':
        return owner;
      case 'aws:securetransport':
        return 'true';
      case 'aws:viaawsservice':
        return 'false';
      case 'aws:currenttime':
        return new Date(world.clock.now()).toISOString();
      case 'aws:epochtime':
        return String(Math.floor(world.clock.now() / 1000));
      default:
        return undefined;
    }
  };
}

/** Condition keys' names do not care for case, tags' keys do not there either (IAM guide, "aws:ResourceTag/tag-key"). */
function valueIn(tags: Readonly<Record<string, string>>, lower: string): string | undefined {
  return Object.entries(tags).find(([key]) => key.toLowerCase() === lower)?.[1];
}
