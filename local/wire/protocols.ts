import { ec2Query } from './ec2-query.ts';
import { awsJson } from './json.ts';
import type { HttpRequest, HttpResponse } from './message.ts';
import type { Problem } from './problem.ts';
import { awsQuery } from './query.ts';
import { restJson } from './rest-json.ts';
import { restXml } from './rest-xml.ts';
import type { Operation } from './schema.ts';

/** What stands around an answer. */
export interface Envelope {
  readonly namespace: string;
  readonly requestId: string;
}

/** One of AWS's protocols, from the side of the service. */
export interface Protocol {
  /** The operation's input; throws where the request cannot be read. */
  decode(operation: Operation, request: HttpRequest, labels: Readonly<Record<string, string>>): Record<string, unknown>;
  encode(operation: Operation, output: Readonly<Record<string, unknown>>, envelope: Envelope): HttpResponse;
  refuse(problem: Problem, envelope: Envelope): HttpResponse;
}

/** By the name that the SDK's clients give them. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  awsJson1_0: awsJson('1.0'),
  awsJson1_1: awsJson('1.1'),
  awsQuery,
  ec2Query,
  restJson1: restJson,
  restXml,
};

export function protocolNamed(name: string): Protocol {
  const protocol = PROTOCOLS[name];
  if (!protocol) throw new Error(`The wire does not speak ${name}; it speaks ${Object.keys(PROTOCOLS).join(', ')}.`);
  return protocol;
}
