import { parse, type ScalarTag, type SchemaOptions } from 'yaml';
import { refuse } from '../../world/service.ts';
import { referencesIn } from './intrinsics.ts';

/** A template as it is written (CloudFormation guide, "Template anatomy"), as far as it is followed here. */
export interface Template {
  readonly Description?: string;
  readonly Parameters?: Readonly<Record<string, Parameter>>;
  readonly Mappings?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Rules?: Readonly<Record<string, Rule>>;
  readonly Resources: Readonly<Record<string, Definition>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
}

export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly Description?: string;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly NoEcho?: boolean;
}

export interface Rule {
  readonly RuleCondition?: unknown;
  readonly Assertions: readonly { readonly Assert: unknown; readonly AssertDescription?: string }[];
}

export interface Definition {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: unknown;
}

export interface Output {
  readonly Value: unknown;
  readonly Description?: string;
  readonly Condition?: string;
  readonly Export?: { readonly Name: unknown };
}

const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Conditions',
  'Rules',
  'Resources',
  'Outputs',
];

/** A policy of AWS on templates and stacks: what breaks it is a ValidationError. */
export const invalid: (message: string) => never = (message) => refuse('ValidationError', message);

export const unmodelled: (what: string) => never = (what) =>
  refuse('NotImplemented', `The local CloudFormation does not model ${what}.`, { status: 501 });

/** Reads a template, JSON or YAML, and refuses what AWS refuses before it does anything. */
export function templateFrom(text: string): Template {
  const template = read(text);
  const extra = Object.keys(template).filter((section) => !SECTIONS.includes(section));
  if (extra.includes('Transform')) unmodelled('macros and transforms');
  if (extra.length > 0) invalid(`Invalid template property or properties [${extra.join(', ')}]`);
  const { Resources } = template;
  if (typeof Resources !== 'object' || Resources === null || Object.keys(Resources).length === 0)
    invalid('Template format error: At least one Resources member must be defined.');
  for (const [id, resource] of Object.entries(Resources)) {
    if (!/^[A-Za-z0-9]+$/.test(id)) invalid(`Template format error: Resource name ${id} is non alphanumeric.`);
    if (typeof resource?.Type !== 'string')
      invalid(`Template format error: [/Resources/${id}] Every Resources object must contain a Type member.`);
  }
  checkReferences(template);
  return template;
}

function read(text: string): Template {
  try {
    const value: unknown = text.trimStart().startsWith('{') ? JSON.parse(text) : parse(text, YAML);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Template;
  } catch {}
  return invalid('Template format error: unsupported structure.');
}

/** The short forms of intrinsic functions in YAML (CloudFormation guide, "Intrinsic function reference"). */
const SHORT = [
  'Sub',
  'Join',
  'Select',
  'Split',
  'If',
  'Equals',
  'And',
  'Or',
  'Not',
  'FindInMap',
  'Base64',
  'GetAZs',
  'ImportValue',
];
const scalar = (tag: string, key: string, made: (text: string) => unknown = (text) => text): ScalarTag => ({
  tag,
  resolve: (text: string) => ({ [key]: made(text) }),
});
const YAML: SchemaOptions = {
  customTags: (tags) => [
    ...tags,
    scalar('!Ref', 'Ref'),
    scalar('!Condition', 'Condition'),
    scalar('!GetAtt', 'Fn::GetAtt', (text) => attributeNamed(text)),
    ...SHORT.flatMap((name) => [
      scalar(`!${name}`, `Fn::${name}`),
      { tag: `!${name}`, collection: 'seq' as const, resolve: (items: any) => ({ [`Fn::${name}`]: items.toJSON() }) as never },
    ]),
  ],
};

const attributeNamed = (text: string): [string, string] => {
  const [id = '', ...rest] = text.split('.');
  return [id, rest.join('.')];
};

/** What is named must be there (CloudFormation answers so when a stack or change set is created). */
function checkReferences({ Resources, Parameters = {}, Outputs = {} }: Template): void {
  const known = new Set([...Object.keys(Resources), ...Object.keys(Parameters)]);
  const missing = [...new Set(Object.values(Resources).flatMap(namedBy))].filter((name) => !known.has(name));
  if (missing.length > 0)
    invalid(
      `Template format error: Unresolved resource dependencies [${missing.join(', ')}] in the Resources block of the template`,
    );
  const lost = [...referencesIn(Object.values(Outputs))].filter((name) => !known.has(name));
  if (lost.length > 0)
    invalid(`Template format error: Unresolved resource dependencies [${lost.join(', ')}] in the Outputs block of the template`);
}

/** What a resource waits for: whatever it refers to and whatever it says it depends on. */
export const namedBy = ({ Properties, DependsOn = [] }: Definition): string[] => [
  ...new Set([...referencesIn(Properties), ...[DependsOn].flat()]),
];

/** The resources that each resource waits for, of those that are there. Refuses a circle. */
export function dependenciesIn(resources: Readonly<Record<string, Definition>>): Map<string, readonly string[]> {
  const needs = new Map(
    Object.entries(resources).map(([id, resource]) => [id, namedBy(resource).filter((name) => name in resources && name !== id)]),
  );
  const done = new Set<string>();
  for (let left = [...needs.keys()]; left.length > 0; ) {
    const ready = left.filter((id) => needs.get(id)!.every((name) => done.has(name)));
    if (ready.length === 0) invalid(`Circular dependency between resources: [${left.join(', ')}]`);
    for (const id of ready) done.add(id);
    left = left.filter((id) => !done.has(id));
  }
  return needs;
}
