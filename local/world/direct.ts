import { createHash } from 'node:crypto';
import { serveKubernetes } from '../kubernetes/index.ts';
import { plainAt, servePlain } from './plain.ts';
import { Refusal } from './service.ts';
import { type Caller, ConnectionLost, type Place, type World } from './world.ts';

/** A request as a client would make it, without a wire: the command's name says which operation. */
interface DirectRequest {
  readonly call: { readonly service: string; readonly command: { readonly name: string } };
  readonly place: Place;
  readonly input: object;
}

interface ClusterRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/**
 * Direct dispatch: the same service code without sockets, signatures or XML, for simulations that make tens of thousands of calls a second.
 * Whoever calls is the account's root unless a caller is given. Answers and errors look as the SDK's clients give them: blobs that stream have `transformToByteArray`, errors have `name` and `$metadata`.
 */
export function direct(world: World, caller?: Caller) {
  return {
    async send({ call, place, input }: DirectRequest): Promise<{ output: any; date: Date }> {
      const operation = call.command.name.replace(/Command$/, '');
      try {
        const output = await world.call({
          place,
          service: call.service,
          operation,
          input: bytesIn(input),
          ...(caller ? { caller } : {}),
        });
        return { output: bytesOut(output), date: new Date(world.clock.now()) };
      } catch (error) {
        throw asClientSees(error, world);
      }
    },
    async fetch(request: ClusterRequest) {
      if (!request.url.startsWith(world.origin)) throw new ConnectionLost(`${request.url} is not of this world`);
      const { method, headers, body } = request;
      const { pathname: path, searchParams: query } = new URL(request.url);
      const plain = plainAt(world, path);
      if (plain) return servePlain(world, plain, { method, path, query, headers });
      return serveKubernetes(world, { method, headers, url: request.url.slice(world.origin.length), ...(body ? { body } : {}) });
    },
    /** Looks like a presigned GetCallerIdentity; the account's own key signs it, or that of the caller's session. */
    async clusterToken(cluster: string, place: Place): Promise<string> {
      const key = caller === undefined ? place.account : keyOf(caller, world);
      const url = `https://sts.${place.region}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=${key}%2F${place.region}&x-k8s-aws-id=${cluster}`;
      return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
    },
  };
}

/** The part of the local STS that knows whose a key is. */
interface Sessions {
  issue(accessKeyId: string, session: { readonly caller: Caller; readonly expires: Date }): void;
}
const AN_HOUR = 3_600_000;

/** A key that is the caller's for an hour: its account's own, or one that STS takes for issued. */
function keyOf(caller: Caller, world: World): string {
  if (caller.arn.endsWith(':root')) return caller.account;
  const key = `ASIA${createHash('sha256').update(caller.arn).digest('hex').slice(0, 16).toUpperCase()}`;
  const sessions = world.state<Sessions>('sts', { account: caller.account, region: 'us-east-1' });
  sessions.issue(key, { caller, expires: new Date(world.clock.now() + AN_HOUR) });
  return key;
}

const BLOBS = ['Body', 'BlockData', 'Payload', 'Plaintext', 'CiphertextBlob', 'Message', 'Signature'];

function bytesIn(input: object): object {
  const copy: Record<string, unknown> = { ...input };
  for (const name of BLOBS)
    if (typeof copy[name] === 'string' && name !== 'Message') copy[name] = new TextEncoder().encode(copy[name]);
  return copy;
}

function bytesOut(output: Record<string, unknown>): Record<string, unknown> {
  for (const name of ['Body', 'BlockData', 'Payload']) {
    const bytes = output[name];
    if (bytes instanceof Uint8Array) output[name] = readable(bytes);
  }
  return output;
}

/** What SDK v3 mixes into the blobs that it answers. */
function readable(bytes: Uint8Array): Uint8Array {
  return Object.assign(new Uint8Array(bytes), {
    transformToByteArray: async () => bytes,
    transformToString: async (encoding: BufferEncoding = 'utf8') => Buffer.from(bytes).toString(encoding),
  });
}

function asClientSees(error: unknown, world: World): Error {
  if (error instanceof Refusal) {
    const { code, message, fields } = error;
    const status = error.status ?? 400;
    return Object.assign(new Error(message), fields, {
      name: code,
      $metadata: { httpStatusCode: status, attempts: 1 },
      $response: { headers: { date: new Date(world.clock.now()).toUTCString() } },
    });
  }
  return error instanceof Error ? error : new Error(String(error));
}
