/**
 * The words of Stillpoint, each with one meaning, and the records that flow. It imports nothing.
 * Instants are ISO 8601 text in UTC with milliseconds (`2026-11-22T04:00:01.000Z`), so that records read and sort as they are.
 */

/** An account in a region. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** An ISO 8601 instant in UTC. */
export type Instant = string;

/** What is known of a moment: it lay between these two. */
export interface Interval {
  readonly from: Instant;
  readonly to: Instant;
}

/** Where a kind stands in the stack. */
export type Layer = 'storage' | 'data-service' | 'application';

/**
 * How a kind's instant is set. `exact`: a log can be asked for any second afterwards. `prompt`: the instant is when the call is accepted.
 * `slow`: there is no instant.
 */
export type CutClass = 'exact' | 'prompt' | 'slow';

/** Data that a kind keeps for itself; others carry it and never look inside. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Facts = { readonly [key: string]: Json };

/** One thing of a kind, by ARN (or cluster and namespace) and creation time, so that a namesake is never mistaken for it. */
export interface Resource {
  readonly kind: string;
  /** The ARN; for an `eks-namespace` the cluster's ARN, a slash and the namespace. */
  readonly id: string;
  /** What people call it: the volume's id, the table's or bucket's name, the namespace. */
  readonly name: string;
  readonly createdAt: Instant;
  readonly place: Place;
  /** How many days back its log reaches, where what is captured at home is a promise of that log. */
  readonly logDays?: number;
  /** Whether its copies in a vault are a promise of a log of that length too. */
  readonly logInVaults?: true;
  /** Why no copy of it can ever be in another account, one sentence; absent where one can. */
  readonly homebound?: string;
  /** How its kind can make durable what must outlast the log. */
  readonly outlasts?: readonly Outlasting[];
  /** What its kind needs to know of it later, as it was when the plan was made. */
  readonly facts: Facts;
}

/** The application's own function that makes it hold still, by name, in the region where the application runs. */
export interface FreezeHook {
  readonly function: string;
  readonly leaseSeconds: number;
}

/**
 * What an application says of a slow member. `accept`: its own interval is good enough. `hold`: the freeze is held until it is captured.
 * `cadence`: it is captured once a day, or as often as said, and points in between take what there is, its age stated. `refuse`: no point.
 */
export type SlowMember = 'accept' | 'hold' | 'cadence' | 'refuse' | { readonly cadenceSeconds: number };

/** A named set of resources that must be restored together, and the freeze hook that makes it hold still. */
export interface Application {
  readonly name: string;
  readonly home: Place;
  readonly cluster?: string;
  readonly namespaces: readonly string[];
  readonly resources: { readonly tags: Readonly<Record<string, string>>; readonly arns: readonly string[] };
  readonly freeze?: FreezeHook;
  readonly slow: Readonly<Record<string, SlowMember>>;
  /** From where its cluster is reached, where its endpoint is private. */
  readonly network?: Network;
}

/** The subnets and security groups that functions run in which talk to a cluster; without them they run outside any VPC. */
export interface Network {
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
}

/** A region (and account) that keeps restore points. Home is one too, unlocked, nearest, first. */
export interface Vault {
  readonly name: string;
  readonly place: Place;
  readonly lock?: { readonly mode: 'governance' | 'compliance'; readonly days: number };
  readonly target: Target;
  /** From where the target's cluster is reached, where its endpoint is private. */
  readonly network?: Network;
}

/** Where a restore puts things. */
export interface Target {
  readonly place: Place;
  readonly cluster?: string;
  readonly subnets: readonly string[];
  readonly securityGroups: readonly string[];
  /** Availability zones for volumes; where empty, the target region's own, in order. */
  readonly zones: readonly string[];
}

/**
 * How a point is made durable whose members must outlast their logs. `materialise`: what the log gives for T is restored into a temporary
 * resource, that is snapshotted and removed: exact, slow and costly. `snapshot`: a plain snapshot, of an instant of its own.
 */
export type Outlasting = 'materialise' | 'snapshot';

export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

/** When to take restore points, where to keep copies, how long, and what is promised. */
export interface Policy {
  readonly name: string;
  readonly applications: readonly string[];
  /** A `cron(…)` or `rate(…)` expression of EventBridge Scheduler. */
  readonly schedule?: string;
  readonly timezone: string;
  /** How late after its time a point may begin, so that many applications do not begin at once. */
  readonly windowSeconds?: number;
  /** Named events that take a point. */
  readonly on: readonly string[];
  /** The names of the vaults that keep copies. */
  readonly vaults: readonly string[];
  readonly keep: Readonly<Partial<Record<Period, number>>>;
  /** How points outlast the logs of their members, and which do: the first of each period. */
  readonly outlast?: { readonly by: Outlasting; readonly every: Period };
  /** Whether those points also keep their databases as files that any analytics can read. */
  readonly exports?: true;
  readonly maxSkewSeconds?: number;
  readonly rpoSeconds?: number;
  readonly rtoSeconds?: number;
  /** What vaults do when AWS Health reports trouble in the home region: a plan to read, or the restore itself. */
  readonly onRegionLoss?: 'propose' | 'restore';
}

