import type { Transport } from '../functions/aws/transport.ts';
import { askedByPath, eventName, patternOf } from '../functions/configuration/events.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import { type Application, type Place, type Policy, samePlace, type Vault } from '../functions/domain.ts';
import { kinds } from '../functions/kinds/index.ts';
import {
  BACKUP_VAULT,
  DATA_KEY,
  dataBucket,
  EVENT_SOURCE,
  functionName,
  ledgerBucket,
  machineArn,
  machineName,
  SEALED_EVENT,
  SIGNING_KEY,
  stagingBucket,
  triggerName,
} from '../functions/vault/layout.ts';
import { ledgerPolicy } from '../functions/vault/policy.ts';
import { definitionOf, type Workflow } from '../functions/workflows/asl.ts';
import { workflowsIn } from '../functions/workflows/index.ts';
import { handlerOf } from '../functions/workflows/lambda.ts';
import type { Request } from '../functions/workflows/step.ts';
import type { LambdaState } from '../local/services/lambda/state.ts';
import type { World } from '../local/world/world.ts';

/** How Stillpoint is put into a world of the local AWS. */
export interface InstallOptions {
  readonly configuration: Configuration;
  /** How the function of a step at a place reaches AWS. */
  readonly transport: (place: Place, step: string) => Transport;
  readonly log?: (line: object) => void;
  /** Told of every call that a step makes, and for which execution. */
  readonly count?: (owner: string) => void;
  /** Without them nothing happens by itself: tests start executions when they choose. */
  readonly schedules?: boolean;
  /** How far a step's function's clock is from the world's, by step name. */
  readonly clockOffsets?: Readonly<Record<string, number>>;
}

/** The version that is written into records. */
export const CODE = '0.1.0';

/** Deploys everything that the configuration asks for, by AWS calls; the functions run in this process. */
export async function install(world: World, options: InstallOptions): Promise<void> {
  const { configuration } = options;
  await Promise.all(Object.values(kinds).map((load) => load())); // loading takes real time, which must not pass in the middle of a run
  const applications = Object.values(configuration.applications);
  const homes = unique(applications.map(({ home }) => home));
  const vaults = Object.values(configuration.vaults);
  for (const home of homes) {
    await makeStores(world, home, undefined);
    await makeBucket(world, home, stagingBucket(home));
    await deploy(world, home, workflowsIn('home'), options);
    await announceTo(world, home, vaultsOf(home, options.configuration));
  }
  for (const vault of vaults) {
    await makeStores(world, vault.place, vault.lock);
    await deploy(world, vault.place, workflowsIn('vault'), options);
    await replicateOn(world, vault.place);
  }
  if (options.schedules !== false) await schedule(world, configuration);
}

const unique = (places: readonly Place[]): Place[] =>
  places.filter((place, i) => places.findIndex((other) => samePlace(place, other)) === i);
const call = (world: World, place: Place, service: string, operation: string, input: object) =>
  world.call({ place, service, operation, input });

/** A vault's three stores and two keys (DESIGN §3.2): the ledger accepts conditional writes only and no deletes. */
export async function makeStores(world: World, place: Place, lock: Vault['lock']): Promise<void> {
  const ledger = ledgerBucket(place);
  await makeBucket(world, place, ledger, true);
  await call(world, place, 's3', 'PutBucketPolicy', { Bucket: ledger, Policy: JSON.stringify(ledgerPolicy(ledger)) });
  await makeKey(world, place, DATA_KEY, {});
  await makeBucket(world, place, dataBucket(place), lock !== undefined);
  await call(world, place, 's3', 'PutBucketEncryption', {
    Bucket: dataBucket(place),
    ServerSideEncryptionConfiguration: {
      Rules: [
        { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: DATA_KEY }, BucketKeyEnabled: true },
      ],
    },
  });
  await makeBackupVault(world, place, lock);
  await makeKey(world, place, SIGNING_KEY, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
}

async function makeBucket(world: World, place: Place, Bucket: string, locked = false): Promise<void> {
  const configuration = place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region } };
  await call(world, place, 's3', 'CreateBucket', { Bucket, ObjectLockEnabledForBucket: locked, ...configuration });
  if (!locked) await call(world, place, 's3', 'PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Enabled' } });
}

/** A compliance lock can be taken back for three days, the least that AWS Backup gives (AWS Backup API, PutBackupVaultLockConfiguration). */
async function makeBackupVault(world: World, place: Place, lock: Vault['lock']): Promise<void> {
  const vault = { BackupVaultName: BACKUP_VAULT };
  await call(world, place, 'backup', 'CreateBackupVault', { ...vault, EncryptionKeyArn: DATA_KEY });
  if (!lock) return;
  const unchangeable = lock.mode === 'compliance' ? { ChangeableForDays: 3 } : {};
  await call(world, place, 'backup', 'PutBackupVaultLockConfiguration', {
    ...vault,
    MinRetentionDays: lock.days,
    ...unchangeable,
  });
}

async function makeKey(world: World, place: Place, AliasName: string, spec: object): Promise<void> {
  const { KeyMetadata } = await call(world, place, 'kms', 'CreateKey', { Description: `Stillpoint ${AliasName}`, ...spec });
  await call(world, place, 'kms', 'CreateAlias', { AliasName, TargetKeyId: KeyMetadata.KeyId });
}

