import { createInterface } from 'node:readline/promises';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { calls } from '../functions/aws/call.ts';
import { systemClock } from '../functions/aws/clock.ts';
import { unanswered } from '../functions/aws/errors.ts';
import { OtherAccount, sdkTransport } from '../functions/aws/sdk-transport.ts';
import type { Transport } from '../functions/aws/transport.ts';
import { open, type Verb, verb } from '../functions/aws/verb.ts';
import { InvalidConfiguration, readConfiguration } from '../functions/configuration/read.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Application, Place, Vault } from '../functions/domain.ts';
import { kinds } from '../functions/kinds/index.ts';
import { homeVault } from '../functions/workflows/lambda.ts';
import { Complaint, EXIT, type Output } from './output.ts';

/** What the command talks to, as the standard environment says: an endpoint, a profile, a region. */
export interface Target {
  /** What its first line says. */
  readonly name: string;
  /** The local AWS, where nothing is real. */
  readonly simulated: boolean;
  /** Whose keys these are, and the region that said so. */
  readonly place: Place;
  readonly transport: Transport;
  /** The target's own time, in milliseconds: the local AWS has another than the machine. */
  now(): Promise<number>;
}

const { read } = calls('sts', STSClient);
const whoAmI = verb({ identity: read(GetCallerIdentityCommand) }, (aws) => aws.identity({}));

/** Finds out what the command talks to, and says so. Asks every region that is configured, for in a bad hour the first one may be gone. */
export const findTarget = (configuration: Configuration, output: Output): Promise<Target> =>
  targetIn(regionsOf(configuration), output);

/** The same of the environment's own region, and of these. */
export async function targetIn(others: readonly string[], output: Output): Promise<Target> {
  const endpoint = process.env['AWS_ENDPOINT_URL'];
  const own = process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  const transport = sdkTransport(endpoint ? { endpoint } : {});
  const state = endpoint ? await localState(endpoint) : undefined;
  const place = await identify(transport, [...new Set([...(own ? [own] : []), ...others])], endpoint);
  const name = state
    ? `local AWS (simulated) at ${endpoint}, account ${place.account}`
    : `${endpoint ? `${endpoint}, ` : 'AWS, '}account ${place.account}, region ${place.region}`;
  output.say(`Target: ${name}`);
  const now = async () => (state ? ((await localState(endpoint as string))?.now ?? Date.now()) : Date.now());
  return { name, simulated: state !== undefined, place, transport: state ? inItsTime(transport, endpoint, now) : transport, now };
}

/** Tokens for clusters are good for a quarter of an hour of the local AWS's own time. */
const inItsTime = (transport: Transport, endpoint: string | undefined, now: () => Promise<number>): Transport => ({
  ...transport,
  async clusterToken(cluster, place) {
    const then = await now();
    return sdkTransport({ ...(endpoint ? { endpoint } : {}), clock: { ...systemClock, now: () => then } }).clusterToken(
      cluster,
      place,
    );
  },
});

const regionsOf = ({ applications, vaults }: Configuration): string[] => [
  ...Object.values(applications).map(({ home }) => home.region),
  ...Object.values(vaults).map(({ place }) => place.region),
];

/** Whose keys these are, as the first region says that answers. */
async function identify(transport: Transport, regions: readonly string[], endpoint: string | undefined): Promise<Place> {
  let trouble = new Error('no region is configured');
  for (const region of regions) {
    const place = { account: '', region };
    try {
      const { Account } = await open(whoAmI, transport, systemClock, { here: place, home: place })(undefined as never);
      return { account: Account as string, region };
    } catch (error) {
      trouble = error as Error;
      if (!unanswered(error)) break;
    }
  }
  throw new Complaint(
    endpoint && unanswered(trouble)
      ? `Nothing answers at ${endpoint} (AWS_ENDPOINT_URL): ${trouble.message}. Start it with \`npx stillpoint local\`, or unset the variable to talk to AWS.`
      : `AWS does not say who you are (${trouble.name}: ${trouble.message}). Set AWS_PROFILE or keys; for the local AWS also AWS_ENDPOINT_URL.`,
  );
}

