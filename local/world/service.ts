import type { Authorization } from './authorization/declared.ts';
import type { Caller, Place, World } from './world.ts';

/**
 * How a service of the local AWS is written: a folder `local/services/<signing name>/` whose `index.ts` exports
 * `service = defineService(…)`. Operations are plain functions typed by the SDK's own client package; each cites the AWS page that a
 * modelled rule rests on. An operation that is not there answers `NotImplemented`.
 */
export interface Service<State = any> {
  /** The SigV4 signing name, which is also the folder's name. */
  readonly name: string;
  /** The SDK client package; the wire reads its runtime schemas, so nothing about the protocol is written by hand. */
  readonly sdk: () => Promise<object>;
  /** The name of its client class, such as `EC2Client`. */
  readonly client: string;
  /** What one state holds: a region of an account, an account, or the whole partition (bucket names are global). */
  readonly scope: 'region' | 'account' | 'partition';
  /** Makes the state of a place, empty. */
  readonly state: (context: StateContext) => State;
  readonly operations: Record<string, Operation<any, any, State>>;
  /** What callers must be allowed to do, where that does not follow from the Service Authorization Reference. */
  readonly authorization?: Authorization<State>;
  /** What it answers by plain HTTP beside its API, at `/_<name>/<account>/<region>/…`: the presigned addresses that its answers name. */
  readonly http?: (world: World, request: PlainRequest) => PlainResponse;
}

/** A plain HTTP request. Header names are lower case; the path has no query. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PlainResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What a new state is given: where it lives and the world that it lives in. */
export interface StateContext extends Place {
  readonly world: World;
}

/** What an operation may know and do besides its input. */
export interface Context<State> extends Place {
  readonly state: State;
  readonly caller: Caller;
  readonly requestId: string;
  readonly world: World;
  now(): Date;
  /** Later, in virtual seconds: a fixed number, or a range out of which the seed chooses. */
  after(seconds: number | readonly [number, number], run: () => void): void;
  /** A new id as AWS writes them: `id('vol')` is `vol-` and 17 hexadecimal digits. */
  id(prefix: string): string;
  /** The state of another service, in this place unless another is named. */
  peer<Other>(service: string, place?: Partial<Place>): Other;
  /** Calls another service as this caller, in this place unless another is named. */
  call(service: string, operation: string, input: object, place?: Partial<Place>): Promise<any>;
  /** Who a service is that works under a role of a customer: refuses AccessDenied where the role does not trust it. */
  assume(service: string, roleArn: string, session: string): Caller;
}

export type Operation<Input, Output, State> = (input: Input, context: Context<State>) => Output | Promise<Output>;

type InputOf<C> = C extends new (...args: any[]) => { input: infer I } ? I : never;
type OutputOf<C> = C extends new (
  ...args: any[]
) => { resolveMiddleware(...args: any[]): (...args: any[]) => Promise<{ output: infer O }> }
  ? O extends object
    ? Omit<O, '$metadata'>
    : object
  : never;

/**
 * The operations of one SDK client, all optional. A streaming blob (S3's `Body`) is a `Uint8Array` on this side, in and out;
 * a blob is a `Uint8Array`; a timestamp a `Date`.
 */
export type Operations<SDK, State> = {
  [Name in keyof SDK as Name extends `${infer Operation}Command` ? Operation : never]?: (
    input: Unstreamed<InputOf<SDK[Name]>>,
    context: Context<State>,
  ) => Loose<OutputOf<SDK[Name]>> | Promise<Loose<OutputOf<SDK[Name]>>>;
};
type Unstreamed<T> = { [K in keyof T]: K extends 'Body' | 'BlockData' | 'Payload' | 'ZipFile' ? Uint8Array | undefined : T[K] };
type Loose<T> = { [K in keyof T]?: K extends 'Body' | 'BlockData' | 'Payload' ? Uint8Array | undefined : T[K] };

/** Types a group of operations by the SDK: `operations<typeof EC2, Ec2State>()({ CreateVolume(input, context) { … } })`. */
export const operations =
  <SDK, State>() =>
  <O extends Operations<SDK, State>>(group: O): O =>
    group;

export const defineService = <State>(service: Service<State>): Service<State> => service;

/** An answer that AWS would give as an error. `code` is the error's name as the SDK gives it (`error.name`). */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number | undefined;
  /** Further members of a modelled error. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, { status, ...fields }: { status?: number } & Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** Answers with an error. The status is the one in the SDK's model of that error, else 400, unless given. */
export function refuse(code: string, message: string, more: { status?: number } & Record<string, unknown> = {}): never {
  throw new Refusal(code, message, more);
}

/**
 * What the state of a service whose resources bear tags may offer, so that the tagging API and IAM can find them. A state that has these
 * methods is found by them; nothing is registered.
 */
export interface Tagged {
  taggedResources(place: Place): readonly { readonly arn: string; readonly tags: Readonly<Record<string, string>> }[];
  /** Adds tags to a resource; false where it is not one of this service's. */
  tagResource?(arn: string, tags: Readonly<Record<string, string>>): boolean;
  /** Takes tags from a resource, by their keys; false where it is not one of this service's. */
  untagResource?(arn: string, keys: readonly string[]): boolean;
}
