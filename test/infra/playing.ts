import { KEY_ALIAS } from '../../demo/shop/region.ts';
import { uploadsArn } from '../../demo/shop/uploads.ts';
import { parseArn } from '../../functions/aws/arn.ts';
import { operationOf } from '../../functions/aws/call.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import { open } from '../../functions/aws/verb.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Application, Place, Policy, SlowMember } from '../../functions/domain.ts';
import { readRestore } from '../../functions/vault/restores.ts';
import type { Execution } from '../../local/services/states/execution.ts';
import { direct } from '../../local/world/direct.ts';
import type { World } from '../../local/world/world.ts';
import { HOME, type Stage, stage, WEST } from '../world.ts';
import { proved } from './proofs.ts';
import type { Template } from './synthesised.ts';
import { putRoles } from './under-roles.ts';

/** Workflows as they are deployed: every step under its role. Each answers the worlds' doings by what they allowed and denied. */
export type Templates = Readonly<Record<string, Template>>;

export interface Scenario {
  readonly policy?: Partial<Policy>;
  readonly application?: Partial<Application>;
  /** What the shop says of its uploads, which have no instant. */
  readonly uploads?: SlowMember;
  readonly schedules?: boolean;
  /** Where copies are kept, where that is not in the home's own account. */
  readonly vault?: Place;
  /** Besides its own, the shop has everything that the proofs of the kinds know to seed, set in every way that is brought back. */
  readonly furnished?: boolean;
  /** What is done to the world before anything is protected. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Has one step fail for good, which the workflow then has to clear up after. */
  readonly failing?: string;
  /** Steps of which the first invocation dies when it wants to note what it has begun. */
  readonly dying?: readonly string[];
  readonly play: (stand: Stage) => Promise<void>;
}

