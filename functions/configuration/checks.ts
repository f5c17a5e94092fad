import { isRarer, keepDays, LONGEST_LOG_DAYS, outlivingLog } from '../decide/promise.ts';
import type { Policy } from '../domain.ts';
import { readArn } from './arns.ts';
import { nearest } from './nearest.ts';
import { shortestGapSeconds } from './schedule.ts';
import type { WrittenApplication, WrittenPolicy, WrittenVault } from './schema.ts';
import { type Problem, quoted } from './sentences.ts';

/** What has the right shape, and the names of all that was written, so that one mistake does not make every reference to it wrong. */
export interface Written {
  readonly applications: Readonly<Record<string, WrittenApplication>>;
  readonly policies: Readonly<Record<string, WrittenPolicy>>;
  readonly vaults: Readonly<Record<string, WrittenVault>>;
  readonly names: { readonly applications: readonly string[]; readonly vaults: readonly string[] };
  /** The kinds that this code protects; undefined where the caller does not know. */
  readonly kinds?: readonly string[];
}

/** Seconds that a freeze may last for what is fired at once; only what is slow needs longer. */
const LONGEST_LEASE = 120;

type Check = (written: Written) => Problem[];

/** What no shape can say: how the parts fit together. Whether a policy's promise can be kept is decided when its resources are known (`decide/promise.ts`). */
export const checks: readonly Check[] = [
  ({ applications, ...written }) =>
    Object.entries(applications).flatMap(([name, one]) => applicationProblems(name, one, written.kinds)),
  ({ vaults }) => Object.entries(vaults).flatMap(([name, one]) => vaultProblems(name, one, vaults)),
  (written) => Object.entries(written.policies).flatMap(([name, one]) => policyProblems(name, one, written)),
  networkProblems,
];

const at = (path: Problem['path'], sentence: string, of: Problem['of'] = 'value'): Problem => ({ path, of, sentence });

function applicationProblems(name: string, application: WrittenApplication, kinds: readonly string[] | undefined): Problem[] {
  const { cluster, namespaces, resources, account, region } = application;
  const path = ['applications', name];
  const problems: Problem[] = [];
  if (namespaces.length > 0 && !cluster) {
    problems.push(
      at([...path, 'namespaces'], `${path.join('.')} has namespaces and no cluster that they are in; add cluster: and its name.`),
    );
  }
  if (cluster && namespaces.length === 0) {
    problems.push(
      at(
        [...path, 'cluster'],
        `${path.join('.')} names the cluster "${cluster}" and no namespace of it; add namespaces: [${name}], or remove the cluster.`,
      ),
    );
  }
  if (!cluster && namespaces.length === 0 && resources.arns.length === 0 && Object.keys(resources.tags).length === 0) {
    const fix = 'name a cluster with its namespaces, or resources by tags or arns';
    problems.push(at(path, `${path.join('.')} has an empty scope, so nothing would be protected; ${fix}.`, 'key'));
  }
  const lease = application.freeze?.leaseSeconds ?? 0;
  if (lease > LONGEST_LEASE && !Object.values(application.slow).includes('hold')) {
    problems.push(
      at(
        [...path, 'freeze', 'leaseSeconds'],
        `${path.join('.')}.freeze.leaseSeconds is ${lease} and must be from 5 to ${LONGEST_LEASE} where no slow member is held; the application would stand still for so long if we died.`,
      ),
    );
  }
  for (const [index, arn] of resources.arns.entries()) {
    const sentence = arnElsewhere(arn, account, region, kinds);
    if (sentence) problems.push(at([...path, 'resources', 'arns', index], sentence));
  }
  return problems;
}

function arnElsewhere(arn: string, account: string, region: string, kinds: readonly string[] | undefined): string | undefined {
  const read = readArn(arn)!;
  if (read.account && read.account !== account)
    return `"${arn}" is in account ${read.account}, and the application is in ${account}; name only what is in its own account.`;
  if (read.region && read.region !== region)
    return `"${arn}" is in ${read.region}, and the application is in ${region}; make it an application of its own there.`;
  if (kinds && !kinds.includes(read.kind!))
    return `"${arn}" is of kind ${read.kind}, which cannot be protected yet; what can: ${kinds.join(', ')}.`;
  return undefined;
}

