import { besideLabel, besideWords } from '../../functions/decide/slow.ts';
import type { Sealed } from '../../functions/domain.ts';
import { pointId } from '../../functions/domain.ts';
import { listSealed } from '../../functions/vault/ledger.ts';
import { faint, good, type Output, table } from '../output.ts';
import { applicationIn, at, configurationFrom, findTarget, firstReachable, vaultNamed, vaultsFor } from '../target.ts';

interface Options {
  readonly config: string;
  readonly vault?: string;
}

/** Lists the sealed restore points of an application in one vault's ledger. */
export async function points(name: string | undefined, { config, vault: wanted }: Options, output: Output): Promise<void> {
  const configuration = await configurationFrom(config);
  const application = applicationIn(configuration, name);
  const target = await findTarget(configuration, output);
  const vaults = wanted === undefined ? vaultsFor(configuration, application) : [vaultNamed(configuration, application, wanted)];
  const { vault, found } = await firstReachable(vaults, output, ({ place }) =>
    at(target, place, application.home)(listSealed)({ application: application.name }),
  );
  output.say(`Ledger: "${vault.name}" (${vault.place.account}/${vault.place.region})`);
  const sealed = found.map(({ point }) => point).reverse();
  output.result(
    { application: application.name, vault: vault.name, place: vault.place, points: sealed.map(describe) },
    sealed.length > 0
      ? table(
          ['POINT', 'INSTANT', 'CONSISTENCY', 'SKEW s', 'FREEZE ms', 'ARTIFACTS', 'BESIDE THE LABEL', 'ASKED BY'],
          sealed.map(row),
        )
      : [`"${application.name}" has no sealed restore point here.`],
  );
}

const describe = (point: Sealed) => ({
  id: pointId(point),
  instant: point.instant,
  consistency: point.consistency,
  skewSeconds: point.skewSeconds,
  freezeMillis: freezeMillis(point),
  because: point.because,
  artifacts: point.artifacts.map(({ kind, resource, id, endurance, interval, restorableUntil }) => ({
    kind,
    resource,
    id,
    endurance,
    interval,
    restorableUntil,
  })),
  notes: point.notes,
  trigger: point.trigger,
  askedBy: point.askedBy,
  sealedAt: point.sealedAt,
});

const row = (point: Sealed) => [
  pointId(point),
  point.instant.replace('.000Z', 'Z'),
  point.consistency === 'application-consistent' ? good(point.consistency) : point.consistency,
  point.skewSeconds,
  freezeMillis(point),
  point.artifacts.length,
  besideLabel(point).map(besideWords).join(', '),
  faint(point.trigger),
];

/** How long writers were held, as the capturing function saw it. */
export const freezeMillis = ({ cut: { freeze } }: Sealed): number =>
  freeze?.released ? Date.parse(freeze.released.to) - Date.parse(freeze.asked.from) : 0;
