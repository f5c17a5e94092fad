import { atLeast } from '../../functions/decide/rpo.ts';
import type { Place, Policy } from '../../functions/domain.ts';

/** An application as it was found. */
export interface DraftedApplication {
  readonly name: string;
  readonly tag: { readonly key: string; readonly value: string };
  readonly cluster?: string;
  readonly namespaces: readonly string[];
  /** How many members of each kind. */
  readonly members: Readonly<Record<string, number>>;
  /** Members that have no instant, by ARN, with their kind. */
  readonly slow: readonly { readonly arn: string; readonly kind: string }[];
  /** What stands in the way of protecting it, and what could be better, in sentences. */
  readonly troubles: readonly string[];
}

export interface DraftedVault {
  readonly region: string;
  readonly cluster?: string;
  readonly subnets: readonly string[];
}

/** All that a starter says. */
export interface Draft {
  readonly home: Place;
  readonly applications: readonly DraftedApplication[];
  readonly vault: DraftedVault;
  readonly keep: Policy['keep'];
  /** From the instant of a point until the vault has its copy, as is usual. */
  readonly takesSeconds: number;
}

export const POLICY = 'hourly';
const GAP_SECONDS = 3600;

/** `stillpoint.yaml` for what was found, commented so that a reader understands each line. */
export function textOf({ home, applications, vault, keep, takesSeconds }: Draft): string {
  return [
    `# What Stillpoint is to protect in ${home.account}/${home.region}, as it was found there. It is yours to change: every mistake is answered with its line.`,
    '',
    'applications:',
    ...applications.flatMap((one) => applicationLines(one, home)),
    '',
    'policies:',
    ...policyLines(applications, vault, keep, takesSeconds),
    '',
    'vaults:',
    ...vaultLines(vault, home, keep.daily ?? 1),
    '',
  ].join('\n');
}

const text = (value: string): string => JSON.stringify(value);
const comment = (sentence: string): string => `# ${sentence.replaceAll(/\s+/g, ' ')}`;

function applicationLines(
  { name, tag, cluster, namespaces, members, slow, troubles }: DraftedApplication,
  home: Place,
): string[] {
  const found = Object.entries(members).map(([kind, count]) => `${count} ${kind}`);
  return [
    `  ${name}: ${comment(`restored as one: ${found.join(', ') || 'nothing was found that can be protected'}`)}`,
    ...troubles.map((one) => `    ${comment(one)}`),
    `    account: ${text(home.account)}`,
    `    region: ${home.region}`,
    ...(cluster === undefined
      ? []
      : [
          `    cluster: ${cluster} # the EKS cluster that it runs in`,
          `    namespaces: [${namespaces.map(text).join(', ')}] # all that is in these namespaces, and the images that run there`,
        ]),
    `    resources: { tags: { ${text(tag.key)}: ${text(tag.value)} } } # whatever bears this tag is a member, also what is made later`,
    `    # freeze: { function: ${name}-freeze, leaseSeconds: 20 } # your Lambda function that makes writers hold still; without it points are crash-consistent`,
    ...(slow.length === 0
      ? []
      : [
          '    slow: # these have no instant; accept: as they were while they were read. Or hold the freeze, give them a cadence, refuse',
          ...slow.map(({ arn, kind }) => `      ${text(arn)}: accept # ${kind}`),
        ]),
  ];
}

function policyLines(
  applications: readonly DraftedApplication[],
  vault: DraftedVault,
  keep: Policy['keep'],
  takesSeconds: number,
): string[] {
  const kept = Object.entries(keep).map(([period, count]) => `${period}: ${count}`);
  return [
    `  ${POLICY}:`,
    `    applications: [${applications.map(({ name }) => name).join(', ')}]`,
    '    schedule: cron(0 * * * ? *) # when points are taken, as EventBridge Scheduler writes it',
    '    timezone: UTC # where clocks change, an hour without a point comes once a year',
    `    vaults: [${vault.region}] # who keeps copies; home always keeps its own`,
    `    keep: { ${kept.join(', ')} } # so many of each; what is kept longer than databases keep their logs needs the next line`,
    '    # materialise: monthly # the first point of each month outlasts the logs: restored at its instant and snapshotted, slow and costly',
    `    rpo: ${atLeast(GAP_SECONDS + takesSeconds)} # how old the newest point may become; an alarm rings in every vault when it is older`,
  ];
}

function vaultLines({ region, cluster, subnets }: DraftedVault, home: Place, days: number): string[] {
  const target = [
    ...(cluster === undefined ? [] : [`cluster: ${cluster}`]),
    ...(subnets.length === 0 ? [] : [`subnets: [${subnets.join(', ')}]`]),
  ];
  return [
    `  ${region}: # another region, so that one can be lost`,
    `    account: ${text(home.account)}`,
    `    region: ${region}`,
    `    lock: { mode: governance, days: ${days} } # nobody deletes copies for so long; compliance: not even who may lift locks`,
    target.length > 0
      ? `    target: { ${target.join(', ')} } # where a restore puts things`
      : '    # target: { cluster: standby, subnets: [subnet-0a1b2c3d, subnet-4e5f6a7b] } # where a restore puts things: what must be there already',
  ];
}
