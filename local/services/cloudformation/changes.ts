import type * as SDK from '@aws-sdk/client-cloudformation';
import type { Place } from '../../world/world.ts';
import { needsReplacement, same } from './deploy.ts';
import { resolve } from './intrinsics.ts';
import { valuesOf } from './parameters.ts';
import type { Properties } from './resources/resource.ts';
import { scopeOf, wantedIn } from './scope.ts';
import type { Stack, Wanted } from './state.ts';
import { type Definition, invalid, namedBy } from './template.ts';

interface Seen {
  readonly definition: Definition;
  readonly properties: Properties;
}

/** What a template says of each resource before any is there: parameters and conditions have values, other resources their names. */
function seen(wanted: Wanted, stack: Pick<Stack, 'id' | 'name'>, place: Place): Map<string, Seen> {
  const scope = scopeOf(wanted.template, {
    place,
    stackName: stack.name,
    stackId: stack.id,
    parameters: valuesOf(wanted.parameters),
    ref: (id) => `{{${id}}}`,
    attribute: (id, name) => `{{${id}.${name}}}`,
  });
  return new Map(
    Object.entries(wantedIn(wanted.template, scope)).map(([id, definition]) => [
      id,
      { definition, properties: resolve(definition.Properties ?? {}, scope) as Properties },
    ]),
  );
}

/** What has to be done to a stack, resource by resource, as a change set lists it. */
export function changesTo(stack: Pick<Stack, 'id' | 'name' | 'is' | 'resources'>, wanted: Wanted, place: Place): SDK.Change[] {
  const before: ReadonlyMap<string, Seen> = stack.is ? seen(stack.is, stack, place) : new Map();
  const after = seen(wanted, stack, place);
  const replaced = new Set<string>();
  const change = (Action: SDK.ChangeAction, id: string, { definition }: Seen, more: object = {}): SDK.Change => ({
    Type: 'Resource',
    ResourceChange: {
      Action,
      LogicalResourceId: id,
      ResourceType: definition.Type,
      ...(Action === 'Add' ? {} : { PhysicalResourceId: stack.resources.get(id)?.made?.id }),
      Scope: [],
      Details: [],
      ...more,
    },
  });
  const made = [...after].flatMap(([id, now]): SDK.Change[] => {
    const was = before.get(id);
    if (!was) return [change('Add', id, now)];
    if (was.definition.Type !== now.definition.Type)
      invalid(
        `Update of resource type is not permitted. The new template modifies resource type of the following resources: [${id}]`,
      );
    if (same(was.properties, now.properties)) return [];
    const replacement = needsReplacement(now.definition.Type, was.properties, now.properties);
    if (replacement) replaced.add(id);
    const names = new Set([...Object.keys(was.properties), ...Object.keys(now.properties)]);
    const Details = [...names]
      .filter((name) => !same(was.properties[name], now.properties[name]))
      .map((Name) => ({
        Target: { Attribute: 'Properties' as const, Name },
        Evaluation: 'Static' as const,
        ChangeSource: 'DirectModification' as const,
      }));
    return [change('Modify', id, now, { Replacement: replacement ? 'True' : 'False', Scope: ['Properties'], Details })];
  });
  const known = new Set(made.map(({ ResourceChange }) => ResourceChange!.LogicalResourceId));
  const followed = [...after].filter(
    ([id, { definition }]) => before.has(id) && !known.has(id) && namedBy(definition).some((name) => replaced.has(name)),
  );
  return [
    ...made,
    ...followed.map(([id, now]) => change('Modify', id, now, { Replacement: 'Conditional', Scope: ['Properties'] })),
    ...[...before].filter(([id]) => !after.has(id)).map(([id, was]) => change('Remove', id, was)),
  ];
}

/** Whether anything differs that a stack would show. */
export const differs = (stack: Stack, wanted: Wanted, changes: readonly SDK.Change[]): boolean =>
  changes.length > 0 ||
  !same(stack.is?.tags ?? [], wanted.tags) ||
  !same(stack.is?.template.Outputs ?? {}, wanted.template.Outputs ?? {});
