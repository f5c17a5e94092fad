import { type Bound, readBindings, writeBindings } from './bindings.ts';
import { bytesOf, type HttpResponse, NOTHING, textOf } from './message.ts';
import type { Problem } from './problem.ts';
import type { Envelope, Protocol } from './protocols.ts';
import { opaque } from './rest-json.ts';
import { memberTraitsOf, type Operation, traitsOf } from './schema.ts';
import { element, escapeXml, fromXml, namespaceAttribute, toXml, toXmlRoot, xmlDocument } from './xml.ts';

const XML_TYPE = { 'content-type': 'application/xml' };

/** REST XML, which is S3's here: its errors have no envelope (Smithy, "AWS restXml protocol": noErrorWrapping). */
export const restXml: Protocol = {
  decode(operation, request, labels) {
    const { input, payload, body } = readBindings(operation, request, labels);
    if (payload) return { ...input, ...readPayload(payload, request.body) };
    if (body.length > 0 && request.body.length > 0) Object.assign(input, fromXml(operation.input, request.body));
    return input;
  },

  encode(operation, value, { namespace }): HttpResponse {
    const { status = statusOf(operation, value), headers, payload, body } = writeBindings(operation.output, value);
    if (payload) return { status, ...writePayload(payload, value, headers, namespace) };
    if (body.length === 0) return { status, headers, body: NOTHING };
    const content = body.map(([name, member]) => toXml(member, value[name], memberTraitsOf(member).xmlName ?? name)).join('');
    const { xmlName: root = operation.output.getName()! } = traitsOf(operation.output);
    const written = isUnwrapped(operation) ? escapeXml(String(value['LocationConstraint'] ?? '')) : content;
    return {
      status,
      headers: { ...XML_TYPE, ...headers },
      body: bytesOf(xmlDocument(element(root, written, namespaceAttribute(namespace)))),
    };
  },

  refuse(problem, envelope): HttpResponse {
    return { status: problem.status, headers: { ...XML_TYPE, ...errorHeaders(problem) }, body: errorBody(problem, envelope) };
  },
};

/** S3's one answer whose text stands right in the root (S3 API, "GetBucketLocation"); the SDK's schema does not say so. */
const isUnwrapped = ({ name }: Operation): boolean => name === 'GetBucketLocation';

/** A part of an object is 206 (S3 API, "GetObject": Range); the schema knows only 200. */
const statusOf = ({ http }: Operation, value: Readonly<Record<string, unknown>>): number =>
  value['ContentRange'] === undefined ? (http?.status ?? 200) : 206;

function readPayload([name, member]: Bound, body: Uint8Array): Record<string, unknown> {
  if (member.isBlobSchema()) return body.length > 0 || member.isStreaming() ? { [name]: body } : {};
  if (body.length === 0) return {};
  return { [name]: member.isStringSchema() ? textOf(body) : fromXml(member, body) };
}

function writePayload(
  [name, member]: Bound,
  value: Readonly<Record<string, unknown>>,
  headers: Record<string, string>,
  namespace: string,
) {
  const payload = value[name];
  if (payload === undefined || payload === null) return { headers, body: NOTHING };
  if (member.isBlobSchema() || member.isStringSchema()) return opaque(member, payload as Uint8Array | string, headers);
  const root = traitsOf(member).xmlName ?? member.getName()!;
  return { headers: { ...XML_TYPE, ...headers }, body: bytesOf(toXmlRoot(member, payload, root, namespace)) };
}

/** What S3 says in headers, because a HEAD has no body: where a bucket is, and that an object's newest version is a delete marker. */
function errorHeaders({ fields }: Problem): Record<string, string> {
  const { BucketRegion, DeleteMarker } = fields;
  return {
    ...(BucketRegion === undefined ? {} : { 'x-amz-bucket-region': String(BucketRegion) }),
    ...(DeleteMarker === true ? { 'x-amz-delete-marker': 'true' } : {}),
  };
}

/** S3's error document (S3 API, "Error responses"): code, message, and what else the error tells. A 304 has none. */
function errorBody({ code, message, status, fields }: Problem, { requestId }: Envelope): Uint8Array {
  if (status === 304) return NOTHING;
  const more = Object.entries(fields)
    .filter(([, value]) => ['string', 'number'].includes(typeof value))
    .map(([name, value]) => element(name, escapeXml(String(value))));
  const content =
    element('Code', escapeXml(code)) + element('Message', escapeXml(message)) + more.join('') + element('RequestId', requestId);
  return bytesOf(xmlDocument(element('Error', content)));
}
