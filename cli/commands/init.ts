import { access, rm, writeFile } from 'node:fs/promises';
import { brokenPromises } from '../../functions/decide/promise.ts';
import { usualSeconds } from '../../functions/decide/quota.ts';
import type { Application, Place, Policy, Resource } from '../../functions/domain.ts';
import { loadKinds, kinds as registry } from '../../functions/kinds/index.ts';
import type { Discovery, Kind } from '../../functions/kinds/kind.ts';
import { refusalsOf } from '../../functions/workflows/protect/refusals.ts';
import { type Draft, type DraftedApplication, type DraftedVault, POLICY, textOf } from '../init/draft.ts';
import {
  type FoundCluster,
  type Group,
  groupsIn,
  type Home,
  homeOf,
  isProtectable,
  leftOver,
  nameOf,
  type Tagged,
  vaultRegionFor,
} from '../init/found.ts';
import { clustersHere, regionsOf, taggedHere } from '../init/look.ts';
import { Complaint, doubtful, EXIT, good, type Output, table } from '../output.ts';
import { at, configurationFrom, type Target, targetIn } from '../target.ts';

interface Options {
  readonly output: string;
  readonly application?: string;
  readonly tag?: { readonly key: string; readonly value: string };
  readonly vaultRegion?: string;
}

/** Asks AWS what there is and writes a configuration that protects it. Never over a file that is there. */
export async function init(options: Options, output: Output): Promise<void> {
  await refuseWhereThereIs(options.output);
  const target = await targetIn([], output);
  const home = target.place;
  output.say(`Looking at what is in ${home.account}/${home.region}; nothing is changed.`);
  const [tagged, clusters, kinds] = await Promise.all([
    at(target, home)(taggedHere)(undefined),
    at(target, home)(clustersHere)(undefined),
    loadKinds(),
  ]);
  const groups = chosen(options, tagged, home);
  const vault = await vaultFor(target, options.vaultRegion, clusters);
  const scopes = await Promise.all(named(groups, options, clusters).map((one) => discovered(target, kinds, one)));
  const keep = keepFor(
    scopes.flatMap(({ found }) => found.flatMap(({ resources }) => resources)),
    vault,
  );
  const homes = scopes.flatMap(({ application: { cluster, namespaces } }) => (cluster ? [{ cluster, namespaces }] : []));
  const draft: Draft = {
    home,
    applications: scopes.map((scope) => drafted(scope, kinds)),
    vault,
    keep,
    takesSeconds: Math.max(...scopes.map(({ found }) => takesSeconds(kinds, found))),
  };
  await write(options.output, textOf(draft));
  const unprotected = [
    ...draft.applications.flatMap(({ troubles }) => troubles),
    ...leftOver(clusters, homes, tagged, groups, Object.keys(registry)),
  ];
  output.result({ file: options.output, applications: draft.applications, vault, unprotected }, [
    ...table(
      ['APPLICATION', 'BY TAG', 'CLUSTER', 'NAMESPACES', 'MEMBERS'],
      draft.applications.map(({ name, tag, cluster = '', namespaces, members }) => [
        name,
        `${tag.key}=${tag.value}`,
        cluster,
        namespaces.join(', '),
        Object.entries(members)
          .map(([kind, count]) => `${count} ${kind}`)
          .join(', '),
      ]),
    ),
    ...(unprotected.length > 0
      ? ['', doubtful('Not protected, or less well than it could be:'), ...unprotected.map((one) => `  ${one}`)]
      : []),
    '',
    `${good('Wrote')} ${options.output}; it was read back and is valid. Read it, then \`npx cdk deploy --all\`, then \`npx stillpoint doctor\`.`,
  ]);
}

async function refuseWhereThereIs(file: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new Complaint(`${file} is there already, and nothing is written over it; name another with --output.`, EXIT.usage);
}

/** The tag that was asked for, or those that name applications. */
function chosen({ tag, application }: Options, tagged: readonly Tagged[], { account, region }: Place): Group[] {
  const kinds = Object.keys(registry);
  const where = `${account}/${region}`;
  if (tag) {
    const arns = tagged.filter((one) => one.tags[tag.key] === tag.value && isProtectable(one, kinds)).map(({ arn }) => arn);
    if (arns.length === 0) throw new Complaint(`Nothing in ${where} that can be protected bears ${tag.key}=${tag.value}.`);
    return [{ ...tag, arns }];
  }
  const groups = groupsIn(tagged, kinds);
  if (groups.length === 0)
    throw new Complaint(
      `Nothing in ${where} that can be protected bears a tag that names an application; tag what belongs together with app=<name>, or say --tag key=value.`,
    );
  if (application === undefined) return groups;
  const its = groups.filter(({ value }) => value === application || nameOf(value) === application);
  if (its.length > 0) return its.slice(0, 1);
  if (groups.length === 1) return groups;
  throw new Complaint(
    `No tag names "${application}" in ${where}; ${groups[0]!.key} has ${groups.map(({ value }) => value).join(', ')}. Say --tag key=value.`,
  );
}