function vaultProblems(name: string, { account, region, target }: WrittenVault, vaults: Written['vaults']): Problem[] {
  const path = ['vaults', name];
  const twin = Object.entries(vaults).find(([, other]) => other.account === account && other.region === region);
  const same =
    twin && twin[0] !== name
      ? [
          at(
            [...path, 'region'],
            `vaults.${name} is in the same account and region as vaults.${twin[0]} (${region}); a region has one vault, so remove one.`,
          ),
        ]
      : [];
  const foreign = target.zones.flatMap((zone, index) =>
    zone.startsWith(region)
      ? []
      : [
          at(
            [...path, 'target', 'zones', index],
            `"${zone}" is not an availability zone of ${region}, where vaults.${name} restores; write one such as ${region}a.`,
          ),
        ],
  );
  return [...same, ...foreign];
}

function policyProblems(name: string, policy: WrittenPolicy, { applications, vaults, names }: Written): Problem[] {
  const path = ['policies', name];
  const problems = [
    ...unknownNames([...path, 'applications'], policy.applications, names.applications, 'application'),
    ...unknownNames([...path, 'vaults'], policy.vaults, names.vaults, 'vault'),
    ...policy.vaults.flatMap((vault, index) =>
      policy.applications.flatMap((application) =>
        unfit([...path, 'vaults', index], { vault, in: vaults[vault] }, { application, in: applications[application] }),
      ),
    ),
  ];
  problems.push(...outlastProblems(name, policy, { applications, vaults }), ...windowProblems([...path, 'window'], policy));
  if (policy.onRegionLoss && policy.vaults.length === 0) {
    problems.push(
      at(
        [...path, 'onRegionLoss'],
        `policies.${name}.onRegionLoss needs a vault that is left when home is lost; add vaults:, or remove it.`,
        'key',
      ),
    );
  }
  if (policy.rpo !== undefined && policy.schedule === undefined) {
    problems.push(
      at(
        [...path, 'rpo'],
        `policies.${name} promises an RPO and has no schedule, so nothing would take points in time; add schedule: cron(0 * * * ? *).`,
      ),
    );
  }
  return problems;
}

/** Minutes that EventBridge Scheduler takes for a flexible window (Scheduler API, FlexibleTimeWindow). */
const WINDOW_MINUTES = { least: 1, most: 1440 };

function windowProblems(path: Problem['path'], { schedule, window }: WrittenPolicy): Problem[] {
  if (window === undefined) return [];
  const key = path.join('.');
  if (schedule === undefined)
    return [at(path, `${key} is of no use without a schedule; add schedule: cron(0 * * * ? *), or remove it.`, 'key')];
  const minutes = window / 60;
  if (!Number.isInteger(minutes) || minutes < WINDOW_MINUTES.least || minutes > WINDOW_MINUTES.most)
    return [at(path, `${key} must be whole minutes from 1m to 24h, as EventBridge Scheduler has it.`)];
  if (window < shortestGapSeconds(schedule)) return [];
  return [
    at(
      path,
      `${key} is as long as the time between two points of ${schedule}, so they would overtake each other; make it shorter.`,
    ),
  ];
}

/** A function stands in one VPC, and the functions of a place are shared by all that lives there and is restored there. */
function networkProblems({ applications, vaults }: Written): Problem[] {
  const named = [
    ...Object.entries(applications).map(([name, one]) => ({ path: ['applications', name, 'network'], one })),
    ...Object.entries(vaults).map(([name, one]) => ({ path: ['vaults', name, 'network'], one })),
  ].filter(({ one }) => one.network);
  return named.flatMap(({ path, one }, index) => {
    const first = named.slice(0, index).find(({ one: other }) => other.account === one.account && other.region === one.region);
    if (!first || JSON.stringify(first.one.network) === JSON.stringify(one.network)) return [];
    const both = `${path.join('.')} differs from ${first.path.join('.')}`;
    return [at(path, `${both}, and the functions of ${one.region} are in one network; write the same for both.`, 'key')];
  });
}

