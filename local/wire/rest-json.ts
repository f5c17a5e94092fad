import { type Bound, readBindings, writeBindings } from './bindings.ts';
import { errorToJson, fromJson, queryErrorHeader, structToJson, toJson } from './json.ts';
import { bytesOf, type HttpResponse, NOTHING, textOf } from './message.ts';
import type { Protocol } from './protocols.ts';
import type { Shape } from './schema.ts';
import { traitsOf } from './schema.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

/** REST JSON: members in the URL, the headers and a JSON body (Smithy, "AWS restJson1 protocol"). */
export const restJson: Protocol = {
  decode(operation, request, labels) {
    const { input, payload, body } = readBindings(operation, request, labels);
    if (payload) return { ...input, ...readPayload(payload, request.body) };
    if (body.length === 0 || request.body.length === 0) return input;
    const read = fromJson(operation.input, JSON.parse(textOf(request.body)), 'jsonName') as Record<string, unknown>;
    for (const [name] of body) if (read[name] !== undefined) input[name] = read[name];
    return input;
  },

  encode({ output, http }, value): HttpResponse {
    const { status = http?.status ?? 200, headers, payload, body } = writeBindings(output, value);
    if (payload) return { status, ...writePayload(payload, value, headers) };
    return {
      status,
      headers: { ...JSON_TYPE, ...headers },
      body: bytesOf(JSON.stringify(structToJson(body, value, 'jsonName'))),
    };
  },

  refuse(problem): HttpResponse {
    const bound = problem.shape ? writeBindings(problem.shape, problem.fields).headers : {};
    return {
      status: problem.status,
      headers: { ...JSON_TYPE, ...bound, 'x-amzn-errortype': problem.name, ...queryErrorHeader(problem) },
      body: bytesOf(errorToJson(problem, 'jsonName')),
    };
  },
};

function readPayload([name, member]: Bound, body: Uint8Array): Record<string, unknown> {
  if (member.isBlobSchema()) return body.length > 0 || member.isStreaming() ? { [name]: body } : {};
  if (body.length === 0) return {};
  return { [name]: member.isStringSchema() ? textOf(body) : fromJson(member, JSON.parse(textOf(body)), 'jsonName') };
}

function writePayload([name, member]: Bound, value: Readonly<Record<string, unknown>>, headers: Record<string, string>) {
  const payload = value[name];
  if (payload === undefined || payload === null) return { headers, body: NOTHING };
  if (member.isBlobSchema() || member.isStringSchema()) return opaque(member, payload as Uint8Array | string, headers);
  return { headers: { ...JSON_TYPE, ...headers }, body: bytesOf(JSON.stringify(toJson(member, payload, 'jsonName'))) };
}

/** A payload that is bytes or text goes as it is, under the type that its header or its shape says. */
export function opaque(member: Shape, payload: Uint8Array | string, headers: Record<string, string>) {
  const otherwise = member.isBlobSchema() ? 'application/octet-stream' : 'text/plain';
  const body = typeof payload === 'string' ? bytesOf(payload) : payload;
  return { headers: { 'content-type': traitsOf(member).mediaType ?? otherwise, ...headers }, body };
}
