import { serveKubernetes } from '../kubernetes/index.ts';
import { plainAt, servePlain } from '../world/plain.ts';
import { Refusal } from '../world/service.ts';
import { type Caller, ConnectionLost, type World } from '../world/world.ts';
import { bucketOf } from './bucket.ts';
import { unchunked } from './chunked.ts';
import { type HttpRequest, type HttpResponse, NOTHING } from './message.ts';
import { problemOf } from './problem.ts';
import { protocolNamed } from './protocols.ts';
import { routeOf } from './route.ts';
import { type Model, modelOf } from './schema.ts';
import { callerOf, hasExpired, placeOf, type Signature, signatureOf } from './signature.ts';
import { notImplemented, unmodelled } from './unmodelled.ts';

/** Answers requests as AWS and as its clusters' API servers would. Rejects with ConnectionLost where no answer comes. */
export type Wire = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * The wire of a world: what the SDK's clients, aws-cli, boto3 and kubectl can talk to. While a request is in flight the clock moves by the
 * events that bring its answer, and by nothing else.
 */
export function wire(world: World, caller?: Caller): Wire {
  const ids = world.random.stream('wire');
  return async (request) => {
    if (request.path.startsWith('/_eks/')) return toCluster(world, request);
    const plain = plainAt(world, request.path);
    if (plain) return world.clock.settle(servePlain(world, plain, { ...request, path: decodeURIComponent(request.path) }));
    const requestId = ids.uuid();
    const response = await toService(world, request, requestId, caller);
    return finished(response, { method: request.method, requestId, date: new Date(world.clock.now()) });
  };
}

/** The region is known before the body is, by the signature or by the path of a cluster or of a presigned address: a dark one breaks the connection at once. */
export function refuseDark(world: World, request: Pick<HttpRequest, 'path' | 'headers' | 'query'>): void {
  const [, named] = /^\/_[a-z0-9-]+\/[^/]+\/([^/]+)/.exec(request.path) ?? [];
  const region = named ?? signatureOf(request).region;
  if (world.dark.has(region)) throw new ConnectionLost(`${region} is dark`);
}

async function toService(world: World, request: HttpRequest, requestId: string, caller?: Caller): Promise<HttpResponse> {
  const signature = signatureOf(request);
  refuseDark(world, request);
  const service = world.services.get(signature.service);
  if (!service) return unmodelled(signature, request, requestId);
  const model = await world.clock.busy(() => modelOf(service));
  const protocol = protocolNamed(model.protocol);
  const envelope = { namespace: model.namespace, requestId };
  try {
    const { operation, input } = read(model, signature, request);
    refuseExpired(world, signature, model);
    const output = await run(world, signature, operation.name, input, caller);
    return protocol.encode(operation, output, envelope);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    return protocol.refuse(problemOf(model, error), envelope);
  }
}

function read(model: Model, { service }: Signature, request: HttpRequest) {
  const { bucket, ...located } = service === 's3' ? locate(request) : { ...request, bucket: undefined };
  const { decode } = protocolNamed(model.protocol);
  return readable(service, () => {
    const route = routeOf(model, located, bucket);
    if (!route) throw notImplemented(service, request);
    return { operation: route.operation, input: decode(route.operation, located, route.labels) };
  });
}

function locate(request: HttpRequest): HttpRequest & { bucket?: string } {
  const plain = readable('s3', () => unchunked(request));
  return { ...plain, ...bucketOf(plain) };
}

/** What cannot be read is the client's fault; S3 says so in its own words (S3 API, "Error responses": MalformedXML). */
function readable<T>(service: string, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const code = service === 's3' ? 'MalformedXML' : 'SerializationException';
    throw new Refusal(code, `The request cannot be read: ${(error as Error).message}`, { status: 400 });
  }
}

async function run(
  world: World,
  signature: Signature,
  operation: string,
  input: object,
  caller = callerOf(world, signature),
): Promise<Record<string, unknown>> {
  const request = { place: placeOf(caller, signature), service: signature.service, operation, input, caller };
  return (await world.clock.settle(world.call(request))) as Record<string, unknown>;
}

/** Services that speak JSON call it by another name (common errors: ExpiredTokenException; S3's and STS's: ExpiredToken). */
function refuseExpired(world: World, signature: Signature, { protocol }: Model): void {
  if (!hasExpired(world, signature)) return;
  const name = /json/i.test(protocol) ? 'ExpiredTokenException' : 'ExpiredToken';
  throw new Refusal(name, 'The security token included in the request is expired', { status: 403 });
}

interface Finish {
  readonly method: string;
  readonly requestId: string;
  readonly date: Date;
}

/** What every answer has: its id, under the names that the protocols use, and the service's own time. */
function finished({ status, headers, body }: HttpResponse, { method, requestId, date }: Finish): HttpResponse {
  const bodiless = method === 'HEAD' || status === 204 || status === 304;
  return {
    status,
    headers: {
      ...headers,
      ...(bodiless ? {} : { 'content-length': String(body.length) }),
      date: date.toUTCString(),
      'x-amzn-requestid': requestId,
      'x-amz-request-id': requestId,
    },
    body: bodiless ? NOTHING : body,
  };
}

async function toCluster(world: World, { method, path, query, headers, body }: HttpRequest): Promise<HttpResponse> {
  const url = query.size > 0 ? `${path}?${query}` : path;
  const answer = await world.clock.settle(serveKubernetes(world, { method, url, headers, ...(body.length > 0 ? { body } : {}) }));
  return { ...answer, headers: { date: new Date(world.clock.now()).toUTCString(), ...answer.headers } };
}
