import type { Place } from '../../../world/world.ts';

/** A resource as CloudFormation knows it: what `Ref` gives, and what `Fn::GetAtt` can ask for. */
export interface Made {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What making a resource may use. Calls are made as whoever deploys the stack. */
export interface Maker extends Place {
  call(service: string, operation: string, input: object): Promise<any>;
  /** A name for a resource that its template does not name (CloudFormation guide, "Name type"). */
  name(longest?: number): string;
}

export type Properties = Readonly<Record<string, any>>;

/** How resources of one type are made, changed and unmade: by the calls that CloudFormation makes in its user's name. */
export interface ResourceType {
  /** The properties that are followed; any other fails the resource, so that nothing is left out in silence. */
  readonly properties: readonly string[];
  /** Those of them whose change needs another resource in place of this one ("Update requires: Replacement"). */
  readonly replaced?: readonly string[];
  create(properties: Properties, maker: Maker): Promise<Made>;
  /** Without it every change needs a replacement. */
  update?(properties: Properties, made: Made, maker: Maker, before: Properties): Promise<Made>;
  remove(made: Made, maker: Maker, properties: Properties): Promise<void>;
}

export type ResourceTypes = Readonly<Record<string, ResourceType>>;

export const attributes = (id: string, known: Readonly<Record<string, unknown>> = {}): Made => ({ id, attributes: known });

/** `Tags` as most services' APIs take them. */
export const tagMap = (tags: readonly { readonly Key: string; readonly Value: string }[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));

/** What was not given is not asked for. */
export const given = (input: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));

/** The same members, their names beginning small, all the way down: as the APIs of some services write what CloudFormation begins with a capital. */
export function small(value: unknown): any {
  if (Array.isArray(value)) return value.map(small);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name.charAt(0).toLowerCase() + name.slice(1), small(one)]),
  );
}

/** A document that may be written as JSON text or as an object. */
export const documentText = (document: unknown): string => (typeof document === 'string' ? document : JSON.stringify(document));
