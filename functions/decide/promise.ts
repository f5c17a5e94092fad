import { type Instant, type Outlasting, otherAccount, type Period, type Policy, type Resource, type Vault } from '../domain.ts';

const DAYS: Readonly<Record<Period, number>> = { hourly: 1 / 24, daily: 1, weekly: 7, monthly: 31, yearly: 366 };
/** The longest that automated backups and point-in-time recovery keep a log (RDS and DynamoDB guides). */
export const LONGEST_LOG_DAYS = 35;

type Keeping = Pick<Policy, 'keep'>;

/** The longest that a policy keeps any of its points, in days. */
export function keepDays({ keep }: Keeping): number {
  return Math.max(0, ...Object.entries(keep).map(([period, count]) => DAYS[period as Period] * (count ?? 0)));
}

/** The finest of the periods whose points a policy keeps for longer than a log reaches; undefined where none is. */
export function outlivingLog({ keep }: Keeping, logDays: number): Period | undefined {
  return PERIODS.find((period) => DAYS[period] * (keep[period] ?? 0) > logDays);
}

export const PERIODS: readonly Period[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];
export const isRarer = (one: Period, than: Period): boolean => PERIODS.indexOf(one) > PERIODS.indexOf(than);

/**
 * Why a policy cannot be kept for these resources in its vaults, one sentence each. What is kept only as a promise of a log ends with the log;
 * a point that must outlast it has to be made durable, at home as in a vault, if copies there are a promise of a log too. What no key lets out
 * of its account has no copy in another.
 */
export function brokenPromises(policy: Policy, resources: readonly Resource[], vaults: readonly Vault[]): string[] {
  return resources.flatMap((resource) => {
    const abroad = vaults.find(({ place }) => otherAccount(place, resource.place));
    if (abroad && resource.homebound)
      return [
        `Policy "${policy.name}" keeps copies in "${abroad.name}", in account ${abroad.place.account}, but ${resource.homebound}`,
      ];
    if (abroad && (resource.outlasts?.length ?? 0) > 0) return []; // each of its points is made durable
    const { logDays, logInVaults, outlasts = [], id, kind } = resource;
    const finest = logDays === undefined ? undefined : outlivingLog(policy, logDays);
    if (finest === undefined || (policy.vaults.length > 0 && !logInVaults)) return [];
    const days = Math.ceil(keepDays(policy));
    const broken = `Policy "${policy.name}" keeps points for ${days} days, but ${id} can be restored from its log for ${logDays} days only`;
    if (outlasts.length === 0) {
      return [`${broken}, and a ${kind} cannot be materialised yet: name a vault in \`vaults\`, or keep points for less long.`];
    }
    const { outlast } = policy;
    if (!outlast || !outlasts.includes(outlast.by)) return [`${broken}, ${orOutlast(finest, outlasts)}`];
    return isRarer(outlast.every, finest)
      ? [
          `${broken}, and ${outlast.by}: ${outlast.every} is too rare for its ${finest} points: write ${outlast.by}: ${finest}, or keep them for less long.`,
        ]
      : [];
  });
}

const SAYS: Readonly<Record<Outlasting, string>> = {
  materialise: 'restored at its instant, snapshotted and removed again',
  snapshot: 'a snapshot of an instant of its own',
};

const orOutlast = (every: Period, outlasts: readonly Outlasting[]): string =>
  `also in a vault: add ${outlasts.map((by) => `${by}: ${every} (${SAYS[by]})`).join(' or ')} to the policy, or keep points for less long.`;

/** Which copies a locked vault cannot lock, one sentence each: only what is durable can be (DESIGN §3.1). */
export function unlocked(vaults: readonly Vault[], resources: readonly Resource[], outlasting: Outlasting | undefined): string[] {
  return vaults.flatMap(({ name, lock }) =>
    resources
      .filter(({ logInVaults, outlasts }) => lock && logInVaults && !(outlasting && outlasts?.includes(outlasting)))
      .map(({ id }) => `The copy of ${id} in "${name}" is a promise of a log, which nothing can lock.`),
  );
}

/** Until when what is written into a locked vault stays locked; undefined where the vault is not locked. */
export function keepUntil({ lock }: Pick<Vault, 'lock'>, from: Instant): Instant | undefined {
  return lock && new Date(Date.parse(from) + lock.days * 86_400_000).toISOString();
}
