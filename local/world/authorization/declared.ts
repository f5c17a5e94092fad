import type { Context } from '../service.ts';
import type { Check, Given, Refusing } from './authorize.ts';
import type { Guard } from './evaluate.ts';

type Input = any;
/** The types' names; none where a member that looks like one names none of this action's. */
type Types = string | readonly string[] | ((name: string, input: Input) => string);

/**
 * Where a service deviates from what the Service Authorization Reference says of it, in its folder's `authorization.ts`, after AWS's pages.
 * What is not said here follows from the Reference: the action is called like the operation, its resources are those of the action's types
 * that the input names, by ARN or by a member called like the type's own name.
 */
export interface Authorization<State = any> {
  readonly refusing?: Refusing;
  /** Its operations ask for what they need themselves, as they know best what a request touches. */
  readonly itself?: true;
  /** Actions that are not called like their operation, without the prefix. */
  readonly called?: Readonly<Record<string, string>>;
  /** Which type of resource a member of an input names. */
  readonly members?: Readonly<Record<string, Types>>;
  /** The ARN of what a member names, where it is not the type's format filled in; undefined where the format will do. */
  readonly arnOf?: (type: string, name: string, context: Context<State>, input: Input) => string | undefined;
  /** The type that a listing concerns where it names nothing, and the Reference lists several. */
  readonly unnamed?: Readonly<Record<string, string>>;
  /** Instead of what follows from the Reference. */
  readonly instead?: Readonly<Record<string, (input: Input, context: Context<State>) => readonly Check[]>>;
  /** Besides what follows: implied actions. */
  readonly also?: Readonly<Record<string, (input: Input, context: Context<State>) => readonly Check[]>>;
  /** Keys of the service's own. */
  readonly keys?: (operation: string, input: Input, context: Context<State>) => Given;
  /** The policy of a resource. */
  readonly guard?: (resource: string, context: Context<State>) => Guard | undefined;
}

/** To hand a role to a service one must be allowed to pass it (IAM guide, "Grant a user permissions to pass a role to an AWS service"). */
export const passing = (role: string | undefined, to: string): readonly Check[] =>
  role === undefined ? [] : [{ action: 'iam:PassRole', resource: role, keys: { 'iam:passedtoservice': to } }];