/** The name of one attempt: `<slot>/<attempt>`. */
export interface PointName {
  readonly application: string;
  /** Sorts by time and names what asked: `20261122T040000Z-hourly`. */
  readonly slot: string;
  /** From 1. Attempt n + 1 is planned only after attempt n was abandoned. */
  readonly attempt: number;
}

/** The instant T of a restore point and the one freeze, if any, that it was taken in. */
export interface Cut {
  /** New for every try; every prompt call carries it as a tag, so two freezes never share a point. */
  readonly id: string;
  readonly begun: Instant;
  /** T: a whole second. Absent until the prompt calls have been answered. */
  readonly instant?: Instant;
  readonly freeze?: FreezeEvidence;
}

/** What the freeze hook said and what was measured around it: evidence, not a verdict. All instants are by the capturing function's clock. */
export interface FreezeEvidence {
  readonly leaseSeconds: number;
  /** Asking for the freeze: sent and answered. */
  readonly asked: Interval;
  /** Asking for the release: sent and answered. Absent if it never was. */
  readonly released?: Interval;
  readonly drained: boolean;
  readonly flushed: boolean;
  readonly broken: boolean;
  readonly heldFrom: Instant;
  readonly heldUntil?: Instant;
  /** Where each resource's log stood, by resource id, at freeze and at release. */
  readonly positions: {
    readonly atFreeze: Readonly<Record<string, string>>;
    readonly atRelease?: Readonly<Record<string, string>>;
  };
  /** The largest difference seen between our clock and the `Date` of an answer, in milliseconds. */
  readonly clocksApartMillis: number;
  /** Why the hook could not be asked, if it could not. */
  readonly trouble?: string;
}

/** A promise of a log ends with the log's window, cannot be locked and dies with its account; a snapshot, an export or objects endure. */
export type Endurance = 'log-backed' | 'durable';

/** What the capture (or copy) of one resource left behind. */
export interface Artifact {
  readonly kind: string;
  /** The id of the Resource. */
  readonly resource: string;
  /** What AWS calls it: a snapshot id, an export's ARN, a bundle's digest. */
  readonly id: string;
  readonly place: Place;
  /** The instant that it represents lies in here. */
  readonly interval: Interval;
  readonly endurance: Endurance;
  /** Until when it can be restored, where that is known. */
  readonly restorableUntil?: Instant;
  /** What it represents is named by its own digest and cannot change, so that it held still needs nobody's word. */
  readonly unchanging?: true;
  /** Writes that were seen from outside while the application was said to be frozen. */
  readonly witnessed?: readonly string[];
  readonly bytes?: number;
  /** What its kind needs to copy, restore and expire it. */
  readonly facts: Facts;
}

/** How a resource's old identifiers became new ones: `was` is found in manifests and settings and replaced by `is`. */
export interface Rename {
  readonly was: string;
  readonly is: string;
  /** What it is: `volume`, `table ARN`, `bucket`, `zone`, … */
  readonly what: string;
}

/** A resource that a restore made, beside the original and never over it. */
export interface Restored {
  readonly kind: string;
  /** The id of the Resource that it brings back. */
  readonly resource: string;
  /** The id of what was made. */
  readonly id: string;
  readonly place: Place;
  readonly renames: readonly Rename[];
  /** Sentences for the report: what was changed, skipped or could not be brought back. */
  readonly notes: readonly string[];
}

/** What every restore point says of how well its parts fit together. Never too good. */
export type Consistency = 'application-consistent' | 'application-consistent (attested)' | 'crash-consistent' | 'fuzzy';

/** Where one resource stands in a passage (capture, copy or restore). */
export type Item<Done> =
  | { readonly resource: string; readonly state: 'waiting'; readonly until: Instant; readonly why: string }
  | {
      readonly resource: string;
      readonly state: 'started';
      readonly handle: Json;
      readonly why?: string;
      readonly from?: Instant;
    }
  | { readonly resource: string; readonly state: 'done'; readonly result: Done; readonly from?: Instant; readonly at?: Instant }
  | { readonly resource: string; readonly state: 'failed'; readonly why: string };

