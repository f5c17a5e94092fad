import type { Context, Service, Tagged } from '../service.ts';
import type { Check, Given } from './authorize.ts';
import type { Authorization } from './declared.ts';
import { type Action, actionOf, type Type } from './reference.ts';

/** All that a request to a service needs to be allowed. */
export function checksOf(service: Service, operation: string, input: object, context: Context<any>): Check[] {
  const declared = service.authorization ?? {};
  const checks = [
    ...(declared.instead?.[operation]?.(input, context) ??
      fromReference(declared, actionOf(service.name, declared.called?.[operation] ?? operation), input, context)),
    ...(declared.also?.[operation]?.(input, context) ?? []),
  ];
  const keys = declared.keys?.(operation, input, context);
  return checks.map((check) => completed(check, keys, declared, context));
}

function completed(check: Check, keys: Given | undefined, declared: Authorization, context: Context<any>): Check {
  const guard = check.guard ?? (check.resource === '*' ? undefined : declared.guard?.(check.resource, context));
  return { ...check, ...(keys ? { keys: { ...keys, ...check.keys } } : {}), ...(guard ? { guard } : {}) };
}

/** What is made has no name yet, what is listed needs none: the action is asked for all of its type. */
const MAKES = /:(Create|Copy|Restore|Run|Import)/;

function fromReference(declared: Authorization, action: Action, input: object, context: Context<any>): Check[] {
  const tags = requestTags(input);
  const named = action.types.map((type) => ({ type, resources: resourcesOf(type, input, declared, context) }));
  const nothing = named.every(({ resources }) => resources.length === 0);
  const whole = declared.unnamed?.[action.name.split(':')[1] as string] ?? (named.length === 1 ? named[0]?.type.name : undefined);
  const opens = (type: Type) => (type.required && (nothing || MAKES.test(action.name))) || (nothing && type.name === whole);
  const checks = named.flatMap(({ type, resources }) =>
    (resources.length === 0 && opens(type) ? [arnOf(type, '*', context)] : resources).map((resource) => ({
      action: action.name,
      resource,
      keys: tagKeys(tags, type.keys),
      ...(type.keys.has('aws:resourcetag/') ? { tags: () => tagsOf(resource, context) } : {}),
    })),
  );
  return checks.length > 0 ? checks : [{ action: action.name, resource: '*', keys: tagKeys(tags, action.keys) }];
}

/** The ARNs of one type that an input names. */
function resourcesOf(type: Type, input: object, declared: Authorization, context: Context<any>): string[] {
  return Object.entries(input).flatMap(([member, value]) =>
    textsIn(value).flatMap((text) => {
      const known = declared.members?.[member];
      const types = typeof known === 'function' ? known(text, input) : known;
      if (types !== undefined && ![types].flat().includes(type.name)) return [];
      if (text.startsWith('arn:')) return type.is.test(text) ? [text] : [];
      if (types === undefined && !isCalledLike(member, type)) return [];
      return [declared.arnOf?.(type.name, text, context, input) ?? arnOf(type, text, context)];
    }),
  );
}

const textsIn = (value: unknown): string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string' && one !== '');

/** `SnapshotId` and `SnapshotIds` name what the format calls `${SnapshotId}`. */
function isCalledLike(member: string, { format }: Type): boolean {
  const variables = variablesIn(format);
  return variables.length === 1 && member.toLowerCase().replace(/s$/, '') === variables[0]?.toLowerCase();
}

const PLACES = ['Partition', 'Region', 'Account'];
const variablesIn = (format: string): string[] =>
  [...format.matchAll(/\$\{(\w+)\}/g)].flatMap(([, name = '']) => (PLACES.includes(name) ? [] : [name]));

const arnOf = ({ format }: Pick<Type, 'format'>, name: string, { account, region }: Context<any>): string =>
  format
    .replace('${Partition}', 'aws')
    .replace('${Region}', region)
    .replace('${Account}', account)
    .replaceAll(/\$\{\w+\}/g, name);

/** The tags of a resource, wherever it lies: an ARN without an account is the caller's. */
export function tagsOf(arn: string, { world, account, region }: Context<any>): Readonly<Record<string, string>> | undefined {
  const [, , service = '', at, owner] = arn.split(':');
  if (!world.services.has(service)) return undefined;
  const place = { account: owner || account, region: at || region };
  const known = world.state<Partial<Tagged>>(service, place).taggedResources?.(place);
  return known?.find((one) => one.arn === arn || withoutAccount(one.arn) === arn)?.tags;
}

const withoutAccount = (arn: string): string => arn.replace(/^((?:[^:]*:){4})\d{12}:/, '$1:');

const TAG_MEMBERS = /^(tags?|taglist|tagset|.+tags)$/i;

/** The tags that a request gives, in any of the forms that AWS's services have for them. */
export function requestTags(input: object): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const [member, value] of Object.entries(input)) {
    if (member === 'TagSpecifications') for (const { Tags } of value ?? []) Object.assign(tags, tagsIn(Tags));
    else if (TAG_MEMBERS.test(member) && typeof value === 'object') Object.assign(tags, tagsIn(value));
  }
  return tags;
}

type Listed = Readonly<Record<'Key' | 'key' | 'TagKey' | 'Value' | 'value' | 'TagValue', string | undefined>>;

export function tagsIn(value: unknown): Record<string, string> {
  if (!Array.isArray(value)) return (value ?? {}) as Record<string, string>;
  return Object.fromEntries(
    (value as Listed[]).map((tag) => [tag.Key ?? tag.key ?? tag.TagKey ?? '', tag.Value ?? tag.value ?? tag.TagValue ?? '']),
  );
}

/** What is needed to give tags while something is made, where it is an action of its own. None without tags. */
export function givingTags(action: string, resource: string, given: unknown, keys: Given = {}): Check[] {
  const tags = tagsIn(given);
  const names = Object.keys(tags);
  return names.length === 0 ? [] : [{ action, resource, keys: { ...keys, 'aws:tagkeys': names, ...requestTagKeys(tags) } }];
}

/** A key that the Reference does not list for an action and its type is not in the request (Service Authorization Reference, "Condition keys"). */
function tagKeys(tags: Readonly<Record<string, string>>, known: ReadonlySet<string>): Given {
  const names = Object.keys(tags);
  if (names.length === 0) return {};
  return {
    ...(known.has('aws:tagkeys') ? { 'aws:tagkeys': names } : {}),
    ...(known.has('aws:requesttag/') ? requestTagKeys(tags) : {}),
  };
}

export const requestTagKeys = (tags: Readonly<Record<string, string>>): Given =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value]));
