import { quoteHeader, splitEvery, splitHeader } from '@smithy/core/serde';
import type { HttpRequest } from './message.ts';
import { membersOf, type Operation, type Shape, traitsOf } from './schema.ts';
import { DATE_TIME, fromText, HTTP_DATE, toText } from './text.ts';

/** A member that is in the body, or is the body. */
export type Bound = readonly [name: string, member: Shape];

/** What of an input is bound to the URL and the headers, and which members the body has yet to give (Smithy, "HTTP bindings"). */
export interface Unbound {
  readonly input: Record<string, unknown>;
  /** The one member that is the whole body. */
  readonly payload: Bound | undefined;
  readonly body: readonly Bound[];
}

export function readBindings(
  { input: shape, http }: Operation,
  request: HttpRequest,
  labels: Readonly<Record<string, string>>,
): Unbound {
  const input: Record<string, unknown> = {};
  const body: Bound[] = [];
  let payload: Bound | undefined;
  for (const [name, member] of membersOf(shape)) {
    const traits = traitsOf(member);
    if (traits.httpPayload) payload = [name, member];
    else if (isBound(member)) assign(input, name, readBinding(name, member, request, labels));
    else body.push([name, member]);
  }
  const rest = membersOf(shape).find(([, member]) => traitsOf(member).httpQueryParams);
  if (rest) assign(input, rest[0], readQueryParams(rest[1], request.query, namedQueries(shape, http)));
  return { input, payload, body };
}

function isBound(member: Shape): boolean {
  const { httpLabel, httpQuery, httpQueryParams, httpHeader, httpPrefixHeaders, httpResponseCode } = traitsOf(member);
  return Boolean(httpLabel || httpQuery || httpQueryParams || httpHeader || httpPrefixHeaders !== undefined || httpResponseCode);
}

function readBinding(
  name: string,
  member: Shape,
  { query, headers }: HttpRequest,
  labels: Readonly<Record<string, string>>,
): unknown {
  const { httpLabel, httpQuery, httpHeader, httpPrefixHeaders } = traitsOf(member);
  if (httpLabel) return labels[name] === undefined ? undefined : fromText(member, labels[name], DATE_TIME);
  if (httpQuery) return readQuery(member, query.getAll(httpQuery));
  if (httpHeader) return readHeader(member, headers[httpHeader.toLowerCase()]);
  return httpPrefixHeaders === undefined ? undefined : readPrefixed(httpPrefixHeaders.toLowerCase(), headers);
}

function readQuery(member: Shape, texts: readonly string[]): unknown {
  if (texts.length === 0) return undefined;
  if (!member.isListSchema()) return fromText(member, texts[0]!, DATE_TIME);
  return texts.map((text) => fromText(member.getValueSchema() as Shape, text, DATE_TIME));
}

function readHeader(member: Shape, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (member.isListSchema()) {
    const item = member.getValueSchema() as Shape;
    const parts = item.isTimestampSchema() ? splitEvery(text, ',', 2) : splitHeader(text); // an HTTP date has a comma of its own
    return parts.map((part) => fromText(item, part.trim(), HTTP_DATE));
  }
  return traitsOf(member).mediaType ? Buffer.from(text, 'base64').toString() : fromText(member, text, HTTP_DATE);
}

function readPrefixed(prefix: string, headers: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const found = Object.entries(headers).filter(([name]) => name.startsWith(prefix));
  return found.length > 0 ? Object.fromEntries(found.map(([name, text]) => [name.slice(prefix.length), text])) : undefined;
}

const namedQueries = (shape: Shape, http: Operation['http']): Set<string> =>
  new Set([...(http?.query.keys() ?? []), ...membersOf(shape).flatMap(([, member]) => traitsOf(member).httpQuery ?? [])]);

function readQueryParams(member: Shape, query: URLSearchParams, named: ReadonlySet<string>): Record<string, unknown> | undefined {
  const many = (member.getValueSchema() as Shape).isListSchema();
  const keys = [...new Set(query.keys())].filter((key) => !named.has(key));
  return keys.length > 0 ? Object.fromEntries(keys.map((key) => [key, many ? query.getAll(key) : query.get(key)])) : undefined;
}

function assign(target: Record<string, unknown>, name: string, value: unknown): void {
  if (value !== undefined) target[name] = value;
}

/** What of an output goes into the status and the headers, and what is left for the body. */
export interface Written {
  readonly status: number | undefined;
  readonly headers: Record<string, string>;
  readonly payload: Bound | undefined;
  readonly body: readonly Bound[];
}

export function writeBindings(shape: Shape, value: Readonly<Record<string, unknown>>): Written {
  const headers: Record<string, string> = {};
  const body: Bound[] = [];
  let payload: Bound | undefined;
  let status: number | undefined;
  for (const [name, member] of membersOf(shape)) {
    const { httpHeader, httpPrefixHeaders, httpResponseCode, httpPayload } = traitsOf(member);
    const given = value[name];
    if (httpPayload) payload = [name, member];
    else if (httpResponseCode) status = given as number | undefined;
    else if (httpHeader) {
      if (given !== undefined && given !== null) headers[httpHeader.toLowerCase()] = writeHeader(member, given);
    } else if (httpPrefixHeaders !== undefined) Object.assign(headers, writePrefixed(httpPrefixHeaders, given));
    else body.push([name, member]);
  }
  return { status, headers, payload, body };
}

function writeHeader(member: Shape, value: unknown): string {
  if (!member.isListSchema()) {
    return traitsOf(member).mediaType ? Buffer.from(String(value)).toString('base64') : toText(member, value, HTTP_DATE);
  }
  const item = member.getValueSchema() as Shape;
  const texts = (value as unknown[]).map((one) => toText(item, one, HTTP_DATE));
  return (item.isTimestampSchema() ? texts : texts.map(quoteHeader)).join(', ');
}

const writePrefixed = (prefix: string, map: unknown): Record<string, string> =>
  Object.fromEntries(Object.entries((map ?? {}) as Record<string, unknown>).map(([name, text]) => [prefix + name, String(text)]));