/** The intent, written once. Without an outcome it is presumed aborted when its deadline has passed. */
export interface Plan extends PointName {
  readonly schema: 1;
  /** The version of the code that wrote it. */
  readonly code: string;
  /** Who may go on with this attempt: the execution that planned it. */
  readonly owner: string;
  readonly plannedAt: Instant;
  readonly deadline: Instant;
  /** What asked for the point: `schedule`, `event`, `gate`, `person`, `replication`. */
  readonly trigger: string;
  /** The commit, execution or event that asked, in its own words. */
  readonly askedBy?: string;
  readonly policy: Policy;
  readonly definition: Application;
  /** The vault in whose ledger this is written; for home, home's own. */
  readonly vault: Vault;
  readonly resources: readonly Resource[];
  /** What the scope holds that this application does not protect, in sentences. */
  readonly notes: readonly string[];
  /** The sealed points that this one follows, by digest of their outcome. */
  readonly after: readonly string[];
  /** How this point outlasts the logs of its members; absent where it need not. */
  readonly outlasting?: Outlasting;
  /** In a vault: the sealed point at home that is being copied, and the digest of its outcome. */
  readonly source?: { readonly point: Sealed; readonly digest: string };
}

/** What was captured (or copied) so far; rewritten under the ETag that was read. */
export interface Progress<Done = Artifact> {
  readonly owner: string;
  readonly cut?: Cut;
  readonly items: readonly Item<Done>[];
  /** What was learnt on the way and the point has to say, in sentences. */
  readonly notes?: readonly string[];
}

/** A point that is whole, self-contained: nothing else must survive for it to be restored. */
export interface Sealed extends PointName {
  readonly schema: 1;
  readonly code: string;
  readonly status: 'sealed';
  readonly owner: string;
  readonly sealedAt: Instant;
  readonly trigger: string;
  readonly askedBy?: string;
  readonly instant: Instant;
  readonly consistency: Consistency;
  readonly skewSeconds: number;
  /** Which artifact set the bound of the consistency, and why, in sentences. */
  readonly because: readonly string[];
  readonly cut: Cut;
  readonly home: Place;
  readonly vault: Vault;
  readonly policy: Policy;
  readonly definition: Application;
  readonly resources: readonly Resource[];
  readonly artifacts: readonly Artifact[];
  readonly notes: readonly string[];
  readonly after: readonly string[];
  readonly outlasting?: Outlasting;
  /** In a vault other than home: the point at home that this is a copy of. */
  readonly copyOf?: { readonly place: Place; readonly attempt: number; readonly digest: string };
}

/** A point that was given up; it counts for nothing, and its leftovers are reconcile's to delete. */
export interface Abandoned extends PointName {
  readonly schema: 1;
  readonly code: string;
  readonly status: 'abandoned';
  readonly owner: string;
  readonly abandonedAt: Instant;
  readonly because: string;
}

export type Outcome = Sealed | Abandoned;

/** One attempt as the ledger has it. */
export interface Attempt {
  readonly plan: Plan;
  readonly progress?: Progress;
  readonly outcome?: Outcome;
}

/** What a restore is to do, written once before anything is made. */
export interface RestorePlan {
  readonly schema: 1;
  readonly id: string;
  readonly owner: string;
  readonly plannedAt: Instant;
  readonly point: Sealed;
  readonly target: Target;
  /** Maps namespaces to those that they are restored into. */
  readonly namespaces: Readonly<Record<string, string>>;
  readonly previews: readonly Preview[];
  readonly order: readonly (readonly string[])[];
  readonly predictedMinutes: number;
  /** What the target lacks; a restore does not begin while there is any. */
  readonly lacks: readonly string[];
}

/** What restoring one artifact would do. */
export interface Preview {
  readonly resource: string;
  readonly kind: string;
  readonly creates: readonly string[];
  readonly binds: readonly string[];
  readonly renames: readonly Rename[];
  readonly lacks: readonly string[];
  readonly notes: readonly string[];
  readonly minutes: number;
}

/** What a restore did. */
export interface Report {
  readonly schema: 1;
  readonly id: string;
  readonly application: string;
  readonly point: string;
  readonly status: 'restored' | 'failed';
  readonly target: Target;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly stages: readonly { readonly name: string; readonly minutes: number }[];
  readonly restored: readonly Restored[];
  readonly renames: readonly Rename[];
  /** Strings in manifests that still name the lost place. */
  readonly suspicious: readonly string[];
  readonly verified: readonly string[];
  readonly problems: readonly string[];
}

/** A right to act, held by one function. No function holds two that could hurt together. */
export type Duty = 'discover' | 'capture' | 'seal' | 'copy' | 'restore' | 'expire';
export const DUTIES: readonly Duty[] = ['discover', 'capture', 'seal', 'copy', 'restore', 'expire'];

/** `<slot>/<attempt>`, as people and tags name a restore point. */
export const pointId = ({ slot, attempt }: Pick<PointName, 'slot' | 'attempt'>): string => `${slot}/${attempt}`;

/** Whether what lies at one place is another owner's than what lies at the other. */
export const otherAccount = (a: Place, b: Place): boolean => a.account !== b.account;
export const samePlace = (a: Place, b: Place): boolean => a.account === b.account && a.region === b.region;
