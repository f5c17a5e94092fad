import type { Outlasting, Period, Policy } from '../domain.ts';
import { isRarer } from './promise.ts';
import type { Usual } from './rpo.ts';

/** How many of something AWS allows an account in a region by default; what an account was granted beyond that is not looked at. */
export interface Quota {
  /** As AWS calls it: `Manual DB instance snapshots`. */
  readonly name: string;
  readonly most: number;
  readonly at: readonly ('home' | 'vault')[];
  /**
   * What takes one. `copy`: each copy while it is made. `member`: each resource for as long as it is protected in a vault. `point`: each
   * resource in each point that is kept. `copied`: the same, of points that vaults copy. `outlasting`: of points that outlast a log `by` this.
   */
  readonly takes: 'copy' | 'member' | 'point' | 'copied' | 'outlasting';
  readonly by?: readonly Outlasting[];
}

/** How many resources of one kind a policy protects of one application. */
export interface Demand {
  readonly kind: string;
  readonly quotas: readonly Quota[];
  readonly count: number;
  readonly policy: Policy;
}

export interface Need {
  readonly name: string;
  readonly most: number;
  readonly needs: number;
  /** The policies that need them. */
  readonly policies: readonly string[];
}

/** What the policies take of each quota where these demands meet: at one home, or in one vault. Copies wait for each other, so they need no more than there are. */
export function needsOf(at: 'home' | 'vault', demands: readonly Demand[]): Need[] {
  const needs = new Map<string, Need>();
  for (const { quotas, count, policy } of demands) {
    for (const quota of quotas.filter((one) => one.at.includes(at) && one.takes !== 'copy')) {
      const more = count * timesTaken(quota, policy);
      if (more === 0) continue;
      const { needs: before = 0, policies = [] } = needs.get(quota.name) ?? {};
      needs.set(quota.name, {
        name: quota.name,
        most: quota.most,
        needs: before + more,
        policies: [...new Set([...policies, policy.name])],
      });
    }
  }
  return [...needs.values()];
}

function timesTaken({ takes, by = [] }: Quota, { keep, outlast, vaults }: Policy): number {
  if ((takes === 'member' || takes === 'copied') && vaults.length === 0) return 0;
  if (takes === 'member') return 1;
  if (takes !== 'outlasting') return pointsKept(keep, () => true);
  if (!outlast || !by.includes(outlast.by)) return 0;
  return pointsKept(keep, (period) => !isRarer(outlast.every, period));
}

const pointsKept = (keep: Policy['keep'], counts: (period: Period) => boolean): number =>
  Object.entries(keep).reduce((sum, [period, count]) => sum + (counts(period as Period) ? (count ?? 0) : 0), 0);

/** Says where a need is beyond its quota. */
export const beyond = ({ name, most, needs, policies }: Need, where: string): string | undefined =>
  needs <= most
    ? undefined
    : `${policies.map((policy) => `policies.${policy}`).join(' and ')} would need ${needs} of the quota "${name}" in ${where}, and AWS gives ${most} by default; keep fewer points, or ask for more there (Service Quotas) unless that was granted.`;

/** Says of which kinds copies wait for each other, because AWS makes only so many at once into one region. */
export const queueing = (demands: readonly Demand[], where: string): string[] =>
  demands.flatMap(({ kind, quotas, count, policy }) =>
    quotas
      .filter(({ takes, most }) => takes === 'copy' && count > most)
      .map(
        ({ name, most }) =>
          `policies.${policy.name} copies ${count} of kind ${kind} into ${where}, and AWS makes ${most} at once by default ("${name}"), so they take ${Math.ceil(count / most)} turns; ask AWS for more there, or split the application.`,
      ),
  );

/** How long a point of these members usually takes until it is sealed at home, and from there until a vault has sealed its copy: as long as the slowest kind. Copies beyond a quota wait for a turn. */
export function usualSeconds(
  members: readonly { readonly usual: Usual; readonly quotas: readonly Quota[]; readonly count: number }[],
): {
  readonly seal: number;
  readonly copy: number;
} {
  const present = members.filter(({ count }) => count > 0);
  return {
    seal: 60 * Math.max(0, ...present.map(({ usual }) => usual.sealMinutes)),
    copy: 60 * Math.max(0, ...present.map(({ usual, quotas, count }) => usual.copyMinutes * turns(quotas, count))),
  };
}

const turns = (quotas: readonly Quota[], count: number): number =>
  Math.max(1, ...quotas.filter(({ takes }) => takes === 'copy').map(({ most }) => Math.ceil(count / most)));
