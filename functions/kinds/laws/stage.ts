import type { Clock } from '../../aws/clock.ts';
import type { Transport } from '../../aws/transport.ts';
import { open, type Verb } from '../../aws/verb.ts';
import type { Place, Vault } from '../../domain.ts';
import type { Kind } from '../kind.ts';
import type { Proof } from '../proof.ts';

/** Where the laws are held against kinds: a way to AWS, a home and a vault elsewhere whose buckets and keys are there, both unlocked. */
export interface LawStage {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly home: Vault;
  readonly vault: Vault;
  /** Cuts a region off, or lets it come back. */
  darken(region: string, dark: boolean): void;
  /** A short name, lower case, that was not used before. */
  name(): string;
}

/** What every kind obeys. Each throws a sentence where it is broken; none knows a kind, a service or a test framework. */
export type Law = (kind: Kind, proof: Proof, stage: LawStage) => Promise<void>;

/** Makes what a law says true or says what is not. */
export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Error(sentence);
}

/** Long enough for what AWS shows late to show, and for snapshots of one volume to follow each other. */
export const A_MINUTE = 60_000;
export const A_MOMENT = 3000;
export const A_DAY = 86_400_000;

/** Opens a verb at a place of the stage. */
export const at = <In, Out>(
  verb: Verb<any, In, Out>,
  stage: LawStage,
  here: Place,
  transport: Transport = stage.transport,
): ((input: In) => Promise<Out>) => open(verb, transport, stage.clock, { here, home: stage.home.place });

/** Everything that a kind answers goes through a ledger as JSON. */
export const travelled = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

export const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set(a).size === new Set(b).size && a.every((one) => b.includes(one));