interface Named {
  readonly name: string;
  readonly group: Group;
  readonly home?: Home;
}

/** Each group as an application with a name of its own, and where in clusters it lives. */
function named(groups: readonly Group[], { application }: Options, clusters: readonly FoundCluster[]): Named[] {
  const names = new Set<string>();
  return groups.map((group) => {
    const wanted = application ?? nameOf(group.value);
    let name = wanted;
    for (let i = 2; names.has(name); i++) name = `${wanted.slice(0, 28)}-${i}`;
    names.add(name);
    const home = homeOf([name, group.value, nameOf(group.value)], groups.length === 1, clusters);
    return { name, group, ...(home ? { home } : {}) };
  });
}

interface Scoped {
  readonly application: Application;
  readonly group: Group;
  readonly found: readonly Discovery[];
}

/** What each kind finds in an application's scope, as `protect` would. */
async function discovered(target: Target, kinds: readonly Kind[], { name, group, home }: Named): Promise<Scoped> {
  const application: Application = {
    name,
    home: target.place,
    namespaces: [],
    ...home,
    resources: { tags: { [group.key]: group.value }, arns: [] },
    slow: {},
  };
  return {
    application,
    group,
    found: await Promise.all(kinds.map((kind) => at(target, target.place)(kind.discover)(application))),
  };
}

function drafted({ application, group: { key, value }, found }: Scoped, kinds: readonly Kind[]): DraftedApplication {
  const slow = kinds.flatMap(({ name: kind, cut }, index) =>
    cut === 'slow' ? found[index]!.resources.map(({ id }) => ({ arn: id, kind })) : [],
  );
  const counts = kinds.map(({ name }, index) => [name, found[index]!.resources.length] as const);
  return {
    name: application.name,
    tag: { key, value },
    ...(application.cluster === undefined ? {} : { cluster: application.cluster }),
    namespaces: application.namespaces,
    members: Object.fromEntries(counts.filter(([, count]) => count > 0)),
    slow,
    troubles: [...new Set([...refusalsOf(application, kinds, found), ...found.flatMap(({ notes }) => notes)])],
  };
}

function takesSeconds(kinds: readonly Kind[], found: readonly Discovery[]): number {
  const { seal, copy } = usualSeconds(kinds.map((kind, index) => ({ ...kind, count: found[index]!.resources.length })));
  return seal + copy;
}

/** As many days as every log reaches, so that nothing is promised that ends before it may. */
function keepFor(resources: readonly Resource[], { region }: DraftedVault): Policy['keep'] {
  const policy = (keep: Policy['keep']): Policy => ({
    name: POLICY,
    applications: [],
    timezone: 'UTC',
    on: [],
    vaults: [region],
    keep,
  });
  const wanted = [14, 7, 3].map((daily) => ({ hourly: 24, daily }));
  return wanted.find((keep) => brokenPromises(policy(keep), resources, []).length === 0) ?? { hourly: 24, daily: 1 };
}

async function vaultFor(target: Target, asked: string | undefined, homeClusters: readonly FoundCluster[]): Promise<DraftedVault> {
  const { place } = target;
  if (asked === place.region)
    throw new Complaint(`--vault-region is ${asked}, where everything is already; name another region.`, EXIT.usage);
  const regions = await at(target, place)(regionsOf)(undefined);
  if (asked !== undefined && !regions.includes(asked))
    throw new Complaint(`The account cannot use the region "${asked}"; it has ${regions.join(', ')}.`, EXIT.usage);
  const region = asked ?? vaultRegionFor(place, regions);
  if (region === undefined)
    throw new Complaint(`The account has no region beside ${place.region}; enable one, or say --vault-region.`);
  const clusters = homeClusters.length > 0 ? await at(target, { ...place, region })(clustersHere)(undefined) : [];
  const [standby] = clusters;
  return { region, ...(standby ? { cluster: standby.name } : {}), subnets: standby?.subnets ?? [] };
}

/** Writes what was not there, and reads it back; what we would not accept ourselves does not stay. */
async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST')
      throw new Complaint(`${file} is there already, and nothing is written over it; name another with --output.`, EXIT.usage);
    throw new Complaint(`${file} cannot be written: ${error.message}.`);
  });
  await configurationFrom(file).catch(async (error: Error) => {
    await rm(file);
    throw new Complaint(`What was found makes no valid configuration, so ${file} was not kept: ${error.message}`);
  });
}
