import {
  DescribeAvailabilityZonesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { DescribeClusterCommand, EKSClient, ListAccessEntriesCommand } from '@aws-sdk/client-eks';
import { type Calls, calls, operationOf } from '../../functions/aws/call.ts';
import { Permanent, when } from '../../functions/aws/errors.ts';
import { verb } from '../../functions/aws/verb.ts';
import type { Place, Target } from '../../functions/domain.ts';
import { inParallel } from '../../functions/kinds/items.ts';
import type { Kind } from '../../functions/kinds/kind.ts';
import { connect, connecting } from '../../functions/kubernetes/client.ts';
import { functionName } from '../../functions/vault/layout.ts';
import { workflowsIn } from '../../functions/workflows/index.ts';
import { type AnyStep, holds, kindVerb, type Uses } from '../../functions/workflows/step.ts';
import { applicationCheck, ok, problem, type Said, warning } from './check.ts';
import { functionOf } from './deployed.ts';

const ec2 = calls('ec2', EC2Client);
const eks = calls('eks', EKSClient);

interface Access {
  readonly mode: string;
  /** Who has an access entry, by ARN. */
  readonly principals: readonly string[];
}

/** Who is let in to a cluster. */
const accessTo = verb(
  { cluster: eks.read(DescribeClusterCommand), entries: eks.read(ListAccessEntriesCommand) },
  async (aws, name: string): Promise<Access> => {
    const { cluster } = await aws.cluster({ name });
    const mode = cluster?.accessConfig?.authenticationMode ?? 'CONFIG_MAP';
    const principals: string[] = [];
    if (mode === 'CONFIG_MAP') return { mode, principals }; // there are no entries then, and asking for them is refused
    let nextToken: string | undefined;
    do {
      const page = await aws.entries({ clusterName: name, ...(nextToken ? { nextToken } : {}) });
      principals.push(...(page.accessEntries ?? []));
      nextToken = page.nextToken || undefined;
    } while (nextToken);
    return { mode, principals };
  },
);

/** Why a cluster's API server cannot be reached with these keys; undefined where it answers. */
const silenceOf = verb(connecting, async (aws, name: string, scene): Promise<string | undefined> => {
  try {
    await (await connect(aws, name, scene)).get('/version');
    return undefined;
  } catch (error) {
    if (error instanceof Permanent) return error.message;
    throw error;
  }
});

interface Network {
  readonly subnets: readonly string[];
  readonly groups: readonly string[];
  readonly zones: readonly string[];
}

/** Those of these subnets, security groups and zones that are there. EC2 answers filters with what there is, and ids with all or none. */
const networkOf = verb(
  {
    subnets: ec2.read(DescribeSubnetsCommand),
    groups: ec2.read(DescribeSecurityGroupsCommand),
    zones: ec2.read(DescribeAvailabilityZonesCommand),
  },
  async (aws, { subnets, groups, zones }: Network): Promise<Network> => {
    const filter = (Name: string, Values: readonly string[]) => ({ Filters: [{ Name, Values: [...Values] }] });
    const [s, g, z] = await Promise.all([
      subnets.length > 0 ? aws.subnets(filter('subnet-id', subnets)) : { Subnets: [] },
      groups.length > 0 ? aws.groups(filter('group-id', groups)) : { SecurityGroups: [] },
      zones.length > 0 ? aws.zones({}) : { AvailabilityZones: [] },
    ]);
    return {
      subnets: (s.Subnets ?? []).map(({ SubnetId = '' }) => SubnetId),
      groups: (g.SecurityGroups ?? []).map(({ GroupId = '' }) => GroupId),
      zones: (z.AvailabilityZones ?? []).map(({ ZoneName = '' }) => ZoneName),
    };
  },
);

const uses = { accessTo, silenceOf, networkOf, functionOf };
type Eyes = ReturnType<Parameters<typeof targets.run>[0]>;

/** Whether clusters, networks and the freeze function are where points are taken and where they are restored. */
export const targets = applicationCheck({
  name: 'targets',
  uses,
  run: async (look, subject): Promise<Said[]> => {
    const { application, vaults } = subject;
    const { kinds } = await subject.scope().catch(() => ({ kinds: [] as readonly Kind[] }));
    const all = await Promise.all(
      vaults.map(async ({ name, place, target, network }) => {
        const eyes = look(place, application.home) as Eyes;
        const wanted = name === 'home' ? application.network : network;
        const said = await Promise.all([
          target.cluster === undefined ? [] : aboutCluster(eyes, target.cluster, place, stepsTalking(name, kinds)),
          aboutNetwork(eyes, target, wanted),
          application.freeze === undefined ? [] : aboutHook(eyes, application.freeze.function),
        ]);
        return said.flat().map((one) => ({ where: `${application.name}, ${place.region}`, ...one }));
      }),
    );
    return all.flat();
  },
});

/** The functions at home, or in a vault, that must be let in to its cluster: those whose calls find clusters. */
const stepsTalking = (vault: string, kinds: readonly Kind[]): string[] =>
  workflowsIn(vault === 'home' ? 'home' : 'vault')
    .flatMap(({ steps }) => steps)
    .filter((step) => talks(step, kinds))
    .map(({ name }) => functionName(name));

function talks(step: AnyStep, kinds: readonly Kind[]): boolean {
  const own = Object.values(step.uses as Uses).map((one) => one.calls as Calls);
  const theirs = kinds.flatMap((kind) =>
    (step.kinds ?? []).flatMap((verb) => (holds(step, verb, kind) ? [kindVerb(kind, verb).calls] : [])),
  );
  return [...own, ...theirs].some((declared) =>
    Object.values(declared).some((call) => call.service === 'eks' && operationOf(call) === 'DescribeCluster'),
  );
}

async function aboutCluster(eyes: Eyes, name: string, { region }: Place, functions: readonly string[]): Promise<Said[]> {
  const access = await eyes.accessTo(name).catch(when('ResourceNotFoundException', () => undefined));
  if (!access) return [problem(`There is no cluster ${name} in ${region}.`, 'create it, or correct its name in stillpoint.yaml')];
  if (access.mode === 'CONFIG_MAP')
    return [
      problem(
        `Cluster ${name} lets nobody in by access entries (its mode is CONFIG_MAP).`,
        `aws eks update-cluster-config --name ${name} --access-config authenticationMode=API_AND_CONFIG_MAP`,
      ),
    ];
  const silence = await eyes.silenceOf(name);
  const outside = await uninvited(eyes, access, functions);
  return [
    ...(silence === undefined ? [] : [warning(`Cluster ${name} does not answer with these keys: ${silence}`)]),
    ...(outside.length > 0
      ? [
          problem(
            `Cluster ${name} has no access entry for ${listed(outside)}.`,
            'run `npx cdk deploy --all`, or aws eks create-access-entry',
          ),
        ]
      : silence === undefined
        ? [ok(`Cluster ${name} answers${functions.length > 0 ? ', and lets our functions in' : ''}.`)]
        : []),
  ];
}

/** Functions that are deployed and have no access entry; what is not deployed is told elsewhere. */
async function uninvited(eyes: Eyes, { principals }: Access, functions: readonly string[]): Promise<string[]> {
  const found = await inParallel(functions, 5, async (name) => ({ name, role: (await eyes.functionOf(name))?.role }));
  return found.flatMap(({ name, role }) => (role && !principals.includes(role) ? [name] : []));
}

async function aboutNetwork(
  eyes: Eyes,
  target: Target,
  network: { subnets: readonly string[]; securityGroups: readonly string[] } | undefined,
): Promise<Said[]> {
  const wanted: Network = {
    subnets: [...new Set([...target.subnets, ...(network?.subnets ?? [])])],
    groups: [...new Set([...target.securityGroups, ...(network?.securityGroups ?? [])])],
    zones: target.zones,
  };
  const found = await eyes.networkOf(wanted);
  const lacking = (['subnets', 'groups', 'zones'] as const).flatMap((part) =>
    wanted[part].filter((id) => !found[part].includes(id)),
  );
  const count = wanted.subnets.length + wanted.groups.length + wanted.zones.length;
  if (lacking.length > 0)
    return [problem(`${listed(lacking)} is named in stillpoint.yaml and not there.`, 'create it, or name another')];
  return count > 0 ? [ok(`Its ${count === 1 ? 'subnet' : `${count} subnets, groups and zones`} are there.`)] : [];
}

async function aboutHook(eyes: Eyes, name: string): Promise<Said[]> {
  return (await eyes.functionOf(name))
    ? [ok(`The freeze function ${name} is there.`)]
    : [problem(`The freeze function ${name} does not exist, so nothing could be frozen or thawed here.`, 'deploy it here too')];
}

const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;
