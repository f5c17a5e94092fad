import { type HttpRequest, textOf } from './message.ts';

/**
 * A body in `aws-chunked` encoding, as it was before: chunks joined, the encoding gone from the headers, and the trailing checksum among
 * them, where S3 reads it (S3 API, "Signature calculations: transferring payload in multiple chunks" and "Trailing headers").
 */
export function unchunked(request: HttpRequest): HttpRequest {
  const { headers, body } = request;
  const encodings = (headers['content-encoding'] ?? '').split(',').map((encoding) => encoding.trim());
  const streaming = (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');
  if (!streaming && !encodings.includes('aws-chunked')) return request;
  const { content, trailers } = join(body);
  const kept = encodings.filter((encoding) => encoding !== '' && encoding !== 'aws-chunked').join(',');
  const { 'content-encoding': _, 'x-amz-decoded-content-length': __, ...others } = headers;
  const plain = {
    ...others,
    ...trailers,
    'content-length': String(content.length),
    ...(kept ? { 'content-encoding': kept } : {}),
  };
  return { ...request, headers: plain, body: content };
}

/** `size[;extension]CRLF bytes CRLF …`, a chunk of size 0, then trailers, one a line. */
function join(body: Uint8Array): { content: Uint8Array; trailers: Record<string, string> } {
  const chunks: Uint8Array[] = [];
  for (let at = 0; ; ) {
    const end = indexOfLine(body, at);
    const size = Number.parseInt(textOf(body.subarray(at, end)), 16);
    if (end < 0 || Number.isNaN(size) || end + 2 + size > body.length) throw new RangeError('the aws-chunked body breaks off');
    if (size === 0)
      return { content: new Uint8Array(Buffer.concat(chunks)), trailers: trailersIn(textOf(body.subarray(end + 2))) };
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

const indexOfLine = (body: Uint8Array, from: number): number =>
  Buffer.from(body.buffer, body.byteOffset, body.length).indexOf('\r\n', from);

const trailersIn = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\r\n')
      .map((line) => line.split(/:(.*)/s, 2) as [string, string?])
      .flatMap(([name, value]) => (value === undefined ? [] : [[name.trim().toLowerCase(), value.trim()]])),
  );
