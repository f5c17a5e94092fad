import { classify, unanswered } from '../../functions/aws/errors.ts';
import { OtherAccount } from '../../functions/aws/sdk-transport.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Application, Place, Policy, Vault } from '../../functions/domain.ts';
import type { Discovery, Kind } from '../../functions/kinds/kind.ts';
import type { OpenedUses, Uses } from '../../functions/workflows/step.ts';
import { at, type Target } from '../target.ts';

export type Level = 'ok' | 'warning' | 'problem';

/** What a check has to say, in one line. */
export interface Finding {
  readonly check: string;
  readonly level: Level;
  readonly where: string;
  readonly what: string;
  /** How to fix it, where `what` does not say that itself. */
  readonly fix?: string;
}

export type Said = Omit<Finding, 'check' | 'where'> & { readonly where?: string };

export const ok = (what: string): Said => ({ level: 'ok', what });
export const warning = (what: string, fix?: string): Said => ({ level: 'warning', what, ...(fix ? { fix } : {}) });
export const problem = (what: string, fix?: string): Said => ({ level: 'problem', what, ...(fix ? { fix } : {}) });

/** Everything that Stillpoint is at one place, to the applications that are looked at. */
export interface PlaceSubject {
  readonly configuration: Configuration;
  readonly place: Place;
  /** Whether applications live here. */
  readonly home: boolean;
  /** The configured vault that is here, if one is. */
  readonly vault?: Vault;
  /** The applications that live here. */
  readonly residents: readonly ApplicationSubject[];
  /** The applications whose copies are kept here. */
  readonly guests: readonly ApplicationSubject[];
}

/** An application with the policies that protect it, home first among its vaults. */
export interface ApplicationSubject {
  readonly configuration: Configuration;
  readonly application: Application;
  readonly policies: readonly Policy[];
  readonly vaults: readonly Vault[];
  /** What every kind finds in its scope. Asked once, however many checks want it. */
  scope(): Promise<Scope>;
}

export interface Scope {
  readonly kinds: readonly Kind[];
  /** What each of the kinds found, in their order. */
  readonly found: readonly Discovery[];
}

/** Opens what a check uses at a place. */
export type Look<U extends Uses> = (place: Place, home?: Place) => OpenedUses<U>;

/** One thing to look at, by verbs that only read. */
export interface Check<U extends Uses, Subject> {
  readonly name: string;
  readonly uses: U;
  /** Whether there is nothing to look at where Stillpoint is not deployed. */
  readonly ofDeployment?: true;
  run(look: Look<U>, subject: Subject): Promise<readonly Said[]>;
}

export type AnyCheck<Subject> = Check<any, Subject>;

export const placeCheck = <const U extends Uses>(declared: Check<U, PlaceSubject>) => declared;
export const applicationCheck = <const U extends Uses>(declared: Check<U, ApplicationSubject>) => declared;

/** Runs a check; what it could not see is a finding too, and ends nothing. */
export async function examine<Subject>(
  target: Target,
  { name, uses, run }: AnyCheck<Subject>,
  subject: Subject,
  where: string,
): Promise<Finding[]> {
  const look: Look<Uses> = (place, home) =>
    Object.fromEntries(Object.entries(uses as Uses).map(([verb, of]) => [verb, at(target, place, home)(of)])) as never;
  const said = await run(look, subject).catch((error: unknown) => [unseen(error, where)]);
  return said.map((one) => ({ check: name, where, ...one }));
}

/** Why something could not be looked at. What AWS forbids us to see is no fault of the deployment. */
function unseen(error: unknown, where: string): Said {
  if (unanswered(error)) return problem(`${where} does not answer.`, 'Restores from another place need nothing of it.');
  if (error instanceof OtherAccount) return warning(error.message);
  const { name, message } = error as Error;
  return /AccessDenied|UnauthorizedOperation|Forbidden/.test(name)
    ? warning(`It cannot be looked at with these keys (${name}: ${message}).`)
    : problem(`It cannot be looked at: ${classify(error).message}`);
}
