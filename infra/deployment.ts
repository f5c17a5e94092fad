import type { Configuration } from '../functions/configuration/schema.ts';
import type { Application, Network, Place, Policy, Vault } from '../functions/domain.ts';
import { samePlace } from '../functions/domain.ts';
import type { Bundle } from './bundle.ts';
import { type Around, unique } from './scope.ts';

/**
 * AWS Health tells of trouble in a region there, and once more in us-west-2, since there it may not be heard (AWS Health guide, "Monitoring
 * events with EventBridge", backup region). From both it is passed on to the vaults, which answer as the policies say.
 */
export const BACKUP_REGION = 'us-west-2';

/** A home whose trouble is passed on from a place, and the vaults that hear of it. */
export interface Relayed {
  readonly region: string;
  readonly vaults: readonly Place[];
}

/** What is deployed to one place, and what it is to the applications: home to some, a vault to others. */
export interface Deployment {
  readonly configuration: Configuration;
  readonly bundles: ReadonlyMap<string, Bundle>;
  readonly around: Around;
  /** The applications that live here. */
  readonly residents: readonly Application[];
  /** The applications whose copies are kept here. */
  readonly guests: readonly Application[];
  /** The vault that is here, if the configuration has one. */
  readonly vault?: Vault;
  /** The vaults that keep copies of what lives here. */
  readonly vaults: readonly Vault[];
  /** The homes whose trouble is passed on from here to their vaults. */
  readonly relayed: readonly Relayed[];
  /** The clusters here that are protected, or restored into. */
  readonly clusters: readonly string[];
  /** Where functions run that talk to those clusters, if their endpoints are private. */
  readonly network?: Network;
}

/** One deployment for each place that the configuration names. */
export function deploymentsOf(configuration: Configuration, bundles: Deployment['bundles']): Deployment[] {
  const applications = Object.values(configuration.applications);
  const vaults = Object.values(configuration.vaults);
  const homes = unique(applications.map(({ home }) => home));
  const relaysTo = (home: Place): Place[] =>
    vaults
      .filter(({ name }) =>
        applications.some(
          (one) =>
            samePlace(one.home, home) &&
            policiesOf(configuration, one.name).some((policy) => policy.onRegionLoss && policy.vaults.includes(name)),
        ),
      )
      .map(({ place }) => place);
  const relayed = homes
    .map((home) => ({ home, region: home.region, vaults: relaysTo(home) }))
    .filter(({ vaults }) => vaults.length > 0);
  const backups = relayed.map(({ home: { account } }) => ({ account, region: BACKUP_REGION }));
  return unique([...homes, ...vaults.map(({ place }) => place), ...backups]).map((here) => {
    const residents = applications.filter(({ home }) => samePlace(home, here));
    const vault = vaults.find(({ place }) => samePlace(place, here));
    const guests = vault ? applications.filter(({ name }) => keptIn(configuration, name).includes(vault.name)) : [];
    const names = new Set(residents.flatMap(({ name }) => keptIn(configuration, name)));
    const present = [...residents, ...guests];
    const network = [...residents, vault].find((one) => one?.network)?.network; // the configuration has one for each place
    return {
      configuration,
      bundles,
      residents,
      guests,
      ...(vault ? { vault } : {}),
      vaults: vaults.filter(({ name }) => names.has(name)),
      ...(network ? { network } : {}),
      relayed: relayed.filter(({ home }) => home.account === here.account && [home.region, BACKUP_REGION].includes(here.region)),
      clusters: [
        ...new Set([...residents.map(({ cluster }) => cluster), vault?.target.cluster].filter((name) => name !== undefined)),
      ],
      around: {
        here,
        homes: unique(present.map(({ home }) => home)),
        hooks: [...new Set(present.flatMap(({ freeze }) => (freeze ? [freeze.function] : [])))],
        locked: vault?.lock !== undefined,
      },
    };
  });
}

/** The policies that protect an application. */
export const policiesOf = ({ policies }: Configuration, application: string): Policy[] =>
  Object.values(policies).filter(({ applications }) => applications.includes(application));

const keptIn = (configuration: Configuration, application: string): string[] =>
  policiesOf(configuration, application).flatMap(({ vaults }) => vaults);

export const stackName = ({ region }: Place, role: 'home' | 'vault' | 'relay'): string => `stillpoint-${role}-${region}`;
