import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CLIENT_HEADER, ConnectionLost, type World } from '../world/world.ts';
import { CONTROL, control, type Settings } from './control.ts';
import { bytesOf, type HttpRequest, type HttpResponse, headersOf } from './message.ts';
import { refuseDark, wire } from './wire.ts';

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a world on 127.0.0.1, at a port of the machine's choice where none is given. */
export async function listen(world: World, settings: Settings, port = 0): Promise<Listening> {
  const answer = wire(world);
  const server = createServer((incoming, outgoing) => {
    const client = world.clients.get(String(incoming.headers[CLIENT_HEADER]));
    client?.arrived();
    void serve(incoming)
      .finally(() => client?.answered())
      .then((response) => send(outgoing, client ? response : undated(response)))
      .catch((error: unknown) => giveUp(outgoing, error));
  });
  server.keepAliveTimeout = 0; // a socket that we close while the client writes would look like a lost answer
  server.requestTimeout = 0;

  async function serve(incoming: IncomingMessage): Promise<HttpResponse> {
    const head = headOf(incoming);
    const controlled = isControl(head);
    if (!controlled) refuseDark(world, head);
    const request = { ...head, body: await world.clock.busy(() => collect(incoming)) };
    return controlled ? control(world, settings, request) : answer(request);
  }

  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', listening);
  });
  const { port: found } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${found}`, close: () => closed(server) };
}

const isControl = ({ path }: Pick<HttpRequest, 'path'>): boolean => path === CONTROL || path.startsWith(`${CONTROL}/`);

function headOf({ method = 'GET', url = '/', headers }: IncomingMessage): Omit<HttpRequest, 'body'> {
  const [path = '/', query = ''] = url.split(/\?(.*)/s, 2);
  return { method, path, query: new URLSearchParams(query), headers: headersOf(headers) };
}

async function collect(incoming: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

/**
 * An error without its `Date`. The SDK's clients hold it against the machine's clock, which is at another time and goes at another pace: they
 * would take every error for a clock that is wrong, and ask again for many minutes.
 */
function undated(response: HttpResponse): HttpResponse {
  if (response.status < 400) return response;
  const { date: _, ...headers } = response.headers;
  return { ...response, headers };
}

function send(outgoing: ServerResponse, { status, headers, body }: HttpResponse): void {
  outgoing.sendDate = false; // it would be the machine's
  outgoing.writeHead(status, headers);
  outgoing.end(body);
}

/** No answer is a broken connection; a fault of ours is said, so that it is found. */
function giveUp(outgoing: ServerResponse, error: unknown): void {
  if (error instanceof ConnectionLost || outgoing.headersSent) return void outgoing.destroy();
  outgoing.writeHead(500, { 'content-type': 'application/json' });
  outgoing.end(bytesOf(JSON.stringify({ __type: 'InternalFailure', message: String(error) })));
}

const closed = (server: Server): Promise<void> =>
  new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
