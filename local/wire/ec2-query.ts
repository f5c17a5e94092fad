import { bytesOf, type HttpResponse } from './message.ts';
import type { Protocol } from './protocols.ts';
import { type Dialect, formOf, fromForm, treeOf, XML } from './query.ts';
import { type Shape, traitsOf } from './schema.ts';
import { element, escapeXml, namespaceAttribute, structToXml, xmlDocument } from './xml.ts';

/** EC2's forms: every list is flat, names are capitalised unless `ec2QueryName` says otherwise (Smithy, "AWS EC2 query protocol"). */
const EC2: Dialect = {
  memberKey(name: string, member: Shape): string {
    const { ec2QueryName, xmlName } = traitsOf(member);
    return ec2QueryName ?? capitalised(xmlName ?? name);
  },
  flat: () => true,
};

const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export const ec2Query: Protocol = {
  decode: ({ input }, request) => fromForm(input, treeOf(formOf(request)), EC2) as Record<string, unknown>,

  encode: ({ name, output }, value, { namespace, requestId }): HttpResponse => {
    const content = element('requestId', requestId) + structToXml(output, value).content;
    return answer(200, element(`${name}Response`, content, namespaceAttribute(namespace)));
  },

  refuse: ({ code, message, status }, { requestId }): HttpResponse => {
    const error = element('Error', element('Code', escapeXml(code)) + element('Message', escapeXml(message)));
    return answer(status, element('Response', element('Errors', error) + element('RequestID', requestId)));
  },
};

const answer = (status: number, root: string): HttpResponse => ({ status, headers: XML, body: bytesOf(xmlDocument(root)) });
