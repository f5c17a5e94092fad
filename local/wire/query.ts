import { bytesOf, type HttpRequest, type HttpResponse, textOf } from './message.ts';
import type { Protocol } from './protocols.ts';
import { membersOf, type Shape, traitsOf } from './schema.ts';
import { DATE_TIME, fromText } from './text.ts';
import { element, escapeXml, namespaceAttribute, structToXml, xmlDocument } from './xml.ts';

/** A form's keys, taken apart at their dots: `Filter.1.Name=x` is `{ Filter: { 1: { Name: 'x' } } }`. */
export interface Tree {
  text?: string;
  readonly branches: Map<string, Tree>;
}

export function treeOf(form: URLSearchParams): Tree {
  const root: Tree = { branches: new Map() };
  for (const [key, text] of form) {
    let at = root;
    for (const part of key.split('.')) {
      const next = at.branches.get(part) ?? { branches: new Map() };
      at.branches.set(part, next);
      at = next;
    }
    at.text = text;
  }
  return root;
}

/** How a dialect of the query protocol names what is in a form. */
export interface Dialect {
  memberKey(name: string, member: Shape): string;
  /** Whether a list's items stand right under its own key. */
  flat(list: Shape): boolean;
}

const PLAIN: Dialect = {
  memberKey: (name, member) => traitsOf(member).xmlName ?? name,
  flat: (list) => traitsOf(list).xmlFlattened !== undefined,
};

/** A value of a shape out of a form (Smithy, "AWS query protocol": query key resolution). */
export function fromForm(shape: Shape, tree: Tree, dialect: Dialect): unknown {
  if (shape.isStructSchema()) return structFromForm(shape, tree, dialect);
  if (shape.isListSchema()) return listFromForm(shape, tree, dialect);
  if (shape.isMapSchema()) return mapFromForm(shape, tree, dialect);
  return fromText(shape, tree.text ?? '', DATE_TIME);
}

function structFromForm(shape: Shape, tree: Tree, dialect: Dialect): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, member] of membersOf(shape)) {
    const branch = tree.branches.get(dialect.memberKey(name, member));
    if (branch) value[name] = fromForm(member, branch, dialect);
  }
  return value;
}

function listFromForm(shape: Shape, tree: Tree, dialect: Dialect): unknown[] {
  const item = shape.getValueSchema() as Shape;
  const under = dialect.flat(shape) ? tree : tree.branches.get(traitsOf(item).xmlName ?? 'member');
  return numbered(under).map((branch) => fromForm(item, branch, dialect));
}

function mapFromForm(shape: Shape, tree: Tree, dialect: Dialect): Record<string, unknown> {
  const value = shape.getValueSchema() as Shape;
  const keyName = traitsOf(shape.getKeySchema() as Shape).xmlName ?? 'key';
  const valueName = traitsOf(value).xmlName ?? 'value';
  const entries = numbered(dialect.flat(shape) ? tree : tree.branches.get('entry'));
  return Object.fromEntries(
    entries.map(({ branches }) => [
      branches.get(keyName)?.text ?? '',
      fromForm(value, branches.get(valueName) ?? { branches: new Map() }, dialect),
    ]),
  );
}

/** The branches with numbers, in their order; a client may leave numbers out. */
const numbered = (tree: Tree | undefined): Tree[] =>
  [...(tree?.branches ?? [])]
    .filter(([key]) => /^\d+$/.test(key))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, branch]) => branch);

/** A form in the body of a POST, or in the query of a GET, as presigned requests have it. */
export const formOf = ({ body, query }: Pick<HttpRequest, 'body' | 'query'>): URLSearchParams =>
  body.length > 0 ? new URLSearchParams(textOf(body)) : query;

export const XML = { 'content-type': 'text/xml;charset=UTF-8' };

/** AWS query: a form in, XML out, in `<ActionResponse><ActionResult>` (Smithy, "AWS query protocol"). */
export const awsQuery: Protocol = {
  decode: ({ input }, request) => fromForm(input, treeOf(formOf(request)), PLAIN) as Record<string, unknown>,

  encode: ({ name, output }, value, { namespace, requestId }): HttpResponse => {
    const result = output.isStructSchema() ? element(`${name}Result`, structToXml(output, value).content) : '';
    const metadata = element('ResponseMetadata', element('RequestId', requestId));
    return answer(200, element(`${name}Response`, result + metadata, namespaceAttribute(namespace)));
  },

  refuse: ({ code, message, status, type, shape, fields }, { namespace, requestId }): HttpResponse => {
    const told = element('Type', type) + element('Code', escapeXml(code)) + element('Message', escapeXml(message));
    const more = shape ? structToXml(shape, fields).content : '';
    const content = element('Error', told + more) + element('RequestId', requestId);
    return answer(status, element('ErrorResponse', content, namespaceAttribute(namespace)));
  },
};

const answer = (status: number, root: string): HttpResponse => ({ status, headers: XML, body: bytesOf(xmlDocument(root)) });