async function localState(endpoint: string): Promise<{ now: number } | undefined> {
  try {
    const answer = await fetch(new URL('/_stillpoint', endpoint));
    const { time } = (await answer.json()) as { time?: string };
    return time ? { now: Date.parse(time) } : undefined;
  } catch {
    return undefined;
  }
}

/** Asks before anything is written to a real account. */
export async function mayWrite(target: Target, what: string, yes: boolean | undefined): Promise<void> {
  if (target.simulated || yes) return;
  if (!process.stdin.isTTY)
    throw new Complaint(`This would ${what} in ${target.name}. Say --yes to do it without being asked.`, EXIT.usage);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`This will ${what} in ${target.name}. Go on? [y/N] `);
  terminal.close();
  if (!/^y(es)?$/i.test(answer.trim())) throw new Complaint('Nothing was done.');
}

export async function configurationFrom(path: string): Promise<Configuration> {
  try {
    return await readConfiguration(path, { kinds: Object.keys(kinds) });
  } catch (error) {
    if (error instanceof InvalidConfiguration) throw new Complaint(error.message, EXIT.usage);
    throw error;
  }
}

/** The application that is named, or the only one. */
export function applicationIn({ applications }: Configuration, name: string | undefined): Application {
  const names = Object.keys(applications);
  if (name === undefined && names.length === 1) return applications[names[0] as string] as Application;
  const found = name === undefined ? undefined : applications[name];
  if (!found) {
    throw new Complaint(
      name === undefined
        ? `Say which application: ${names.join(', ')}.`
        : `There is no application "${name}" in the configuration; it has ${names.join(', ')}.`,
      EXIT.usage,
    );
  }
  return found;
}

/** Home first, then the vaults that any policy of the application keeps copies in. */
export function vaultsFor({ policies, vaults }: Configuration, application: Application): Vault[] {
  const names = new Set(
    Object.values(policies).flatMap((policy) => (policy.applications.includes(application.name) ? policy.vaults : [])),
  );
  return [homeVault(application), ...Object.values(vaults).filter(({ name }) => names.has(name))];
}

export function vaultNamed(configuration: Configuration, application: Application, name: string): Vault {
  const all = vaultsFor(configuration, application);
  const found = all.find((vault) => vault.name === name);
  if (!found)
    throw new Complaint(
      `"${application.name}" has no vault "${name}"; it has ${all.map((vault) => vault.name).join(', ')}.`,
      EXIT.usage,
    );
  return found;
}

/** Opens a verb at a place. */
export const at =
  ({ transport }: Pick<Target, 'transport'>, here: Place, home: Place = here) =>
  <In, Out>(of: Verb<any, In, Out>): ((input: In) => Promise<Out>) =>
    open(of, transport, systemClock, { here, home });

/** What it means that a ledger cannot be read. */
export function whyNot(error: unknown, { place }: Vault): string {
  const { name, message } = error as Error;
  if (error instanceof OtherAccount) return `seen with keys of account ${place.account} alone`;
  if (unanswered(error)) return `${place.region} does not answer`;
  if (name === 'NoSuchBucket') return `not deployed in ${place.account}/${place.region}: run \`cdk deploy\``;
  return `${name}: ${message}`;
}

/** The first vault whose ledger can be read, with what `use` makes of it; says which ones could not. */
export async function firstReachable<T>(
  vaults: readonly Vault[],
  output: Output,
  use: (vault: Vault) => Promise<T>,
): Promise<{ vault: Vault; found: T }> {
  const troubles: string[] = [];
  for (const vault of vaults) {
    try {
      return { vault, found: await use(vault) };
    } catch (error) {
      troubles.push(`${vault.name}: ${whyNot(error, vault)}`);
      output.say(`The ledger of "${vault.name}" cannot be read (${whyNot(error, vault)}).`);
    }
  }
  throw new Complaint(`No ledger can be read: ${troubles.join('; ')}.`);
}
