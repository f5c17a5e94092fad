import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Permanent } from './errors.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

/** An API server that is silent for so long is not there. A watch or an exec is another matter, and goes another way. */
const SILENCE_MILLIS = 60_000;

/** One request to a cluster's API server or to a presigned address. Rejects where no answer came, and for what must not be sent at all. */
export async function fetchOverHttp(request: HttpRequest): Promise<HttpResponse> {
  const incoming = await responseTo(request);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { status: incoming.statusCode ?? 0, headers: headersOf(incoming), body: new Uint8Array(Buffer.concat(chunks)) };
}

function responseTo({ method, url, headers, body, authority }: HttpRequest): Promise<IncomingMessage> {
  const target = new URL(url);
  if (target.protocol !== 'https:') refuseUnlessLoopback(target);
  const length = body ? { 'content-length': String(body.length) } : {};
  const common = { method, headers: { ...headers, ...length }, timeout: SILENCE_MILLIS };
  return new Promise((resolve, reject) => {
    const sending =
      target.protocol === 'https:'
        ? httpsRequest(target, { ...common, agent: agentFor(authority) }, resolve)
        : httpRequest(target, { ...common, agent: plainAgent }, resolve);
    const silent = Object.assign(new Error(`${target.host} said nothing for ${SILENCE_MILLIS / 1000} s.`), {
      name: 'TimeoutError',
    });
    sending.on('timeout', () => sending.destroy(silent));
    sending.on('error', reject);
    sending.end(body);
  });
}

/** A request carries a token that is as good as a password. */
function refuseUnlessLoopback({ hostname, href }: URL): void {
  if (['127.0.0.1', '[::1]', 'localhost'].includes(hostname)) return;
  throw new Permanent(
    `${href} is plain HTTP, which would show the cluster's token to the network; give the cluster's https endpoint.`,
  );
}

const plainAgent = new HttpAgent({ keepAlive: true });
const agents = new Map<string | undefined, HttpsAgent>();

/** Each authority has its own connections, so that none is trusted for another's cluster. */
function agentFor(authority: string | undefined): HttpsAgent {
  const known = agents.get(authority);
  if (known) return known;
  const agent = new HttpsAgent({ keepAlive: true, ...(authority === undefined ? {} : { ca: authority }) });
  agents.set(authority, agent);
  return agent;
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])));
