import { Problem } from './problem.ts';
import { apiVersionOf, type ResourceType } from './types.ts';

/**
 * What a server offers: the aggregated lists that clients ask for by their Accept header (KEP-3352), and the older ones, one per version.
 * All clusters that have no types of their own share the same texts.
 */
export function discovery(types: readonly ResourceType[], path: readonly string[], accept: string): string | undefined {
  const form = formOf(accept);
  const cache = CACHES.get(types) ?? new Map<string, string | undefined>();
  CACHES.set(types, cache);
  const key = `${form} ${path.join('/')}`;
  if (!cache.has(key)) {
    const answer = describe(types, path, form);
    cache.set(key, answer === undefined ? undefined : JSON.stringify(answer));
  }
  return cache.get(key);
}

const CACHES = new WeakMap<readonly ResourceType[], Map<string, string | undefined>>();

type Form = 'v2' | 'v2beta1' | 'legacy';

/** The first media type that we can write. */
export function formOf(accept: string): Form {
  for (const range of accept.split(',')) {
    const [media = '', ...parameters] = range.split(';').map((part) => part.trim());
    const named = new Map(parameters.map((parameter) => parameter.split('=') as [string, string]));
    if (media !== 'application/json' && media !== 'application/*' && media !== '*/*' && media !== '') continue;
    const version = named.get('v');
    if (named.get('as') === undefined) return 'legacy';
    if (named.get('g') === 'apidiscovery.k8s.io' && (version === 'v2' || version === 'v2beta1')) return version;
  }
  throw new Problem(406, 'NotAcceptable', 'only the following media types are accepted: application/json, application/yaml');
}

function describe(types: readonly ResourceType[], [root, group, version]: readonly string[], form: Form): object | undefined {
  if (root === 'api') {
    if (group === undefined) return form === 'legacy' ? coreVersions() : aggregated(types, ['']);
    return group === 'v1' && version === undefined ? resourceList(types, '', 'v1') : undefined;
  }
  const names = [...new Set(types.map((type) => type.group))].filter(Boolean);
  if (group === undefined) return form === 'legacy' ? groupList(types, names) : aggregated(types, names, form);
  if (!names.includes(group)) return undefined;
  return version === undefined
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(types, group) }
    : resourceList(types, group, version);
}

const coreVersions = () => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:443' }],
});

const versionsOf = (types: readonly ResourceType[], group: string): string[] => [
  ...new Set(types.filter((type) => type.group === group).map(({ version }) => version)),
];

function aggregated(types: readonly ResourceType[], groups: readonly string[], form: Form = 'v2'): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${form}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group ? { name: group } : {},
      versions: versionsOf(types, group).map((version) => ({
        version,
        resources: within(types, group, version).map(aggregatedType),
        freshness: 'Current',
      })),
    })),
  };
}

const within = (types: readonly ResourceType[], group: string, version: string): ResourceType[] =>
  types.filter((type) => type.group === group && type.version === version);

/** Of built-in types the group and version of what is answered stand empty: they are those of the list. */
function aggregatedType(type: ResourceType): object {
  const { resource, kind, namespaced, singular, verbs, shortNames, categories, subresources } = type;
  const responseKind = type.custom ? { group: type.group, version: type.version, kind } : { group: '', version: '', kind };
  return {
    resource,
    responseKind,
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0
      ? { subresources: subresources.map((subresource) => aggregatedPart(subresource, responseKind)) }
      : {}),
  };
}

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
const PART_VERBS = ['get', 'patch', 'update'];

const aggregatedPart = (subresource: string, responseKind: object): object => ({
  subresource,
  responseKind: subresource === 'scale' ? SCALE : responseKind,
  verbs: PART_VERBS,
});

const groupList = (types: readonly ResourceType[], names: readonly string[]): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: names.map((name) => groupOf(types, name)),
});

function groupOf(types: readonly ResourceType[], name: string): object {
  const versions = versionsOf(types, name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(types: readonly ResourceType[], group: string, version: string): object | undefined {
  const offered = within(types, group, version);
  if (offered.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: offered.flatMap(listed),
  };
}

function listed({ resource, singular, namespaced, kind, verbs, shortNames, categories, subresources }: ResourceType): object[] {
  const parts = subresources.map((part) => ({
    name: `${resource}/${part}`,
    singularName: '',
    namespaced,
    ...(part === 'scale' ? SCALE : { kind }),
    verbs: PART_VERBS,
  }));
  const more = { ...(shortNames.length > 0 ? { shortNames } : {}), ...(categories.length > 0 ? { categories } : {}) };
  return [{ name: resource, singularName: singular, namespaced, kind, verbs, ...more }, ...parts];
}
