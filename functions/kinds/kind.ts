import type { Calls } from '../aws/call.ts';
import type { Verb } from '../aws/verb.ts';
import type { Quota } from '../decide/quota.ts';
import type { Usual } from '../decide/rpo.ts';
import type {
  Application,
  Artifact,
  Cut,
  CutClass,
  Item,
  Json,
  Layer,
  Outlasting,
  PointName,
  Preview,
  Rename,
  Resource,
  Restored,
  Target,
  Vault,
} from '../domain.ts';

/**
 * The contract of a kind of resource, always whole: what a service cannot do is a failed item with a sentence, never an absent member.
 *
 * Promises that every kind keeps, whatever its service (`laws.ts` holds each kind to them):
 * - A verb takes all work of its kind at one place and answers once per work, in any order, `resource` telling which. A failed *item* is a
 *   value; only a failed *call* throws, and then all of it is asked again.
 * - `start` called again with the same work makes no second thing that survives: it finds what it made by our tags, by its name or token.
 *   A lost answer is adopted (prompt kinds: only of the same cut).
 * - `settle` has no effect on AWS but to carry on what `start` began; it may be called any number of times.
 * - A restore makes new things beside the original and never touches the original.
 * - `expire` of something that is gone has succeeded; it deletes nothing that does not bear our tags or lie under our own keys.
 */
export interface Kind {
  /** Also the folder's name. */
  readonly name: string;
  readonly layer: Layer;
  readonly cut: CutClass;
  /** Of a slow kind: how long a capture takes at the least. A freeze that is shorter cannot be held until it is done. */
  readonly leastSeconds?: number;
  /** How long a point waits for it, while no point of the application has shown that. */
  readonly usual: Usual;
  /** The quotas of AWS that many resources, or many points, run into. */
  readonly quotas: readonly Quota[];
  /** What a restore cannot bring back, in sentences; shown to the operator and printed in the docs. */
  readonly loses: readonly string[];
  /** Finds exactly what the application's scope says, paging to the end, with what it cannot protect and why. */
  readonly discover: Verb<any, Application, Discovery>;
  readonly capture: Passage<CaptureWork, Artifact>;
  /**
   * Of a kind that is not prompt and yet offers plain snapshots to outlast its log: takes them, at the moment of the call, inside the freeze.
   * What it answers is settled as what `capture.start` answers, which takes one too where this had to wait.
   */
  readonly snapshot?: Verb<any, readonly CaptureWork[], readonly Item<Artifact>[]>;
  readonly copy: Passage<CopyWork, Artifact>;
  readonly restore: Passage<RestoreWork, Restored>;
  /** What a restore would do and what its target lacks; changes nothing. */
  readonly preview: Verb<any, readonly RestoreWork[], readonly Preview[]>;
  /** Everything of this kind at a place that bears our tags, for reconcile to judge. */
  readonly strays: Verb<any, StraysScope, readonly Stray[]>;
  readonly expire: Verb<any, readonly Expiry[], readonly Expired[]>;
}

/** Asynchronous work: started once, then asked about until it has settled. */
export interface Passage<Work, Done> {
  /** Begins each work that can begin now. May answer `waiting` with a time at which to try again. */
  readonly start: Verb<any, readonly Work[], readonly Item<Done>[]>;
  /** Says how each started work stands. */
  readonly settle: Verb<any, readonly Started<Work>[], readonly Item<Done>[]>;
  /** Whether `start` ever answers `waiting`. Unless it does, nothing but what starts may start. */
  readonly waits?: true;
}

/** A work that was started, with the handle that `start` (or the last `settle`) answered. */
export type Started<Work> = Work & { readonly handle: Json };

export interface Discovery {
  readonly resources: readonly Resource[];
  /** What lies in the scope and is not protected, or less well than it could be: one sentence each, saying what to do. */
  readonly notes: readonly string[];
  /** Why the application cannot be protected at all while this stands. */
  readonly refusals: readonly string[];
}

interface Work {
  readonly point: PointName;
  readonly resource: Resource;
}

/** Capturing at home. Prompt kinds are started inside the freeze, when `cut.instant` is not known yet; exact kinds after it, to be taken at `cut.instant`. */
export interface CaptureWork extends Work {
  readonly cut: Cut;
  /** Home's vault. */
  readonly vault: Vault;
  /** Until when the policy wants artifacts of this point to be restorable; locks and retention follow it. */
  readonly keepUntil?: string;
  /** How this point shall outlast the log, of those that the resource offers; then what is captured is durable. */
  readonly outlasting?: Outlasting;
  /** Whether what is captured shall also be kept as files, where the kind can. */
  readonly exports?: true;
  /** No vault keeps copies of this point: what home alone can restore is enough. */
  readonly homeOnly?: true;
}

/** Copying home's artifact into a vault, pulled: `here` is the vault, calls marked `at: 'home'` go home. */
export interface CopyWork extends Work {
  readonly cut: Cut;
  readonly artifact: Artifact;
  readonly vault: Vault;
  readonly keepUntil?: string;
  /** The longest that the policy may keep this point, in days: what ends by a date of its own must not end before. */
  readonly keepDays?: number;
}

/** Restoring an artifact of a vault into a target, which lies in the vault's region. Nothing of another region is asked. */
export interface RestoreWork extends Work {
  readonly artifact: Artifact;
  readonly target: Target;
  readonly vault: Vault;
  /** Names what is made: short, lower case, unique to this restore. */
  readonly restore: string;
  /** Maps namespaces to those that they are restored into. */
  readonly namespaces: Readonly<Record<string, string>>;
  /** How the identifiers of what was provisioned changed; empty while storage and data services are themselves being provisioned. */
  readonly renames: readonly Rename[];
}

export interface StraysScope {
  readonly application: string;
}

/** A thing that bears our tags. */
export interface Stray {
  readonly kind: string;
  readonly id: string;
  /** `<slot>/<attempt>`. */
  readonly restorePoint: string;
  readonly cut?: string;
  readonly resource: string;
  readonly createdAt: string;
}

export interface Expiry {
  readonly id: string;
  readonly artifact?: Artifact;
}

export interface Expired {
  readonly id: string;
  readonly gone: boolean;
  /** Why it is still there: locked, in use. */
  readonly why?: string;
}

/** Checks a kind's shape and keeps the types of its verbs. */
export const kind = <K extends Kind>(declared: K): K => declared;

/** The calls that a kind's verb makes, for roles, docs and fault injection. */
export const callsOf = (of: Kind): readonly { readonly verb: string; readonly calls: Calls }[] => [
  { verb: 'discover', calls: of.discover.calls },
  ...(['capture', 'copy', 'restore'] as const).flatMap((passage) =>
    (['start', 'settle'] as const).map((half) => ({ verb: `${passage}.${half}`, calls: of[passage][half].calls as Calls })),
  ),
  ...(of.snapshot ? [{ verb: 'snapshot', calls: of.snapshot.calls as Calls }] : []),
  { verb: 'preview', calls: of.preview.calls },
  { verb: 'strays', calls: of.strays.calls },
  { verb: 'expire', calls: of.expire.calls },
];

/** Answers for items. */
export const waiting = (resource: string, until: string, why: string) => ({ resource, state: 'waiting', until, why }) as const;
export const started = (resource: string, handle: Json, why?: string) =>
  ({ resource, state: 'started', handle, ...(why === undefined ? {} : { why }) }) as const;
export const done = <Done>(resource: string, result: Done) => ({ resource, state: 'done', result }) as const;
export const failed = (resource: string, why: string) => ({ resource, state: 'failed', why }) as const;
