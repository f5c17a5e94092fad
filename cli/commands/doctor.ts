import type { Configuration } from '../../functions/configuration/schema.ts';
import { type Application, type Place, samePlace, type Vault } from '../../functions/domain.ts';
import { loadKinds } from '../../functions/kinds/index.ts';
import { type ApplicationSubject, examine, type Finding, type Level, type PlaceSubject, type Scope } from '../doctor/check.ts';
import { applicationChecks, placeChecks } from '../doctor/checks.ts';
import { machineOf, workflowsAt } from '../doctor/deployed.ts';
import { bad, doubtful, good, type Output, table } from '../output.ts';
import { applicationIn, at, configurationFrom, findTarget, type Target, vaultsFor } from '../target.ts';

/** Looks at a deployment, and at what it protects, and changes nothing. False where there is a problem. */
export async function doctor(name: string | undefined, { config }: { config: string }, output: Output): Promise<boolean> {
  const configuration = await configurationFrom(config);
  const applications = name === undefined ? Object.values(configuration.applications) : [applicationIn(configuration, name)];
  const target = await findTarget(configuration, output);
  const subjects = applications.map((application) => subjectOf(target, configuration, application));
  const findings = [...(await ofPlaces(target, placesOf(configuration, subjects))), ...(await ofApplications(target, subjects))];
  const count = (level: Level) => findings.filter((one) => one.level === level).length;
  const problems = count('problem');
  output.result({ problems, warnings: count('warning'), findings }, [
    ...table(['', 'CHECK', 'WHERE', 'WHAT'], findings.map(row)),
    '',
    `${problems === 0 ? good('No problem') : bad(counted(problems, 'problem'))}, ${counted(count('warning'), 'warning')}, ${count('ok')} ok.`,
  ]);
  return problems === 0;
}

function subjectOf(target: Target, configuration: Configuration, application: Application): ApplicationSubject {
  let scope: Promise<Scope> | undefined;
  return {
    configuration,
    application,
    policies: Object.values(configuration.policies).filter(({ applications }) => applications.includes(application.name)),
    vaults: vaultsFor(configuration, application),
    scope: () => (scope ??= scopeOf(target, application)),
  };
}

/** Asks every kind what the application's scope holds, as `protect` does. */
async function scopeOf(target: Target, application: Application): Promise<Scope> {
  const kinds = await loadKinds();
  const found = await Promise.all(kinds.map((kind) => at(target, application.home)(kind.discover)(application)));
  return { kinds, found };
}

/** The homes and vaults of the applications that are looked at. */
function placesOf({ vaults, ...configuration }: Configuration, subjects: readonly ApplicationSubject[]): PlaceSubject[] {
  const places: Place[] = [];
  for (const { place } of subjects.flatMap((subject) => subject.vaults))
    if (!places.some((other) => samePlace(other, place))) places.push(place);
  return places.map((place) => {
    const vault = Object.values(vaults).find((one) => samePlace(one.place, place));
    const residents = subjects.filter(({ application }) => samePlace(application.home, place));
    const guests = subjects.filter((one) => vault && one.vaults.some(({ name }: Vault) => name === vault.name));
    return {
      configuration: { ...configuration, vaults },
      place,
      home: residents.length > 0,
      ...(vault ? { vault } : {}),
      residents,
      guests,
    };
  });
}

async function ofPlaces(target: Target, places: readonly PlaceSubject[]): Promise<Finding[]> {
  const all = places.map(async (subject) => {
    const checks = (await isDeployed(target, subject)) ? placeChecks : placeChecks.filter(({ ofDeployment }) => !ofDeployment);
    return Promise.all(checks.map((check) => examine(target, check, subject, subject.place.region)));
  });
  return (await Promise.all(all)).flat(2);
}

async function ofApplications(target: Target, subjects: readonly ApplicationSubject[]): Promise<Finding[]> {
  const all = subjects.map(async (subject) => {
    const { name, home } = subject.application;
    const there = await isDeployed(target, { place: home, home: true });
    const checks = there ? applicationChecks : applicationChecks.filter(({ ofDeployment }) => !ofDeployment);
    return Promise.all(checks.map((check) => examine(target, check, subject, name)));
  });
  return (await Promise.all(all)).flat(2);
}

/** Whether any workflow is there; where that cannot be seen, the checks say why. */
async function isDeployed(target: Target, subject: Pick<PlaceSubject, 'place' | 'home' | 'vault'>): Promise<boolean> {
  const machines = workflowsAt(subject).map(({ name }) => at(target, subject.place)(machineOf)(name));
  const found = await Promise.allSettled(machines);
  return found.some((one) => one.status === 'rejected' || one.value !== undefined);
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const LABEL: Readonly<Record<Level, string>> = { ok: good('ok'), warning: doubtful('warning'), problem: bad('problem') };

const row = ({ level, check, where, what, fix }: Finding): string[] => [
  LABEL[level],
  check,
  where,
  fix === undefined ? what : `${what.replace(/\.$/, '')}: ${fix}.`,
];
