import type { HttpRequest } from './message.ts';
import { formOf } from './query.ts';
import { type HttpBinding, type Model, membersOf, type Operation, requiredOf, traitsOf } from './schema.ts';

/** Which operation a request asks for, and what its path says. */
export interface Route {
  readonly operation: Operation;
  readonly labels: Readonly<Record<string, string>>;
}

/** By `X-Amz-Target`, by the form's `Action`, or by method and URL, as the protocol has it. `bucket` is S3's, taken off the path before. */
export function routeOf(model: Model, request: HttpRequest, bucket?: string): Route | undefined {
  if (model.protocol.startsWith('rest')) return restRoute(model, request, bucket);
  const operation = model.operations.get(nameIn(model, request) ?? '');
  return operation && { operation, labels: {} };
}

function nameIn({ protocol, target }: Model, request: HttpRequest): string | undefined {
  if (!protocol.startsWith('awsJson')) return formOf(request).get('Action') ?? undefined;
  const [service, name] = (request.headers['x-amz-target'] ?? '').split('.');
  return service === target ? name : undefined;
}

/** An operation's address, ready to compare. */
interface Address {
  readonly operation: Operation;
  readonly http: HttpBinding;
  readonly pattern: RegExp;
  readonly labels: readonly string[];
  /** Queries and headers that a request must have: those of the URI, and those of required members. */
  readonly queries: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly string[];
  /** Whether the schema wants a bucket that its own path does not name. */
  readonly inBucket: boolean;
}

const addresses = new WeakMap<Model, readonly Address[]>();

function restRoute(model: Model, request: HttpRequest, bucket: string | undefined): Route | undefined {
  let known = addresses.get(model);
  if (!known) {
    known = [...model.operations.values()].flatMap(addressOf).sort((a, b) => weight(b) - weight(a));
    addresses.set(model, known);
  }
  for (const address of known) {
    const path = fits(address, request, bucket) && address.pattern.exec(request.path);
    if (path) return { operation: address.operation, labels: labelsOf(address, path, bucket) };
  }
  return undefined;
}

function fits(
  { operation, http, queries, headers, inBucket }: Address,
  request: HttpRequest,
  bucket: string | undefined,
): boolean {
  const { query } = request;
  const named = query.get('x-id'); // how the SDK tells operations of one URL apart; other clients leave it out
  return (
    http.method === request.method &&
    (named === null || named === operation.name) &&
    inBucket === (bucket !== undefined) &&
    queries.every(([name, value]) => query.has(name) && (value === '' || query.get(name) === value)) &&
    headers.every((name) => name in request.headers)
  );
}

const labelsOf = ({ labels }: Address, path: RegExpExecArray, bucket: string | undefined): Record<string, string> => ({
  ...(bucket === undefined ? {} : { Bucket: bucket }),
  ...Object.fromEntries(labels.map((label, index) => [label, decodeURIComponent(path[index + 1]!)])),
});

function addressOf(operation: Operation): Address[] {
  const { http, input } = operation;
  if (!http) return [];
  const required = requiredOf(input);
  const traits = membersOf(input)
    .filter(([name]) => required.includes(name))
    .map(([, member]) => traitsOf(member));
  const { pattern, labels } = patternOf(http.path);
  const members = membersOf(input).filter(([name, member]) => name === 'Bucket' && traitsOf(member).httpLabel);
  return [
    {
      operation,
      http,
      pattern,
      labels,
      queries: [
        ...[...http.query].filter(([name]) => name !== 'x-id'),
        ...traits.flatMap(({ httpQuery }): [string, string][] => (httpQuery ? [[httpQuery, '']] : [])),
      ],
      headers: traits.flatMap(({ httpHeader }) => (httpHeader ? [httpHeader.toLowerCase()] : [])),
      inBucket: members.length > 0 && !labels.includes('Bucket'),
    },
  ];
}

function patternOf(path: string): { pattern: RegExp; labels: string[] } {
  const labels: string[] = [];
  const segments = path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      const [, label, greedy] = /^\{([^+}]+)(\+)?\}$/.exec(segment) ?? [];
      if (label === undefined) return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      labels.push(label);
      return greedy ? '(.+)' : '([^/]+)';
    });
  const end = path.endsWith('+}') ? '$' : '/?$'; // a slash at the end of an S3 key is part of the key
  return { pattern: new RegExp(`^/${segments.join('/')}${end}`, 's'), labels };
}

/** Of two addresses that fit, the one that asks for more is meant. */
const weight = ({ http, queries, headers, labels }: Address): number =>
  (http.path.split('/').length - labels.length) * 100 +
  (queries.length + headers.length) * 10 -
  (http.path.includes('+}') ? 5 : 0);
