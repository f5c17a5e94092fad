import type { Calls } from '../aws/call.ts';
import type { Opened, Scene, Verb } from '../aws/verb.ts';
import type { Configuration } from '../configuration/schema.ts';
import type { Application, CutClass, Duty, Layer, Vault } from '../domain.ts';
import type { Kind } from '../kinds/kind.ts';

/** A verb of every kind that a step may use: `capture.start`, `preview`, … */
export type KindVerb =
  | 'discover'
  | 'snapshot'
  | 'preview'
  | 'strays'
  | 'expire'
  | `${'capture' | 'copy' | 'restore'}.${'start' | 'settle'}`;

export type Uses = Readonly<Record<string, Verb<any, any, any>>>;
export type OpenedUses<U extends Uses> = { readonly [K in keyof U]: Opened<U[K]> };

/** Where a step stands: what is configured, what it was called for, and the way to the kinds' verbs that it declared. */
export interface Stage extends Scene {
  readonly configuration: Configuration;
  /** The version of this code. */
  readonly code: string;
  /** The application that the work is for. */
  readonly application: Application;
  /** The vault whose ledger is at `here`; home's own where the step runs at home. */
  readonly vault: Vault;
  /** Every kind that there is, its declared verbs opened. */
  kinds(): Promise<readonly OpenedKind[]>;
  kind(name: string): Promise<OpenedKind>;
}

/** A kind with the doors of the step's declared verbs open; asking for another verb is a programming error. */
export interface OpenedKind extends Pick<Kind, 'name' | 'layer' | 'cut' | 'leastSeconds' | 'loses'> {
  readonly open: <V extends KindVerb>(verb: V) => (input: any) => Promise<any>;
}

/** One Lambda function: its name, its one duty, what it uses, its limits, and what it does. */
export interface Step<U extends Uses, In, Out> {
  /** `protect-seal`: the function is `stillpoint-protect-seal`. */
  readonly name: string;
  readonly duty: Duty;
  readonly uses: U;
  /** The verbs of kinds that it calls; its role holds their calls for every kind. */
  readonly kinds?: readonly KindVerb[];
  /** Verbs that it uses of kinds of some classes only. */
  readonly cuts?: Readonly<Partial<Record<KindVerb, readonly CutClass[]>>>;
  /** Starts that it makes only of what had to wait, so of no kind of which nothing ever waits. */
  readonly waited?: readonly `${'capture' | 'copy' | 'restore'}.start`[];
  /** Only of kinds of these layers; of all unless given. */
  readonly layers?: readonly Layer[];
  readonly limits: { readonly seconds: number; readonly memoryMb: number };
  run(use: OpenedUses<U>, input: In, stage: Stage): Promise<Out>;
}

export type AnyStep = Step<any, any, any>;

export const step = <const U extends Uses, In, Out>(declared: Step<U, In, Out>): Step<U, In, Out> => declared;

/** What the machine gives every step: for whom, and which execution asks. */
export interface Request {
  readonly application: string;
  /** The execution that the step works for; it owns what is written. */
  readonly owner: string;
}

/** What the machine carries between steps once there is an attempt; everything else is in the ledger. */
export interface Carried extends Request {
  readonly slot: string;
  readonly attempt: number;
}

/** Whether a step uses a verb of a kind: it declares it, for the kind's layer and class, and the kind has it. */
export function holds({ kinds = [], layers, cuts, waited }: AnyStep, verb: KindVerb, kind: Kind): boolean {
  const passage = waited?.some((one) => one === verb) ? (verb.split('.')[0] as 'capture') : undefined;
  return (
    kinds.includes(verb) &&
    (layers?.includes(kind.layer) ?? true) &&
    (cuts?.[verb]?.includes(kind.cut) ?? true) &&
    (verb !== 'snapshot' || kind.snapshot !== undefined) &&
    (passage === undefined || kind[passage].waits === true)
  );
}

/** A verb of a kind. */
export function kindVerb(kind: Kind, name: KindVerb): Verb<Calls, any, any> {
  const [first, second] = name.split('.') as [keyof Kind, 'start' | 'settle' | undefined];
  const found = second ? (kind[first] as Kind['capture'])[second] : kind[first];
  return found as Verb<Calls, any, any>;
}