const failing = (transport: Transport): Transport => ({
  ...transport,
  send: async () => {
    throw Object.assign(new Error('This step is to fail.'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  },
});

/** Breaks the first note of progress, once. */
const dying = (transport: Transport, died: Set<string>, name: string): Transport => ({
  ...transport,
  send: async (request) => {
    const notes = operationOf(request.call) === 'PutObject' && /^progress\//.test((request.input as { Key?: string }).Key ?? '');
    if (!notes || died.has(name)) return transport.send(request);
    died.add(name);
    throw Object.assign(new Error('An internal error has occurred.'), {
      name: 'InternalError',
      $metadata: { httpStatusCode: 500 },
    });
  },
});

export async function played(name: string, scenario: Scenario, templates: Templates): Promise<World> {
  const { vault = WEST } = scenario;
  let uploads = '';
  const configuration = (of: Configuration): Configuration => ({
    ...of,
    applications: {
      shop: {
        ...of.applications['shop']!,
        ...scenario.application,
        get slow() {
          return scenario.uploads === undefined ? {} : { [uploads]: scenario.uploads };
        },
      },
    },
    policies: { hourly: { ...of.policies['hourly']!, ...scenario.policy } },
  });
  const died = new Set<string>();
  const stand = await stage({
    seed: `least-privilege/${name}`,
    shop: { cluster: true, standbyAccount: vault.account },
    vault,
    configuration,
    schedules: scenario.schedules ?? false,
    prepare: async (world) => {
      if (scenario.furnished) await furnish(world);
      await scenario.prepare?.(world);
      await putRoles(world, templates);
    },
    between: (transport, step, place) => {
      if (step === scenario.failing) return failing(transport);
      return scenario.dying?.includes(step) ? dying(transport, died, `${step} ${place.region}`) : transport;
    },
  });
  uploads = uploadsArn(HOME, stand.shop.names.uploads!);
  await scenario.play(stand);
  return stand.world;
}

/** Seeds what the proofs of kinds seed, as members of the shop. Kinds of applications are the shop's own cluster's. */
async function furnish(world: World): Promise<void> {
  const { clock, random } = world;
  const scene = { now: () => clock.now(), sleep: (ms: number) => clock.sleep(ms), random: (n: number) => random.hex(n) };
  for (const { name, kind, proof } of await proved()) {
    if (kind.layer === 'application') continue;
    const at = (here: Place) => ({ here, home: HOME });
    for (const place of [HOME, WEST])
      if (proof.prepare) await clock.settle(open(proof.prepare, direct(world), scene, at(place))(place));
    await clock.settle(open(proof.seed, direct(world), scene, at(HOME))({ name, tags: { app: 'shop' }, vault: WEST }));
  }
  const ofBucket = { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY_ALIAS };
  await call(world, HOME, 's3', 'PutBucketEncryption', {
    Bucket: 's3-bucket-media',
    ServerSideEncryptionConfiguration: { Rules: [{ ApplyServerSideEncryptionByDefault: ofBucket }] },
  });
}

/** What ended, and how: a scenario that does not go as it should proves nothing. */
export async function ended(stand: Stage, execution: Execution, status = 'SUCCEEDED'): Promise<void> {
  await stand.settle(execution.ended);
  if (execution.status !== status)
    throw new Error(`${execution.name} ${execution.status}: ${execution.error} ${execution.cause}`);
}

export const call = (on: Stage | World, place: Place, service: string, operation: string, input: object): Promise<any> => {
  const world = 'world' in on ? on.world : on;
  return world.clock.settle(world.call({ place, service, operation, input }));
};

export async function restored(stand: Stage, place: Place, name: string, more: object = {}): Promise<void> {
  const { execution } = await stand.restore(place, name, more);
  if (execution.status === 'SUCCEEDED') return;
  const { plan, report } = await stand.open(readRestore, place)({ application: 'shop', restore: name });
  const why = [execution.cause, ...plan.lacks, ...(report?.problems ?? [])];
  throw new Error(`${name} ${execution.status}: ${execution.error} ${why.join(' ')}`);
}

export const reconciled = async (stand: Stage, place: Place) =>
  ended(stand, stand.start(place, 'reconcile', { application: 'shop' }));

/** Long enough for what was given up to be swept away. */
export async function swept(stand: Stage, ...places: Place[]): Promise<void> {
  for (let days = 0; days < 3; days++) {
    await stand.advance(24 * 3600);
    for (const place of places) await reconciled(stand, place);
  }
}

const isRunning = ({ status }: Execution): boolean => status === 'RUNNING';

async function until<T>(stand: Stage, found: () => T[]): Promise<T[]> {
  for (let tries = 0; tries < 200 && found().length === 0; tries++) await stand.advance(2);
  return found();
}

export async function copyDied(stand: Stage, vault: Place): Promise<Execution> {
  await ended(stand, stand.startProtect());
  const [dying] = await until(stand, () => [...stand.states(vault).executions.values()].filter(isRunning));
  await died(stand, dying!, 3);
  return dying!;
}

/** What was lost on the way to a vault is found by the vault itself. */
export async function fetched(stand: Stage, vault: Place): Promise<void> {
  await call(stand, HOME, 'events', 'DisableRule', { Name: 'stillpoint-announce' });
  await ended(stand, stand.startProtect());
  await reconciled(stand, vault);
  await stand.replicated(vault);
}

/** A copy that died is abandoned by whoever asks for it the next time, and made anew. */
export async function copiedAgain(stand: Stage, vault: Place): Promise<void> {
  const { input } = await copyDied(stand, vault);
  await stand.advance(48 * 3600);
  await ended(stand, stand.start(vault, 'replicate', JSON.parse(input)));
}

/** An execution that stops in the middle, as when nobody lets it go on. */
export async function died(stand: Stage, execution: Execution, afterSeconds: number): Promise<void> {
  await stand.advance(afterSeconds);
  const place = parseArn(execution.arn);
  await call(stand, place, 'states', 'StopExecution', { executionArn: execution.arn });
}
