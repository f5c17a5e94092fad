import { OtherAccount } from '../../functions/aws/sdk-transport.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import { type Application, pointId, type Vault } from '../../functions/domain.ts';
import { listAttempts, listSealed } from '../../functions/vault/ledger.ts';
import { running } from '../executions.ts';
import { bad, duration, good, type Output, table } from '../output.ts';
import { applicationIn, at, configurationFrom, findTarget, type Target, vaultsFor, whyNot } from '../target.ts';

interface Standing {
  readonly application: string;
  readonly vault: string;
  readonly region: string;
  readonly newest?: string;
  readonly instant?: string;
  readonly ageSeconds?: number;
  readonly consistency?: string;
  readonly open?: number;
  readonly running?: number;
  readonly rpoSeconds?: number;
  readonly rpoKept?: boolean;
  readonly trouble?: string;
  /** It is in another account than the keys in use are of, whose it is to ask. */
  readonly elsewhere?: true;
}

/**
 * Says, for each application and vault, how old the newest restore point is and whether the promised RPO is kept. Exits non-zero when one is
 * not, or cannot be seen; a vault in an account of its own is seen with that account's keys alone, and says so.
 */
export async function status(name: string | undefined, { config }: { config: string }, output: Output): Promise<boolean> {
  const configuration = await configurationFrom(config);
  const applications = name === undefined ? Object.values(configuration.applications) : [applicationIn(configuration, name)];
  const target = await findTarget(configuration, output);
  const now = await target.now();
  const standings = (
    await Promise.all(
      applications.flatMap((application) =>
        vaultsFor(configuration, application).map((vault) => standing(target, configuration, application, vault, now)),
      ),
    )
  ).flat();
  output.result(
    { now: new Date(now).toISOString(), standings },
    table(['APPLICATION', 'VAULT', 'REGION', 'NEWEST POINT', 'AGE', 'CONSISTENCY', 'IN PROGRESS', 'RPO'], standings.map(row)),
  );
  return standings.every(({ rpoKept, trouble, elsewhere = false }) => rpoKept !== false && (trouble === undefined || elsewhere));
}

async function standing(
  target: Target,
  configuration: Configuration,
  application: Application,
  vault: Vault,
  now: number,
): Promise<Standing> {
  const base = { application: application.name, vault: vault.name, region: vault.place.region };
  const rpo = Object.values(configuration.policies)
    .filter(
      ({ applications, vaults, rpoSeconds }) =>
        rpoSeconds !== undefined &&
        applications.includes(application.name) &&
        (vault.name === 'home' || vaults.includes(vault.name)),
    )
    .map(({ rpoSeconds }) => rpoSeconds as number);
  try {
    const here = at(target, vault.place, application.home);
    const [attempts, [newest], inProgress] = await Promise.all([
      here(listAttempts)({ application: application.name }),
      here(listSealed)({ application: application.name, last: 1 }),
      running(target, vault.place, vault.name === 'home' ? 'protect' : 'replicate').catch(() => []),
    ]);
    const instant = newest?.point.instant;
    const ageSeconds = instant === undefined ? undefined : Math.max(0, Math.round((now - Date.parse(instant)) / 1000));
    return {
      ...base,
      open: attempts.filter(({ decided }) => !decided).length,
      running: inProgress.length,
      ...(newest && instant !== undefined && ageSeconds !== undefined
        ? { newest: pointId(newest.point), instant, ageSeconds, consistency: newest.point.consistency }
        : {}),
      ...(rpo.length > 0
        ? { rpoSeconds: Math.min(...rpo), rpoKept: ageSeconds !== undefined && ageSeconds <= Math.min(...rpo) }
        : {}),
    };
  } catch (error) {
    return { ...base, trouble: whyNot(error, vault), ...(error instanceof OtherAccount ? { elsewhere: true } : {}) };
  }
}

function row({
  application,
  vault,
  region,
  newest,
  ageSeconds,
  consistency,
  open = 0,
  rpoSeconds,
  rpoKept,
  trouble,
}: Standing): string[] {
  if (trouble !== undefined) return [application, vault, region, bad(trouble), '', '', '', ''];
  const promise = rpoSeconds === undefined ? '' : `${rpoKept ? good('kept') : bad('broken')} (${duration(rpoSeconds * 1000)})`;
  return [
    application,
    vault,
    region,
    newest ?? 'none',
    ageSeconds === undefined ? '' : duration(ageSeconds * 1000),
    consistency ?? '',
    String(open),
    promise,
  ];
}
