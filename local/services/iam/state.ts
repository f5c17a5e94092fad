import type * as SDK from '@aws-sdk/client-iam';
import { Malformed } from '../../world/authorization/conditions.ts';
import { type Attached, type Document, documentOf } from '../../world/authorization/document.ts';
import { refuse, type StateContext } from '../../world/service.ts';
import type { Place, World } from '../../world/world.ts';
import { AWS_MANAGED } from './managed.ts';

/** A role: who may be it, and what it may do. */
export interface Role {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAt: Date;
  trust: Document;
  description: string | undefined;
  maxSessionSeconds: number;
  /** The ARN of the managed policy that bounds what its policies can give. */
  boundary: string | undefined;
  tags: Readonly<Record<string, string>>;
  /** By name. */
  readonly inline: Map<string, Document>;
  /** Managed policies, by ARN. */
  readonly attached: Set<string>;
}

export interface Version {
  readonly id: string;
  readonly document: Document;
  readonly createdAt: Date;
}

/** A policy with an ARN of its own, in up to five versions, one of which is in force. */
export interface ManagedPolicy {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly description: string | undefined;
  readonly createdAt: Date;
  updatedAt: Date;
  tags: Readonly<Record<string, string>>;
  readonly versions: Map<string, Version>;
  inForce: string;
  /** Never given again, also after the version is gone. */
  lastVersion: number;
}

/** The identities of one account. */
export class IamState {
  readonly roles = new Map<string, Role>();
  /** The account's own, by ARN; AWS's are in every account. */
  readonly policies = new Map<string, ManagedPolicy>();
  readonly #account: string;
  readonly #world: World;

  constructor({ account, world }: StateContext) {
    this.#account = account;
    this.#world = world;
  }

  get account(): string {
    return this.#account;
  }

  arn(kind: 'role' | 'policy', path: string, name: string): string {
    return `arn:aws:iam::${this.#account}:${kind}${path}${name}`;
  }

  /** `AROA…` of a role, `ANPA…` of a policy: never the same twice, as a namesake is somebody else (IAM guide, "Unique identifiers"). */
  uniqueId(prefix: 'AROA' | 'ANPA'): string {
    return prefix + this.#world.random.hex(17).toUpperCase();
  }

  role(name: string | undefined): Role {
    return (
      this.roles.get(name ?? '') ??
      refuse('NoSuchEntityException', `The role with name ${name} cannot be found.`, { status: 404 })
    );
  }

  /** One of this account's or of AWS's. */
  policy(arn: string | undefined): ManagedPolicy {
    const found = this.policies.get(arn ?? '') ?? AWS_MANAGED.get(arn ?? '');
    return found ?? refuse('NoSuchEntityException', `Policy ${arn} does not exist or is not attachable.`, { status: 404 });
  }

  /** What a role is allowed by its policies, inline and attached, as far as they are there. */
  documentsOf({ inline, attached }: Role): Document[] {
    return [...inline.values(), ...[...attached].map((arn) => inForce(this.policy(arn)))];
  }

  /** What bounds a role's policies, where it has a permissions boundary. */
  boundaryOf({ boundary }: Role): Document | undefined {
    return boundary === undefined ? undefined : inForce(this.policy(boundary));
  }

  /** How many roles a policy is attached to. */
  attachments(arn: string): number {
    return [...this.roles.values()].filter(({ attached }) => attached.has(arn)).length;
  }

  taggedResources(_: Place): { arn: string; tags: Readonly<Record<string, string>> }[] {
    return [...this.roles.values(), ...this.policies.values()].map(({ arn, tags }) => ({ arn, tags }));
  }
}

export const inForce = ({ versions, inForce: id }: ManagedPolicy): Document => (versions.get(id) as Version).document;

/** Compiles a policy as it is given to IAM. */
export function written(text: string | undefined, attached: Attached): Document {
  try {
    return documentOf(text ?? '', attached);
  } catch (error) {
    if (error instanceof Malformed) return refuse('MalformedPolicyDocumentException', error.message, { status: 400 });
    throw error;
  }
}

export const tagsOf = (tags: readonly SDK.Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));

export const tagList = (tags: Readonly<Record<string, string>>): SDK.Tag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** As IAM answers policies: percent-encoded (IAM API, GetRolePolicy). */
export const encoded = ({ text }: Document): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** Characters that count: IAM does not count white space (IAM guide, "IAM and AWS STS quotas"). */
export const sizeOf = ({ text }: Document): number => text.replaceAll(/\s/g, '').length;

/** A page, and the marker of the next. */
export function page<T>(
  all: readonly T[],
  { Marker, MaxItems = 100 }: { Marker?: string | undefined; MaxItems?: number | undefined },
) {
  const from = Marker === undefined ? 0 : Number(Marker);
  if (!Number.isInteger(from) || from < 0)
    return refuse('InvalidInputException', `The marker ${Marker} is not valid.`, { status: 400 });
  const rest = all.slice(from, from + MaxItems);
  const more = from + MaxItems < all.length;
  return { rest, next: { IsTruncated: more, ...(more ? { Marker: String(from + MaxItems) } : {}) } };
}

const NAME = /^[\w+=,.@-]+$/;
const PATH = /^\/([\u0021-\u007e]+\/)?$/;

/** IAM API: RoleName has up to 64 characters, PolicyName up to 128. */
export function named(what: string, name: string | undefined, most: number, path = '/'): string {
  if (!name || !NAME.test(name) || name.length > most)
    return refuse(
      'ValidationError',
      `The specified value for ${what} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_- and have at most ${most}`,
      { status: 400 },
    );
  if (!PATH.test(path))
    refuse('ValidationError', 'The specified value for path is invalid. It must begin and end with / and contain no spaces.', {
      status: 400,
    });
  return name;
}
