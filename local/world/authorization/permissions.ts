/** One judgement: who, what, on what, and whether it was allowed. */
export interface Judged {
  /** A role, or the root of an account. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
}

/** What was allowed and what was denied in this world, so that what was granted can be held against what is used. */
export class Permissions {
  readonly #used = new Map<string, Set<string>>();
  readonly denied: Judged[] = [];

  count(judged: Judged): void {
    if (!judged.allowed) {
      this.denied.push(judged);
      return;
    }
    const actions = this.#used.get(judged.principal);
    if (actions) actions.add(judged.action);
    else this.#used.set(judged.principal, new Set([judged.action]));
  }

  /** The actions that a principal was allowed, and so has made use of. */
  usedBy(principal: string): ReadonlySet<string> {
    return this.#used.get(principal) ?? new Set();
  }

  clear(): void {
    this.#used.clear();
    this.denied.length = 0;
  }
}