async function deploy(
  world: World,
  place: Place,
  workflows: readonly Workflow[],
  { configuration, transport, log, count, clockOffsets }: InstallOptions,
): Promise<void> {
  const lambda = world.state<LambdaState>('lambda', place);
  const environment = { place, configuration, code: CODE, ...(log ? { log } : {}) };
  for (const workflow of workflows) {
    for (const step of workflow.steps) {
      lambda.register({
        name: functionName(step.name),
        timeoutSeconds: step.limits.seconds,
        memoryMb: step.limits.memoryMb,
        clockOffsetMillis: clockOffsets?.[step.name] ?? 0,
        handler: (event: Request, context) =>
          handlerOf(step, { ...environment, transport: counted(transport(place, step.name), () => count?.(event.owner)) })(
            event,
            context,
          ),
      });
    }
    await call(world, place, 'states', 'CreateStateMachine', {
      name: machineName(workflow.name),
      definition: JSON.stringify(definitionOf(workflow)),
      roleArn: `arn:aws:iam::${place.account}:role/${machineName(workflow.name)}`,
    });
  }
}

const counted = (transport: Transport, count: () => void): Transport => ({
  ...transport,
  send: (request) => {
    count();
    return transport.send(request);
  },
  fetch: (request) => {
    count();
    return transport.fetch(request);
  },
});

const vaultsOf = (home: Place, { applications, policies, vaults }: Configuration): Vault[] => {
  const here = new Set(
    Object.values(applications)
      .filter((application) => samePlace(application.home, home))
      .map(({ name }) => name),
  );
  const names = new Set(
    Object.values(policies).flatMap((policy) => (policy.applications.some((name) => here.has(name)) ? policy.vaults : [])),
  );
  return Object.values(vaults).filter(({ name }) => names.has(name));
};

const bus = ({ account, region }: Place): string => `arn:aws:events:${region}:${account}:event-bus/default`;
const role = ({ account }: Place, name: string): string => `arn:aws:iam::${account}:role/stillpoint-${name}`;
const SEALED = JSON.stringify({ source: [EVENT_SOURCE], 'detail-type': [SEALED_EVENT] });

/** What home announces reaches the vaults' buses; what does not is found by each vault's reconcile. */
async function announceTo(world: World, home: Place, vaults: readonly Vault[]): Promise<void> {
  if (vaults.length === 0) return;
  await call(world, home, 'events', 'PutRule', { Name: 'stillpoint-announce', EventPattern: SEALED });
  await call(world, home, 'events', 'PutTargets', {
    Rule: 'stillpoint-announce',
    Targets: vaults.map(({ name, place }) => ({ Id: name, Arn: bus(place), RoleArn: role(home, 'announce') })),
  });
}

async function replicateOn(world: World, place: Place): Promise<void> {
  await call(world, place, 'events', 'PutRule', { Name: 'stillpoint-replicate', EventPattern: SEALED });
  await call(world, place, 'events', 'PutTargets', {
    Rule: 'stillpoint-replicate',
    Targets: [{ Id: 'replicate', Arn: machineArn(place, 'replicate'), RoleArn: role(place, 'replicate'), InputPath: '$.detail' }],
  });
}

/** Schedules and events take points; every fifteen minutes each place puts itself in order. */
async function schedule(world: World, configuration: Configuration): Promise<void> {
  for (const policy of Object.values(configuration.policies)) {
    for (const name of policy.applications) {
      const application = configuration.applications[name] as Application;
      await scheduleProtect(world, application, policy);
      for (const [index, event] of policy.on.entries())
        await protectOn(world, application, policy, event, eventName(event, index));
    }
  }
  for (const application of Object.values(configuration.applications)) {
    const places = unique([application.home, ...vaultsOf(application.home, configuration).map(({ place }) => place)]);
    for (const place of places) await scheduleReconcile(world, application, place);
  }
}

const scheduleOf = (
  Name: string,
  ScheduleExpression: string,
  place: Place,
  workflow: string,
  input: object,
  timezone = 'UTC',
) => ({
  Name,
  ScheduleExpression,
  ScheduleExpressionTimezone: timezone,
  FlexibleTimeWindow: { Mode: 'OFF' },
  Target: { Arn: machineArn(place, workflow), RoleArn: role(place, 'schedule'), Input: JSON.stringify(input) },
});

async function scheduleProtect(world: World, { name, home }: Application, policy: Policy): Promise<void> {
  if (!policy.schedule) return;
  const input = { application: name, policy: policy.name, trigger: 'schedule', due: '<aws.scheduler.scheduled-time>' };
  await call(
    world,
    home,
    'scheduler',
    'CreateSchedule',
    scheduleOf(triggerName(policy.name, name), policy.schedule, home, 'protect', input, policy.timezone),
  );
}

const scheduleReconcile = (world: World, { name }: Application, place: Place) =>
  call(
    world,
    place,
    'scheduler',
    'CreateSchedule',
    scheduleOf(triggerName('reconcile', name), 'rate(15 minutes)', place, 'reconcile', { application: name }),
  );

async function protectOn(
  world: World,
  { name, home }: Application,
  policy: Policy,
  event: string,
  called: string,
): Promise<void> {
  const Rule = triggerName(policy.name, name, called);
  await call(world, home, 'events', 'PutRule', {
    Name: Rule,
    EventPattern: JSON.stringify(patternOf(event)),
  });
  const asked = { application: name, policy: policy.name, trigger: 'event', due: '<time>', asker: called, askedBy: '<id>' };
  await call(world, home, 'events', 'PutTargets', {
    Rule,
    Targets: [
      {
        Id: 'protect',
        Arn: machineArn(home, 'protect'),
        RoleArn: role(home, 'event'),
        InputTransformer: { InputPathsMap: { time: '$.time', id: askedByPath(event) }, InputTemplate: JSON.stringify(asked) },
      },
    ],
  });
}
