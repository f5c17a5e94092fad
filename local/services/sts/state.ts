import { createHash } from 'node:crypto';
import { enforces, identitiesAt } from '../../world/authorization/principal.ts';
import type { Caller, World } from '../../world/world.ts';

/** The temporary keys that were issued: who uses one is the role that it was issued for. */
export class StsState {
  readonly #sessions = new Map<string, { readonly caller: Caller; readonly expires: Date }>();

  issue(accessKeyId: string, session: { readonly caller: Caller; readonly expires: Date }): void {
    this.#sessions.set(accessKeyId, session);
  }

  callerOf(accessKeyId: string): Caller | undefined {
    return this.#sessions.get(accessKeyId)?.caller;
  }

  /** Whether a key was issued and its time has run out. */
  expired(accessKeyId: string, now: Date): boolean {
    const session = this.#sessions.get(accessKeyId);
    return session !== undefined && session.expires <= now;
  }

  /** IAM's, where it keeps the role. */
  roleId(account: string, role: string, world: World): string {
    const kept = enforces(world, account) ? identitiesAt(world, account).roles.get(role)?.id : undefined;
    return kept ?? uniqueId('AROA', `${account}/${role}`);
  }

  userId(arn: string): string {
    return uniqueId('AIDA', arn);
  }
}

/** Always the same for the same name, where roles and users are not kept. */
const uniqueId = (prefix: string, name: string): string =>
  prefix + createHash('sha256').update(name).digest('hex').slice(0, 17).toUpperCase();