/**
 * What outlasts every log must be made durable, and that must be chosen. Refused here, and not when a point is due, wherever a member may be
 * kept by its log alone; whether an instance's own log reaches so far is decided when it is known (`decide/promise.ts`).
 */
function outlastProblems(
  name: string,
  policy: WrittenPolicy,
  { applications, vaults }: Pick<Written, 'applications' | 'vaults'>,
): Problem[] {
  const path = ['policies', name];
  const { materialise, snapshot } = policy;
  if (materialise && snapshot)
    return [
      at(
        [...path, 'snapshot'],
        `policies.${name} has materialise and snapshot; a point outlasts its log one way, so remove one.`,
        'key',
      ),
    ];
  const every = materialise ?? snapshot;
  if (policy.export && !every)
    return [
      at(
        [...path, 'export'],
        `policies.${name}.export needs snapshots to export; add materialise: monthly or snapshot: monthly.`,
      ),
    ];
  const keep = policy.keep as Policy['keep'];
  const finest = outlivingLog({ keep }, LONGEST_LOG_DAYS);
  const leaves = ({ account }: WrittenApplication) =>
    policy.vaults.some((vault) => (vaults[vault]?.account ?? account) !== account);
  const member = policy.applications
    .flatMap((application) => applications[application] ?? [])
    .find((application) => mayBeLogged(application, policy) && !leaves(application)); // what leaves its account is durable, each time
  if (finest === undefined || member === undefined) return [];
  const days = Math.ceil(keepDays({ keep }));
  if (!every) {
    const sentence = `policies.${name} keeps points for ${days} days, and no database's log reaches back more than ${LONGEST_LOG_DAYS}, so they would end before they may; add materialise: ${finest} (exact, slow) or snapshot: ${finest} (at an instant of its own), or keep points for less long.`;
    return [at([...path, 'keep'], sentence, 'key')];
  }
  if (!isRarer(every, finest)) return [];
  const by = materialise ? 'materialise' : 'snapshot';
  return [
    at(
      [...path, by],
      `policies.${name}.${by} is ${every}, and ${finest} points are kept beyond the ${LONGEST_LOG_DAYS} days of the longest log; write ${by}: ${finest}.`,
    ),
  ];
}

/** Whether an application may have a member that is kept until its log ends: one is named, or what bears its tags is not known yet. */
const mayBeLogged = ({ resources: { tags, arns } }: WrittenApplication, { vaults }: WrittenPolicy): boolean =>
  Object.keys(tags).length > 0 ||
  arns.some((arn) => {
    const logged = readArn(arn)?.logged;
    return logged === 'in vaults' || (logged === 'at home' && vaults.length === 0);
  });

function unknownNames(path: Problem['path'], written: readonly string[], known: readonly string[], what: string): Problem[] {
  return written.flatMap((name, index) => {
    if (known.includes(name)) return [];
    const meant = nearest(name, known);
    const fix = meant
      ? `did you mean ${meant}?`
      : `add it under ${what}s${known.length > 0 ? `, or name one of ${known.join(', ')}` : ''}.`;
    return [at([...path, index], `${path.join('.')} names the ${what} ${quoted(name)}, which does not exist; ${fix}`)];
  });
}

function unfit(
  path: Problem['path'],
  { vault, in: there }: { vault: string; in: WrittenVault | undefined },
  { application, in: home }: { application: string; in: WrittenApplication | undefined },
): Problem[] {
  if (!there || !home) return [];
  if (there.region !== home.region || there.account !== home.account) return [];
  return [
    at(
      path,
      `The vault "${vault}" is in ${there.region}, where "${application}" lives; home is a vault already, so put this one into another region.`,
    ),
  ];
}
