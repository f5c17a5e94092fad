import { TAG } from '../../functions/aws/tags.ts';
import { readArn } from '../../functions/configuration/arns.ts';
import type { Place } from '../../functions/domain.ts';

/** Something that bears tags. */
export interface Tagged {
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface FoundCluster {
  readonly name: string;
  readonly subnets: readonly string[];
  readonly namespaces: readonly string[];
  /** Why its namespaces could not be seen. */
  readonly trouble?: string;
}

/** A tag that names an application, and what bears it. */
export interface Group {
  readonly key: string;
  readonly value: string;
  readonly arns: readonly string[];
}

/** What names applications in most accounts, the likeliest first; a Name is an application's only where several things share it. */
const KEYS = [
  'app',
  'application',
  'App',
  'Application',
  'app.kubernetes.io/part-of',
  'project',
  'Project',
  'service',
  'Service',
  'Name',
];

/** What a kind protects, by its ARN; restored copies are no members before someone says so. */
export const isProtectable = ({ arn, tags }: Tagged, kinds: readonly string[]): boolean =>
  kinds.includes(readArn(arn)?.kind ?? '') && tags[TAG.restore] === undefined;

/** The applications that tags name: the values of that key by which the most resources that can be protected are held together. */
export function groupsIn(tagged: readonly Tagged[], kinds: readonly string[]): Group[] {
  const members = tagged.filter((one) => isProtectable(one, kinds));
  const byKey = KEYS.map((key) => groupsBy(key, members));
  const shared = (groups: readonly Group[]) => groups.filter(({ arns }) => arns.length > 1).flatMap(({ arns }) => arns).length;
  const all = (groups: readonly Group[]) => groups.flatMap(({ arns }) => arns).length;
  return byKey.toSorted((a, b) => shared(b) - shared(a) || all(b) - all(a))[0] ?? [];
}

function groupsBy(key: string, members: readonly Tagged[]): Group[] {
  const bearing = members.filter(({ tags }) => tags[key]);
  const groups = Object.entries(Object.groupBy(bearing, ({ tags }) => tags[key] as string)).map(([value, all = []]) => ({
    key,
    value,
    arns: all.map(({ arn }) => arn),
  }));
  return groups.filter(({ arns }) => key !== 'Name' || arns.length > 1).sort((a, b) => (a.value < b.value ? -1 : 1));
}

/** A value as the configuration may name an application: lower case, 31 characters, beginning with a letter. */
export function nameOf(value: string): string {
  const name = value
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return (/^[a-z]/.test(name) ? name : `app-${name}`).slice(0, 31).replace(/-+$/, '');
}

/** Of Kubernetes itself; nobody's application lives there. */
const SYSTEM = /^(kube-.*|default|amazon-.*|aws-.*)$/;

export interface Home {
  readonly cluster: string;
  readonly namespaces: readonly string[];
}

/** Where in clusters an application lives: in the namespace of its name; or, if it is the only one, in the only namespaces that there are. */
export function homeOf(names: readonly string[], isOnly: boolean, clusters: readonly FoundCluster[]): Home | undefined {
  const own = clusters.map(({ name, namespaces }) => ({
    cluster: name,
    namespaces: namespaces.filter((one) => !SYSTEM.test(one)),
  }));
  const named = own.map(({ cluster, namespaces }) => ({ cluster, namespaces: namespaces.filter((one) => names.includes(one)) }));
  const inhabited = own.filter(({ namespaces }) => namespaces.length > 0);
  return (
    named.find(({ namespaces }) => namespaces.length > 0) ??
    (isOnly && inhabited.length === 1 && inhabited[0]!.namespaces.length === 1 ? inhabited[0] : undefined)
  );
}

/** What is there and no application of these takes: namespaces, clusters that cannot be seen, and what is tagged alike but of no kind that can be protected. */
export function leftOver(
  clusters: readonly FoundCluster[],
  homes: readonly Home[],
  tagged: readonly Tagged[],
  groups: readonly Group[],
  kinds: readonly string[],
): string[] {
  const taken = (cluster: string, namespace: string) =>
    homes.some((home) => home.cluster === cluster && home.namespaces.includes(namespace));
  const spaces = clusters.flatMap(({ name, namespaces }) => {
    const free = namespaces.filter((one) => !SYSTEM.test(one) && !taken(name, one));
    return free.length > 0
      ? [`Of cluster ${name}, no application here has ${free.join(', ')}; add what belongs to one to its namespaces.`]
      : [];
  });
  const unseen = clusters.flatMap(({ name, trouble }) =>
    trouble ? [`What is in cluster ${name} could not be seen. ${trouble}`] : [],
  );
  const unknown = tagged.flatMap(({ arn, tags }) => {
    const kind = readArn(arn)?.kind;
    return kind && !kinds.includes(kind) && groups.some(({ key, value }) => tags[key] === value)
      ? [`${arn} is of kind ${kind}, which cannot be protected yet.`]
      : [];
  });
  return [...spaces, ...unseen, ...unknown];
}

/** Where copies could go: a region of the same continent, the usual partner first. */
export function vaultRegionFor({ region }: Place, regions: readonly string[]): string | undefined {
  const others = regions.filter((one) => one !== region);
  const partner = PARTNERS[region];
  const continent = region.split('-')[0];
  return others.find((one) => one === partner) ?? others.find((one) => one.split('-')[0] === continent) ?? others[0];
}

/** Far enough apart to be lost one at a time, and under one law. */
const PARTNERS: Readonly<Record<string, string>> = {
  'us-east-1': 'us-west-2',
  'us-east-2': 'us-west-2',
  'us-west-1': 'us-east-2',
  'us-west-2': 'us-east-1',
  'eu-west-1': 'eu-central-1',
  'eu-central-1': 'eu-west-1',
  'eu-west-3': 'eu-central-1',
  'ap-northeast-1': 'ap-northeast-3',
  'ap-southeast-1': 'ap-southeast-2',
  'ap-southeast-2': 'ap-southeast-4',
};
