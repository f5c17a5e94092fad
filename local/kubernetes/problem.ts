import { Refusal } from '../world/service.ts';
import { type JsonObject, objectOf } from './json.ts';

/** What a Status says besides its message (Kubernetes API, `Status` and `StatusDetails`). */
export interface Details {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

export interface Cause {
  readonly reason?: string;
  readonly message: string;
  readonly field?: string;
}

/** An answer that is an error: its `code` is the Status' reason. */
export class Problem extends Refusal {
  readonly details: Details | undefined;
  /** Further members of the Status' metadata. */
  readonly metadata: object;

  constructor(status: number, reason: string, message: string, details?: Details, metadata: object = {}) {
    super(reason, message, { status });
    this.details = details;
    this.metadata = metadata;
  }
}

/** What an object is called in messages. */
export interface Titled {
  readonly group: string;
  readonly resource: string;
  readonly kind: string;
}

/** `deployments.apps`, `configmaps`. */
export const titleOf = ({ group, resource }: Titled): string => (group ? `${resource}.${group}` : resource);

const detailsOf = ({ group, resource }: Titled, name: string): Details => ({
  ...(name ? { name } : {}),
  ...(group ? { group } : {}),
  kind: resource,
});

export const badRequest = (message: string): Problem => new Problem(400, 'BadRequest', message);
export const notFound = (type: Titled, name: string): Problem =>
  new Problem(404, 'NotFound', `${titleOf(type)} "${name}" not found`, detailsOf(type, name));
export const noSuchPath = (): Problem => new Problem(404, 'NotFound', 'the server could not find the requested resource', {}, {});
export const notAllowed = (): Problem =>
  new Problem(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const notModelled = (what: string): Problem =>
  new Problem(501, 'NotImplemented', `The local Kubernetes API does not model ${what}.`);
export const alreadyExists = (type: Titled, name: string, why = ''): Problem =>
  new Problem(409, 'AlreadyExists', `${why}${titleOf(type)} "${name}" already exists`, detailsOf(type, name));
export const conflict = (type: Titled, name: string, why: string): Problem =>
  new Problem(409, 'Conflict', `Operation cannot be fulfilled on ${titleOf(type)} "${name}": ${why}`, detailsOf(type, name));
export const STALE = 'the object has been modified; please apply your changes to the latest version and try again';
export const forbidden = (type: Titled, name: string, why: string, causes: readonly Cause[] = []): Problem =>
  new Problem(403, 'Forbidden', `${titleOf(type)} "${name}" is forbidden: ${why}`, {
    ...detailsOf(type, name),
    ...(causes.length > 0 ? { causes } : {}),
  });
export const expired = (message: string, more: string): Problem =>
  new Problem(410, 'Expired', message, undefined, more ? { continue: more } : {});
export const unsupported = (contentType: string, wanted: readonly string[]): Problem =>
  new Problem(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${contentType || 'none named'}) - accepted media types include: ${wanted.join(', ')}`,
  );

export function invalid(type: Titled, name: string, causes: readonly Cause[]): Problem {
  const said = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  const why = said.length === 1 ? said[0] : `[${said.join(', ')}]`;
  const details = { ...detailsOf(type, name), kind: type.kind, causes };
  return new Problem(422, 'Invalid', `${type.kind}${type.group ? `.${type.group}` : ''} "${name}" is invalid: ${why}`, details);
}

export const immutable = (field: string, why = 'field is immutable'): Cause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${why}`,
});
export const required = (field: string, why = ''): Cause => ({
  reason: 'FieldValueRequired',
  field,
  message: `Required value${why && `: ${why}`}`,
});
export const forbiddenField = (field: string, why: string): Cause => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${why}`,
});

/** An error as the object that a client reads. Faults of the world speak AWS's words; here they are a server's own. */
export function statusOf(problem: Refusal): { readonly code: number; readonly object: JsonObject } {
  const throttled = problem.code === 'ThrottlingException';
  const code = throttled ? 429 : (problem.status ?? 500);
  const { details, metadata } = problem instanceof Problem ? problem : { details: undefined, metadata: {} };
  return {
    code,
    object: objectOf({
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message: problem.message,
      reason: throttled ? 'TooManyRequests' : problem.code,
      details,
      code,
    }),
  };
}
