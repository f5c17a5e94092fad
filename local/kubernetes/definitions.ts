import { set } from './json.ts';
import { notModelled } from './problem.ts';
import { Stored } from './store.ts';
import { apiVersionOf, type ResourceType, type Subresource, VERBS } from './types.ts';

interface Version {
  readonly name: string;
  readonly served?: boolean;
  readonly schema?: { readonly openAPIV3Schema?: unknown };
  readonly subresources?: { readonly status?: object; readonly scale?: { specReplicasPath: string; statusReplicasPath: string } };
}

interface Names {
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

/** The types that a CustomResourceDefinition adds, the preferred version first (Kubernetes, "Versions in CustomResourceDefinitions"). */
export function typesOf({ metadata, spec }: any): ResourceType[] {
  const names = spec.names as Names;
  return (spec.versions as Version[])
    .filter(({ served }) => served)
    .sort((a, b) => byPriority(a.name, b.name))
    .map(({ name, schema, subresources }) => ({
      group: spec.group,
      version: name,
      resource: names.plural,
      kind: names.kind,
      singular: names.singular,
      namespaced: spec.scope === 'Namespaced',
      shortNames: names.shortNames ?? [],
      categories: names.categories ?? [],
      subresources: (['scale', 'status'] as const).filter((sub): sub is Subresource => subresources?.[sub] !== undefined),
      verbs: VERBS,
      generations: true,
      custom: {
        definition: metadata.name,
        schema: schema?.openAPIV3Schema ?? {},
        converts: spec.conversion?.strategy !== 'Webhook',
        ...(subresources?.scale ? { scale: subresources.scale } : {}),
      },
    }));
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;

/** v10, v2, v1, v11beta2, v3beta1, v12alpha1, then what is no version by this pattern, by its letters. */
function byPriority(a: string, b: string): number {
  const [one, other] = [a, b].map(rank);
  for (let i = 0; i < 3; i++) if (one![i] !== other![i]) return other![i]! - one![i]!;
  return a < b ? -1 : 1;
}

function rank(version: string): readonly [stability: number, major: number, minor: number] {
  const [, major, stage, minor = '0'] = VERSION.exec(version) ?? [];
  if (major === undefined) return [-1, 0, 0];
  return [stage === undefined ? 2 : stage === 'beta' ? 1 : 0, Number(major), Number(minor)];
}

/** An object in the version that it is asked for. Without a webhook only its `apiVersion` differs ("strategy: None"). */
export function asVersion(type: ResourceType, stored: Stored): Stored {
  const apiVersion = apiVersionOf(type);
  if (!type.custom || stored.view.apiVersion === apiVersion) return stored;
  if (!type.custom.converts)
    throw notModelled(
      `conversion webhooks, which ${type.resource}.${type.group} needs from ${stored.view.apiVersion} to ${apiVersion}`,
    );
  return new Stored(set(stored.object, ['apiVersion'], apiVersion), stored.revision);
}
