import type { Clock } from '../aws/clock.ts';
import { Permanent } from '../aws/errors.ts';
import type { Verb } from '../aws/verb.ts';
import type { Application, Place } from '../domain.ts';

/**
 * How a kind is proved: fill resources, change them, tell by one word whether they came back. In SDK calls only, so that the laws can be held
 * against the local AWS as well as, in a drill, against restored resources in an account. The file is `proof.ts` in the kind's folder, its
 * default export is this.
 */
export interface Proof {
  /** Makes in a place what restores need there besides the point itself: a cluster, say. May be asked again. */
  readonly prepare?: Verb<any, Place, void>;
  /** Makes one or more resources with content that only this kind can hold, in the scope that it answers. */
  readonly seed: Verb<any, Seed, Seeded>;
  /** Changes a resource so that its fingerprint is another. */
  readonly mutate: Verb<any, string, void>;
  /** One word for all of a resource that a restore promises to bring back: equal for the original at the cut and what was restored. */
  readonly fingerprint: Verb<any, string, string>;
  /** Removes a resource that was seeded or restored. */
  readonly destroy: Verb<any, string, void>;
  /** Makes, out of a resource, something of the sort that captures leave behind, but not ours; answers its id. */
  readonly foreign: Verb<any, string, string>;
}

export interface Seed {
  /** Short, lower case, unique. */
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The place of the vault that it will be copied into, for what must be set up there before. */
  readonly vault: Place;
}

export interface Seeded {
  /** The ids of what was made, as discovery gives them. */
  readonly ids: readonly string[];
  /** What of an application's scope finds them, besides the tags. */
  readonly scope?: Partial<Pick<Application, 'cluster' | 'namespaces'>>;
}

export const proof = (declared: Proof): Proof => declared;

/** Asks every few seconds until there is an answer; gives up after an hour with what was waited for. */
export async function waitFor<T>(clock: Clock, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 720; tries++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await clock.sleep(5000);
  }
  throw new Permanent(`${what} did not come within an hour.`);
}
