import { inspect, isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Model, modelOf, type Operation, type Shape, traitsOf } from '../../local/wire/schema.ts';
import { type Listening, listen } from '../../local/wire/server.ts';
import { Refusal, type Service } from '../../local/world/service.ts';
import { loadServices, World } from '../../local/world/world.ts';
import { pruned, type Taste, valuesOf } from './values.ts';

/**
 * Every operation that the SDK knows of every local service, through the real client and a real socket: what a client sends is what the
 * service gets, what the service answers is what the client gets, and a modelled error arrives as its own class.
 */
const SEED = 20_261_122;
const SAMPLES = 3;

/** Operations that cannot make this trip, each with its reason. */
const EXCUSED: Readonly<Record<string, string>> = {
  's3:SelectObjectContent': 'answers a stream of events',
  's3:WriteGetObjectResponse': 'goes to a host of its own, which is named by the request',
  's3:CreateSession': 'is sent by the client itself for directory buckets, and signed for s3express',
  's3:ListDirectoryBuckets': 'is signed for s3express',
  'lambda:InvokeWithResponseStream': 'answers a stream of events',
  'logs:GetLogObject': 'answers a stream of events',
  'logs:StartLiveTail': 'answers a stream of events',
  'monitoring:DashboardNotFoundError': 'has the code of another error, and only the operation tells which',
  'sqs:SendMessage': 'answers a checksum that the client holds against what it sent',
  'sqs:ReceiveMessage': 'answers a checksum that the client holds against what it got',
};

interface Peculiar {
  readonly without?: RegExp;
  readonly fixed?: Taste['fixed'];
  /** Members that are added on the way. */
  readonly added?: RegExp;
}

/** What the clients' own middleware does to inputs and outputs. */
const PECULIAR: Readonly<Record<string, Peculiar>> = {
  s3: {
    without: /^(Checksum.*|ContentMD5|.*SSECustomer.*|ContentLength|Expires|ExpiresString|ContentEncoding|LocationConstraint)$/,
    fixed: { Bucket: fc.stringMatching(/^[a-z][a-z0-9]{3,9}$/) },
    added: /^(Checksum.*|ContentLength|ContentMD5|ContentType|ContentEncoding)$/,
  },
  ec2: { without: /^(PresignedUrl|DestinationRegion)$/, added: /^(PresignedUrl|DestinationRegion)$/ },
  events: { without: /^EndpointId$/ }, // chooses another host
};

type Client = { send(command: unknown): Promise<Record<string, unknown>>; destroy(): void };
type Echo = (operation: string, input: Record<string, unknown>) => unknown;

const services = await loadServices();
let echo: Echo;
let world: World;
let server: Listening;

/** The service as it is on the wire, with every operation of its model handed to the test. */
async function echoing(service: Service): Promise<Service> {
  const { operations } = await modelOf(service);
  const names = [...operations.keys()];
  return { ...service, operations: Object.fromEntries(names.map((name) => [name, (input: any) => echo(name, input) as object])) };
}

beforeAll(async () => {
  const all = await Promise.all([...services].map(async ([name, service]) => [name, await echoing(service)] as const));
  world = new World(new Map(all), { seed: SEED });
  server = await listen(world, { seed: String(SEED), speed: 0 });
});
afterAll(() => server.close());

for (const [name, service] of services) {
  const model = await modelOf(service);
  const peculiar = PECULIAR[name] ?? {};
  const operations = [...model.operations.values()].filter((operation) => !(`${name}:${operation.name}` in EXCUSED));

  describe(`${name} over ${model.protocol}`, async () => {
    const sdk = (await service.sdk()) as Record<string, new (input: object) => any>;
    let client: Client;
    beforeAll(() => {
      client = new sdk[service.client]!({
        endpoint: server.url,
        region: 'us-east-1',
        credentials: { accessKeyId: '111122223333', secretAccessKey: 'none' },
        maxAttempts: 1,
        forcePathStyle: true,
        disableHostPrefix: true,
        disableClockSkewCorrection: true,
      }) as Client;
    });
    afterAll(() => client.destroy());

    it(`carries ${operations.length} operations both ways`, async () => {
      const wrong: string[] = [];
      for (const operation of operations) {
        const trip = () => roundTrip(client, sdk[`${operation.name}Command`]!, model, operation, peculiar);
        await trip().catch((error: Error) => wrong.push(`${name}:${operation.name}: ${error.message}`));
      }
      expect(wrong).toEqual([]);
    });

    it(`carries ${errorsOf(model).length} modelled errors as their own classes`, async () => {
      const operation = simplest(operations);
      const [input] = samples(operation.input, model, peculiar, 1);
      const wrong: string[] = [];
      for (const error of errorsOf(model).filter((one) => !(`${name}:${one.getName()}` in EXCUSED))) {
        const [fields] = samples(error, model, { without: /^(message|status)$/i }, 1);
        const caught = await refusedWith(client, new sdk[`${operation.name}Command`]!(input!), error, fields!);
        const expected = {
          kind: error.getName(),
          message: MESSAGE,
          status: statusOf(error, model),
          fields: comparable(fields, model),
        };
        const actual = {
          kind: caught instanceof sdk[error.getName()!]! ? caught.name : caught.constructor.name,
          message: caught.message,
          status: caught.$metadata?.httpStatusCode,
          fields: comparable(pick(caught, Object.keys(fields!)), model),
        };
        if (!isDeepStrictEqual(actual, expected)) wrong.push(inspect({ actual, expected }, { depth: 9 }));
      }
      expect(wrong).toEqual([]);
    });
  });
}

