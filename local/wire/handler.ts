import { Readable } from 'node:stream';
import { HttpResponse } from '@smithy/core/protocols';
import { type Caller, ConnectionLost, type World } from '../world/world.ts';
import { headersOf, NOTHING } from './message.ts';
import { wire } from './wire.ts';

/** A request as the SDK's clients hand it to their transport. */
interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly hostname?: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A `requestHandler` for SDK clients: the whole wire, schemas and all, without a socket. With a caller, every request is that caller's, whatever key signs it. */
export function requestHandler(world: World, caller?: Caller) {
  const answer = wire(world, caller);
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest): Promise<{ response: HttpResponse }> {
      const { method, path } = request;
      const headers = headersOf({ ...(request.hostname ? { host: request.hostname } : {}), ...request.headers });
      try {
        const { status, ...rest } = await answer({
          method,
          path,
          query: queryOf(request),
          headers,
          body: await bytesIn(request.body),
        });
        return { response: new HttpResponse({ statusCode: status, headers: rest.headers, body: streamOf(rest.body) }) };
      } catch (error) {
        throw error instanceof ConnectionLost ? hungUp(error) : error;
      }
    },
    destroy() {},
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

function queryOf({ query = {} }: SdkRequest): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, values] of Object.entries(query)) {
    for (const value of [values].flat()) parameters.append(name, value ?? '');
  }
  return parameters;
}

async function bytesIn(body: unknown): Promise<Uint8Array> {
  if (body === undefined || body === null) return NOTHING;
  if (typeof body === 'string') return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk as string));
  return Buffer.concat(chunks);
}

const streamOf = (body: Uint8Array): Readable => Readable.from(body.length > 0 ? [Buffer.from(body)] : []);

/** A broken connection as node's own handler reports it to the SDK (@smithy/node-http-handler: ECONNRESET is a TimeoutError). */
const hungUp = (cause: Error): Error =>
  Object.assign(new Error('socket hang up', { cause }), { name: 'TimeoutError', code: 'ECONNRESET' });
