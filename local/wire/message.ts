/** One request off the wire. Header names are lower case; the path is as it was sent, percent-encoded, without its query. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export const NOTHING = new Uint8Array();

export const textOf = (body: Uint8Array): string => new TextDecoder().decode(body);
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Whether a body is a form, as the query protocols have it. */
export const isForm = (headers: Readonly<Record<string, string>>): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

/** Header values as they arrive from node or from an SDK client, one string each, names in lower case. */
export function headersOf(raw: Readonly<Record<string, string | readonly string[] | undefined>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name.toLowerCase()] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}
