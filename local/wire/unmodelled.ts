import { Refusal } from '../world/service.ts';
import { type HttpRequest, type HttpResponse, isForm, textOf } from './message.ts';
import { problemOf } from './problem.ts';
import { protocolNamed } from './protocols.ts';
import type { Signature } from './signature.ts';

/** A service that is not there has no schemas to tell its protocol; the request's own look does. */
export function unmodelled({ service }: Signature, request: HttpRequest, requestId: string): HttpResponse {
  const protocol = protocolNamed(protocolLike(request));
  return protocol.refuse(problemOf(undefined, notImplemented(service, request)), { namespace: '', requestId });
}

/** The refusal of what a request asks for, by its name as far as the request says it. */
export const notImplemented = (service: string, request: HttpRequest): Refusal =>
  new Refusal('NotImplemented', `The local AWS does not model ${service}:${nameOf(request)}.`, { status: 501 });

function protocolLike({ headers }: HttpRequest): string {
  if (headers['x-amz-target']) return headers['content-type']?.includes('json-1.0') ? 'awsJson1_0' : 'awsJson1_1';
  return isForm(headers) ? 'awsQuery' : 'restJson1';
}

/** A target, an action, or a method and a path. */
function nameOf({ method, path, query, headers, body }: HttpRequest): string {
  const target = headers['x-amz-target']?.split('.').at(-1);
  const form = isForm(headers) ? new URLSearchParams(textOf(body)) : query;
  return target ?? form.get('Action') ?? query.get('x-id') ?? `${method} ${path}`;
}
