import { NormalizedSchema } from '@smithy/core/schema';
import type { Service } from '../world/service.ts';

/**
 * What the SDK's client packages know of a service: each exports the schema of every operation (`CreateVolume$`), shape and error, and
 * its client knows the protocol. Only this file knows how those values are laid out; the test of the round trip watches over it.
 */
export interface Model {
  readonly protocol: string;
  /** The XML namespace of answers. */
  readonly namespace: string;
  /** What stands before the dot of `X-Amz-Target`. */
  readonly target: string;
  /** Whether errors also say the code that they had when the service still spoke the query protocol. */
  readonly queryCompatible: boolean;
  readonly operations: ReadonlyMap<string, Operation>;
  /** Errors by the name that the SDK gives them. */
  readonly errors: ReadonlyMap<string, Shape>;
}

export interface Operation {
  readonly name: string;
  readonly input: Shape;
  readonly output: Shape;
  /** Where REST protocols find it. */
  readonly http?: HttpBinding;
}

export interface HttpBinding {
  readonly method: string;
  /** `/clusters/{name}/node-groups`; `{Key+}` takes the slashes too. */
  readonly path: string;
  /** What the query must have: `uploads`, or `list-type` with the value `2`. */
  readonly query: URLSearchParams;
  readonly status: number;
}

export type Shape = NormalizedSchema;

/** The kinds of schema among a client package's exports: the first element of the tuple says which. */
const OPERATION = 9;
const ERROR = -3;
/** Where a structure keeps how many of its first members are required. */
const REQUIRED = 6;

type OperationTuple = readonly [typeof OPERATION, string, string, Traits | number, unknown, unknown];
interface Traits {
  readonly http?: readonly [method: string, uri: string, status: number];
}
interface Client {
  readonly config: {
    readonly protocol: { getShapeId(): string };
    readonly protocolSettings: {
      readonly xmlNamespace?: string;
      readonly serviceTarget?: string;
      readonly awsQueryCompatible?: boolean;
    };
  };
  destroy(): void;
}

const models = new WeakMap<Service['sdk'], Promise<Model>>();

/** The model of a service, read once from its SDK package. */
export function modelOf(service: Pick<Service, 'sdk' | 'client'>): Promise<Model> {
  let model = models.get(service.sdk);
  if (!model) {
    model = readModel(service);
    models.set(service.sdk, model);
  }
  return model;
}

async function readModel({ sdk, client }: Pick<Service, 'sdk' | 'client'>): Promise<Model> {
  const exported = (await sdk()) as Record<string, unknown>;
  const { protocol, settings } = settingsOf(exported[client] as new (configuration: object) => Client);
  const schemas = Object.values(exported).filter((value): value is readonly unknown[] => Array.isArray(value));
  const operations = schemas.filter((schema): schema is OperationTuple => schema[0] === OPERATION).map(readOperation);
  const errors = schemas.filter((schema) => schema[0] === ERROR).map((schema) => shapeOf(schema));
  return {
    protocol,
    namespace: settings.xmlNamespace ?? '',
    target: settings.serviceTarget ?? '',
    queryCompatible: settings.awsQueryCompatible ?? false,
    operations: new Map(operations.map((operation) => [operation.name, operation])),
    errors: new Map(errors.map((error) => [error.getName() as string, error])),
  };
}

/** A client must be made to learn its protocol; it connects to nothing. */
function settingsOf(Client: new (configuration: object) => Client) {
  const client = new Client({ region: 'us-east-1', credentials: { accessKeyId: 'none', secretAccessKey: 'none' } });
  const protocol = client.config.protocol.getShapeId().split('#')[1] as string;
  const settings = client.config.protocolSettings;
  client.destroy();
  return { protocol, settings };
}

function readOperation([, , name, traits, input, output]: OperationTuple): Operation {
  const http = typeof traits === 'object' ? traits.http : undefined;
  return { name, input: shapeOf(input), output: shapeOf(output), ...(http ? { http: readBinding(http) } : {}) };
}

function readBinding([method, uri, status]: NonNullable<Traits['http']>): HttpBinding {
  const [path = '/', query = ''] = uri.split('?');
  return { method, path, query: new URLSearchParams(query), status };
}

export const shapeOf = (schema: unknown): Shape => NormalizedSchema.of(schema as never) as Shape;

type Members = readonly (readonly [name: string, member: Shape])[];
const members = new WeakMap<Shape, Members>();

/** The members of a structure, read once of each; none of what takes or gives nothing. */
export function membersOf(shape: Shape): Members {
  let found = members.get(shape);
  if (!found) {
    found = shape.isStructSchema() ? ([...shape.structIterator()] as [string, Shape][]) : [];
    members.set(shape, found);
  }
  return found;
}

/** The names of the members that a request must have. */
export function requiredOf(shape: Shape): readonly string[] {
  if (!shape.isStructSchema()) return [];
  const tuple = shape.getSchema() as unknown as readonly unknown[];
  return (tuple[4] as readonly string[]).slice(0, Number(tuple[REQUIRED] ?? 0));
}

/** The traits of a shape where it stands, as far as the wire reads them. */
export interface WireTraits {
  readonly httpLabel?: 1;
  readonly httpQuery?: string;
  readonly httpQueryParams?: 1;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpResponseCode?: 1;
  readonly httpPayload?: 1;
  readonly httpError?: number;
  readonly awsQueryError?: readonly [code: string, status: number];
  readonly error?: 'client' | 'server';
  readonly ec2QueryName?: string;
  readonly jsonName?: string;
  readonly mediaType?: string;
  readonly xmlName?: string;
  readonly xmlFlattened?: 1;
  readonly xmlAttribute?: 1;
  readonly xmlNamespace?: readonly [prefix: string, uri: string];
}

export const traitsOf = (shape: Shape): WireTraits => shape.getMergedTraits() as WireTraits;
/** Only what is said of the member, not of what it points to: a member's XML name is its own. */
export const memberTraitsOf = (shape: Shape): WireTraits => shape.getMemberTraits() as WireTraits;
