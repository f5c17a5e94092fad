import { XmlShapeDeserializer } from '@aws-sdk/core/protocols';
import { membersOf, memberTraitsOf, type Shape, traitsOf } from './schema.ts';
import { DATE_TIME, toText } from './text.ts';

const PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n';
const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#xD;',
  '\n': '&#xA;',
  '\u0085': '&#x85;',
  '\u2028': '&#x2028;',
};

export const escapeXml = (text: string): string => text.replace(/[&<>"'\r\n\u0085\u2028]/g, (character) => ESCAPES[character]!);

export const xmlDocument = (root: string): string => PROLOGUE + root;

export const element = (name: string, content: string, attributes = ''): string => `<${name}${attributes}>${content}</${name}>`;

export const namespaceAttribute = (uri: string): string => (uri ? ` xmlns="${escapeXml(uri)}"` : '');

/** A value as an element of this name; a flattened list or map becomes one element per item. */
export function toXml(shape: Shape, value: unknown, name: string): string {
  if (value === null || value === undefined) return '';
  if (shape.isStructSchema()) {
    const { content, attributes } = structToXml(shape, value as Record<string, unknown>);
    return element(name, content, ownNamespace(shape) + attributes);
  }
  if (shape.isListSchema()) return listToXml(shape, value as unknown[], name);
  if (shape.isMapSchema()) return mapToXml(shape, value as object, name);
  return element(name, escapeXml(toText(shape, value, DATE_TIME)));
}

/** A value as the root of a document; the service's namespace stands there unless the shape has its own. */
export function toXmlRoot(shape: Shape, value: unknown, name: string, namespace: string): string {
  const { content, attributes } = structToXml(shape, value as Record<string, unknown>);
  return xmlDocument(element(name, content, (ownNamespace(shape) || namespaceAttribute(namespace)) + attributes));
}

/** The members of a structure, those that are attributes apart. */
export function structToXml(shape: Shape, value: Readonly<Record<string, unknown>>): { content: string; attributes: string } {
  let content = '';
  let attributes = '';
  for (const [name, member] of membersOf(shape)) {
    if (value[name] === null || value[name] === undefined) continue;
    const called = memberTraitsOf(member).xmlName ?? name;
    if (traitsOf(member).xmlAttribute) attributes += ` ${called}="${escapeXml(toText(member, value[name], DATE_TIME))}"`;
    else content += toXml(member, value[name], called);
  }
  return { content, attributes };
}

function listToXml(shape: Shape, items: readonly unknown[], name: string): string {
  const item = shape.getValueSchema() as Shape;
  if (traitsOf(shape).xmlFlattened) return items.map((one) => toXml(item, one, name)).join('');
  return element(name, items.map((one) => toXml(item, one, traitsOf(item).xmlName ?? 'member')).join(''));
}

function mapToXml(shape: Shape, map: object, name: string): string {
  const value = shape.getValueSchema() as Shape;
  const keyName = traitsOf(shape.getKeySchema() as Shape).xmlName ?? 'key';
  const flat = traitsOf(shape).xmlFlattened;
  const entries = Object.entries(map).map(([key, one]) =>
    element(flat ? name : 'entry', element(keyName, escapeXml(key)) + toXml(value, one, traitsOf(value).xmlName ?? 'value')),
  );
  return flat ? entries.join('') : element(name, entries.join(''));
}

function ownNamespace(shape: Shape): string {
  const [prefix, uri] = traitsOf(shape).xmlNamespace ?? [];
  return uri ? ` xmlns${prefix ? `:${prefix}` : ''}="${escapeXml(uri)}"` : '';
}

const deserializer = new XmlShapeDeserializer({
  timestampFormat: { useTrait: true, default: DATE_TIME },
  httpBindings: false,
  xmlNamespace: '',
  serviceNamespace: '',
});
deserializer.setSerdeContext({} as never);

/** A value of a shape out of an XML document; the root's name does not matter. The SDK reads XML by schema already. */
export const fromXml = (shape: Shape, document: Uint8Array): unknown => deserializer.read(shape as never, document);
