import { refuse } from '../../world/service.ts';
import type { Place } from '../../world/world.ts';
import { NO_VALUE, resolve, type Scope, truth } from './intrinsics.ts';
import type { Template } from './template.ts';
import { invalid } from './template.ts';

/** A stack's values of a moment: its parameters, and the resources that are there. */
export interface Values {
  readonly place: Place;
  readonly stackName: string;
  readonly stackId: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** What a resource's `Ref` is; undefined where it is not there. */
  ref(id: string): unknown;
  attribute(id: string, name: string): unknown;
}

/** What a template's functions see. */
export function scopeOf(template: Template, values: Values): Scope {
  const { account, region } = values.place;
  const pseudo: Readonly<Record<string, unknown>> = {
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': values.stackName,
    'AWS::StackId': values.stackId,
    'AWS::NotificationARNs': [],
    'AWS::NoValue': NO_VALUE,
  };
  const conditions = new Map<string, boolean>();
  const scope: Scope = {
    ref(name) {
      if (Object.hasOwn(pseudo, name)) return pseudo[name];
      if (Object.hasOwn(values.parameters, name)) return values.parameters[name];
      return values.ref(name) ?? invalid(`Template format error: Unresolved resource dependency ${name}`);
    },
    attribute: (id, name) =>
      values.attribute(id, name) ??
      invalid(`Template error: resource ${id} does not support attribute type ${name} in Fn::GetAtt`),
    condition(name) {
      const known = conditions.get(name);
      if (known !== undefined) return known;
      const written = template.Conditions?.[name];
      if (written === undefined) return invalid(`Template error: unresolved condition dependency ${name}`);
      const found = truth(written, scope);
      conditions.set(name, found);
      return found;
    },
    mapped: (map, first, second) =>
      template.Mappings?.[map]?.[first]?.[second] ??
      invalid(`Template error: Unable to get mapping for ${map}::${first}::${second}`),
    zones: (where) => ['a', 'b', 'c'].map((zone) => `${where || region}${zone}`),
  };
  return scope;
}

/** The resources that a stack has: those whose condition holds, or that have none. */
export const wantedIn = (template: Template, scope: Scope): Template['Resources'] =>
  Object.fromEntries(
    Object.entries(template.Resources).filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition)),
  );

/** Assertions about parameters, made before anything is (CloudFormation guide, "Rules section"). */
export function checkRules({ Rules = {} }: Template, scope: Scope): void {
  for (const { RuleCondition, Assertions } of Object.values(Rules)) {
    if (RuleCondition !== undefined && !truth(RuleCondition, scope)) continue;
    for (const { Assert, AssertDescription = 'Assertion failed' } of Assertions)
      if (!truth(Assert, scope)) invalid(`Template validation error: ${AssertDescription}`);
  }
}

export interface ShownOutput {
  readonly OutputKey: string;
  readonly OutputValue: string;
  readonly Description?: string;
  readonly ExportName?: string;
}

export function outputsOf({ Outputs = {} }: Template, scope: Scope): ShownOutput[] {
  return Object.entries(Outputs)
    .filter(([, { Condition }]) => Condition === undefined || scope.condition(Condition))
    .map(([OutputKey, { Value, Description, Export }]) => {
      const found = resolve(Value, scope);
      if (typeof found === 'object' || found === undefined)
        refuse('ValidationError', `Template format error: Output ${OutputKey} is malformed. The Value must be a text.`);
      return {
        OutputKey,
        OutputValue: String(found),
        ...(Description === undefined ? {} : { Description }),
        ...(Export ? { ExportName: String(resolve(Export.Name, scope)) } : {}),
      };
    });
}
