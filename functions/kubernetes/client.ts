import { gunzipSync } from 'node:zlib';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { calls } from '../aws/call.ts';
import { Permanent, Transient, when } from '../aws/errors.ts';
import type { HttpResponse } from '../aws/transport.ts';
import type { Door, Scene } from '../aws/verb.ts';
import type { Place } from '../domain.ts';

const { read } = calls('eks', EKSClient);

/** The calls to spread into a verb that talks to a cluster: `verb({ ...connecting, … }, …)`. */
export const connecting = { describeCluster: read(DescribeClusterCommand) };

export interface Ask {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
}

/** What an API server answered, as it was sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** An API server's refusal, by the `Status` object that it answers with. */
export class Refused extends Permanent {
  readonly status: number;
  /** `AlreadyExists`, `NotFound`, `Invalid`, `Expired`, … */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** Renewed before EKS stops taking it, 15 minutes after it was signed (aws-iam-authenticator, "API Authorization from Outside a Cluster"). */
const TOKEN_MINUTES = 13;

/**
 * Finds a cluster by one DescribeCluster. Permanent, with what to do, where it does not exist or cannot be talked to. `UPDATING` is no
 * hindrance: the API server answers throughout (EKS API, Cluster).
 */
export async function connect(
  aws: Door<typeof connecting>,
  name: string,
  { here, transport, clock }: Pick<Scene, 'here' | 'transport' | 'clock'>,
): Promise<Cluster> {
  const where = `${here.account}/${here.region}`;
  const { cluster } = await aws
    .describeCluster({ name })
    .catch(when('ResourceNotFoundException', () => ({ cluster: undefined })));
  if (!cluster)
    throw new Permanent(`There is no cluster "${name}" in ${where}; create it, or correct its name in stillpoint.yaml.`);
  const { status, endpoint, certificateAuthority, arn, version = '' } = cluster;
  if ((status !== 'ACTIVE' && status !== 'UPDATING') || !endpoint || !arn) {
    throw new Permanent(`Cluster ${name} in ${where} is ${status ?? 'in no known state'}, not ACTIVE; try again when it is.`);
  }
  const authority = certificateAuthority?.data ? Buffer.from(certificateAuthority.data, 'base64').toString() : undefined;
  return new Cluster({ name, arn, version, place: here, endpoint, authority }, transport, clock);
}

interface Found {
  readonly name: string;
  readonly arn: string;
  readonly version: string;
  readonly place: Place;
  readonly endpoint: string;
  readonly authority: string | undefined;
}

/** An API server that we may talk to. Bodies are text, exactly as sent. */
export class Cluster {
  readonly name: string;
  readonly arn: string;
  readonly version: string;
  readonly #found: Found;
  readonly #transport: Scene['transport'];
  readonly #clock: Scene['clock'];
  #token: { readonly text: Promise<string>; readonly until: number } | undefined;

  constructor(found: Found, transport: Scene['transport'], clock: Scene['clock']) {
    this.name = found.name;
    this.arn = found.arn;
    this.version = found.version;
    this.#found = found;
    this.#transport = transport;
    this.#clock = clock;
  }

  /** One request and its answer, whatever its status but those that no caller can do anything about: silence, 401, 429 and 502 to 504. */
  async ask({ method, path, body, contentType = 'application/json', accept = 'application/json' }: Ask): Promise<Reply> {
    const { endpoint, authority } = this.#found;
    const authorization = `Bearer ${await this.#bearer()}`;
    const response = await this.#transport
      .fetch({
        method,
        url: endpoint + path,
        headers: {
          authorization,
          accept,
          'accept-encoding': 'gzip',
          ...(body === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
        ...(authority === undefined ? {} : { authority }),
      })
      .catch((cause: Error) => {
        if (cause instanceof Permanent) throw cause; // it was never sent
        throw new Transient(`Cluster ${this.name} gave no answer to ${method} ${path}: ${cause.message}`, { cause });
      });
    const reply = { status: response.status, headers: response.headers, text: textOf(response) };
    if (reply.status === 401) throw new Permanent(this.#unknownToIt());
    if (reply.status === 429 || (reply.status > 501 && reply.status < 600)) {
      throw new Transient(`Cluster ${this.name} is busy (${reply.status} to ${method} ${path}): ${messageOf(reply)}`);
    }
    return reply;
  }

  /** The answer to a request that must succeed. Throws `Refused` for what the server refuses, Transient for an error of its own. */
  async get(path: string, accept?: string): Promise<Reply> {
    const ask: Ask = { method: 'GET', path, ...(accept === undefined ? {} : { accept }) };
    const reply = await this.ask(ask);
    if (reply.status >= 400) throw this.refusal(ask, reply);
    return reply;
  }

  /** The answer to a GET, or undefined where there is nothing (404). */
  async find(path: string): Promise<Reply | undefined> {
    const ask: Ask = { method: 'GET', path };
    const reply = await this.ask(ask);
    if (reply.status === 404) return undefined;
    if (reply.status >= 400) throw this.refusal(ask, reply);
    return reply;
  }

  /** The error that an answer stands for. */
  refusal({ method, path }: Pick<Ask, 'method' | 'path'>, reply: Reply): Refused | Transient {
    const { reason } = statusOf(reply);
    const message = messageOf(reply);
    if (reply.status === 500) return new Transient(`Cluster ${this.name} failed at ${method} ${path}: ${message}`);
    return new Refused(reply.status, reason, reply.status === 403 ? `${message} ${this.#mayNot()}` : message);
  }

  #bearer(): Promise<string> {
    const now = this.#clock.now();
    if (!this.#token || this.#token.until <= now) {
      const text = this.#transport.clusterToken(this.name, this.#found.place);
      text.catch(() => {
        this.#token = undefined;
      });
      this.#token = { text, until: now + TOKEN_MINUTES * 60_000 };
    }
    return this.#token.text;
  }

  #unknownToIt(): string {
    return `Cluster ${this.name} in ${this.#found.place.region} does not know the role of this function; create an access entry for it (eks create-access-entry) and associate AmazonEKSClusterAdminPolicy with it.`;
  }

  #mayNot(): string {
    return `If rights are missing: the role of this function has an access entry in cluster ${this.name}, whose policy does not allow this; associate AmazonEKSClusterAdminPolicy with it.`;
  }
}

interface Status {
  readonly reason: string;
  readonly message: string;
}

function statusOf({ text }: Pick<Reply, 'text'>): Status {
  try {
    const { reason = '', message = '' } = JSON.parse(text) as Partial<Status>;
    return { reason, message };
  } catch {
    return { reason: '', message: text.slice(0, 200) };
  }
}

const messageOf = (reply: Reply): string => statusOf(reply).message || `It answered ${reply.status} and no reason.`;

/** JSON begins with no byte of gzip's, so a body that somebody has unpacked on the way is taken as it is. */
function textOf({ body }: HttpResponse): string {
  const plain = body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain);
}
