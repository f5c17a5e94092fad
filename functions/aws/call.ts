import { otherAccount, type Place, samePlace } from '../domain.ts';

/**
 * The only door to AWS: the declared call. A verb lists the calls that it makes and can make no others. From one declaration follow the
 * typed client, the IAM actions of the function that runs it, the surface that the local AWS must serve, and the faults to inject.
 */
export interface Call<C extends Command = Command> {
  /** The SigV4 signing name, which is also the IAM prefix unless `actions.ts` says otherwise. */
  readonly service: string;
  readonly client: ClientClass;
  readonly command: C;
  /** `read` has no effect; `again` has one and may be repeated; `once` has one and is never asked twice: silence becomes `Lost`. */
  readonly repeat: 'read' | 'again' | 'once';
  /** What AWS checks besides the action named like the call: implied actions such as `ec2:CreateTags`. */
  readonly also: readonly string[];
  /** What AWS checks in place of what operations of that name may need, where this one is always made in one way. */
  readonly instead?: readonly string[];
  /** Where the call goes: where the work is done, or to the application's home although the work is done elsewhere. */
  readonly at: 'here' | 'home';
  /** When alone the call is ever made, though its verb is opened at other times too. */
  readonly only?: Only;
  /** The role that the call hands to an AWS service; passing it is checked too (IAM guide, "Grant permissions to pass a role"). */
  readonly passes?: ServiceRole;
}

/** Where the application lives; in its account, whatever the region; or in another account, which has to be let in first. */
export type Only = 'at home' | 'in its account' | 'across accounts';

const MADE: Readonly<Record<Only, (places: Places) => boolean>> = {
  'at home': ({ here, home }) => samePlace(here, home),
  'in its account': ({ here, home }) => !otherAccount(here, home),
  'across accounts': ({ here, home }) => otherAccount(here, home),
};

/** Whether a call is ever made between these places. */
export const isMade = ({ only }: Pick<Call, 'only'>, places: Places): boolean => only === undefined || MADE[only](places);

/** A role of ours with which an AWS service acts on our behalf, after the call has been answered. */
export interface ServiceRole {
  /** What it is called in `roleArn(name, place)`. */
  readonly name: string;
  /** The service's principal, such as `backup.amazonaws.com`. */
  readonly service: string;
  /** The actions that the service takes with it for this call. */
  readonly does: readonly string[];
}

export type Command = new (
  input: any,
) => { input: any; resolveMiddleware: (...args: any[]) => (...args: any[]) => Promise<{ output: any }> };
export type ClientClass = new (configuration: any) => { send(command: any): Promise<any>; destroy(): void };

export type InputOf<C extends Command> = InstanceType<C>['input'];
export type OutputOf<C extends Command> =
  ReturnType<ReturnType<InstanceType<C>['resolveMiddleware']>> extends Promise<{ output: infer O }> ? O : never;

/** `CreateSnapshot`, from `CreateSnapshotCommand`. */
export const operationOf = ({ command }: Pick<Call, 'command'>): string => command.name.replace(/Command$/, '');

interface Options {
  readonly also?: readonly string[];
  readonly instead?: readonly string[];
  readonly at?: Call['at'];
  readonly only?: Only;
  readonly passes?: ServiceRole;
}

/** The three ways to declare a call of one service: `const { read, once } = calls('ec2', EC2Client)`. */
export function calls(service: string, client: ClientClass) {
  const declare =
    (repeat: Call['repeat']) =>
    <C extends Command>(command: C, { also = [], instead, at = 'here', only, passes }: Options = {}): Call<C> => ({
      service,
      client,
      command,
      repeat,
      also: passes ? [...also, 'iam:PassRole'] : also,
      at,
      ...(instead ? { instead } : {}),
      ...(only ? { only } : {}),
      ...(passes ? { passes } : {}),
    });
  return {
    /** Has no effect and may be asked any number of times. */
    read: declare('read'),
    /** Has an effect, the same however often it is asked: a delete, a conditional write, a call with a token or a chosen name. */
    again: declare('again'),
    /** Makes something new each time it is asked, so it is asked at most once and a missing answer is an answer of its own. */
    once: declare('once'),
  };
}

export type Calls = Readonly<Record<string, Call<any>>>;

/** Where calls go, by what their declaration says. */
export type Places = Readonly<Record<Call['at'], Place>>;
