import type { Instant, Policy, Resource, Vault } from '../domain.ts';

const DAYS = { hourly: 1 / 24, daily: 1, weekly: 7, monthly: 31, yearly: 366 } as const;

/** The longest that a policy keeps any of its points, in days. */
export function keepDays({ keep }: Pick<Policy, 'keep'>): number {
  return Math.max(0, ...Object.entries(keep).map(([period, count]) => DAYS[period as keyof typeof DAYS] * (count ?? 0)));
}

/**
 * Why a policy cannot be kept for these resources, one sentence each. What is kept only as a promise of a log ends with the log; copies in
 * a vault are durable. Restoring to T into a temporary resource and snapshotting that (`materialise`) does not exist yet, so it is refused.
 */
export function brokenPromises(policy: Policy, resources: readonly Resource[]): string[] {
  const days = keepDays(policy);
  if (policy.vaults.length > 0) return [];
  return resources
    .filter(({ logDays }) => logDays !== undefined && logDays < days)
    .map(
      ({ id, logDays }) =>
        `Policy "${policy.name}" keeps points for ${Math.ceil(days)} days, but ${id} can be restored from its log for ${logDays} days only, ` +
        'and to keep it longer at home it would have to be materialised, which does not exist yet: name a vault in `vaults`, or keep points for less long.',
    );
}

/** Until when what is written into a locked vault stays locked; undefined where the vault is not locked. */
export function keepUntil({ lock }: Pick<Vault, 'lock'>, from: Instant): Instant | undefined {
  return lock && new Date(Date.parse(from) + lock.days * 86_400_000).toISOString();
}