async function roundTrip(
  client: Client,
  Command: new (input: object) => any,
  model: Model,
  operation: Operation,
  peculiar: Peculiar,
) {
  const inputs = samples(operation.input, model, peculiar, SAMPLES);
  const outputs = samples(operation.output, model, peculiar, SAMPLES);
  for (const [index, input] of inputs.entries()) {
    const output = outputs[index]!;
    let arrived: Record<string, unknown> = {};
    let called = '';
    echo = (name, received) => {
      called = name;
      arrived = received;
      return output;
    };
    const { $metadata, ...answered } = await client.send(new Command(structuredClone(input)));
    expect(called).toBe(operation.name);
    expect(comparable(without(arrived, peculiar.added, input), model)).toEqual(comparable(input, model));
    expect(comparable(without(await withBytes(answered), peculiar.added, output), model)).toEqual(comparable(output, model));
  }
}

function samples(shape: Shape, model: Model, { without = /^$/, fixed = {} }: Peculiar, count: number): Record<string, unknown>[] {
  const json = model.protocol.startsWith('awsJson');
  const values = valuesOf(shape, { without: (name) => without.test(name), fixed, emptyLists: json });
  return fc.sample(values, { seed: SEED, numRuns: count });
}

/** Without what the client, or the protocol, added to what was given. */
const without = (value: Record<string, unknown>, added: RegExp | undefined, given: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name in given || !added?.test(name)));

/** JSON tells an empty list from none, so nothing is pruned there. */
const comparable = (value: unknown, { protocol }: Model): unknown =>
  protocol.startsWith('awsJson') ? structuredClone(value) : pruned(value);

/** Streams read to their end, and blobs without what the SDK mixes into them. */
async function withBytes(answered: Record<string, unknown>): Promise<Record<string, unknown>> {
  const entries = Object.entries(answered).map(async ([name, value]) => {
    if (value instanceof Uint8Array) return [name, new Uint8Array(value)];
    const stream = value as { transformToByteArray?: () => Promise<Uint8Array> } | undefined;
    return [
      name,
      typeof stream?.transformToByteArray === 'function' ? new Uint8Array(await stream.transformToByteArray()) : value,
    ];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const pick = (value: object, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, (value as Record<string, unknown>)[name]]));

const errorsOf = ({ errors }: Model): Shape[] => [...errors.values()].filter((error) => traitsOf(error).error !== undefined);

const statusOf = (error: Shape, { protocol }: Model): number => {
  const { awsQueryError, httpError, error: blame } = traitsOf(error);
  return (protocol === 'awsQuery' ? awsQueryError?.[1] : undefined) ?? httpError ?? (blame === 'server' ? 500 : 400);
};

/** An operation whose answer has a body, so that an error can say what it is. */
const simplest = (operations: readonly Operation[]): Operation =>
  operations.find(({ http, name }) => http?.method !== 'HEAD' && /^(List|Describe|Get)/.test(name)) ?? operations[0]!;

const MESSAGE = 'because <of> "this"';
type Caught = Error & { readonly $metadata?: { readonly httpStatusCode?: number } };

async function refusedWith(client: Client, command: unknown, error: Shape, fields: Record<string, unknown>): Promise<Caught> {
  echo = () => {
    throw new Refusal(error.getName()!, MESSAGE, fields);
  };
  return client.send(command).then(
    () => new Error('It was not refused.'),
    (caught: Error) => caught,
  );
}
