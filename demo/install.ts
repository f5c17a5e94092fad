import { readFileSync } from 'node:fs';
import { parseArn } from '../functions/aws/arn.ts';
import type { Transport } from '../functions/aws/transport.ts';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Place, Vault } from '../functions/domain.ts';
import { kinds } from '../functions/kinds/index.ts';
import { functionName, machineArn, roleName } from '../functions/vault/layout.ts';
import { reaching } from '../functions/workflows/deployed.ts';
import { workflows } from '../functions/workflows/index.ts';
import { handlerOf } from '../functions/workflows/lambda.ts';
import type { LambdaState } from '../local/services/lambda/state.ts';
import type { Caller, World } from '../local/world/world.ts';
import { assetBucket, bundledTemplatesFor, type Known, type Synthesised, storesFor, templatesFor } from './templates.ts';

/** How Stillpoint is put into a world of the local AWS. */
export interface InstallOptions {
  readonly configuration: Configuration;
  /** How the function of a step at a place reaches AWS, as its role. Without it every step's bundle runs in Lambda, which needs a served world. */
  readonly transport?: ((place: Place, step: string, role: Caller) => Transport) | undefined;
  readonly log?: (line: object) => void;
  /** Without them nothing happens by itself: tests start executions when they choose. */
  readonly schedules?: boolean;
  /** How far a step's function's clock is from the world's, by step name. */
  readonly clockOffsets?: Readonly<Record<string, number>>;
}

/** The version that is written into records. */
export const CODE = '0.1.0';

/** Deploys the templates that the configuration is synthesised to, by CloudFormation. */
export async function install(world: World, options: InstallOptions): Promise<void> {
  const { configuration, transport, schedules = true } = options;
  const stacks = await world.clock.busy(() => (transport ? templatesFor : bundledTemplatesFor)(configuration));
  await Promise.all(stacks.map((stack) => deploy(world, schedules ? stack : withoutTriggers(stack))));
  if (!transport) return;
  await world.clock.busy(() => Promise.all(Object.values(kinds).map((load) => load()))); // loading must not pass in the middle of a run
  for (const { place } of stacks) standIn(world, place, { ...options, transport });
}

/** A place's stores and keys alone, and the roles that AWS's services have there, as its stack makes them; copies are pushed to the vaults. */
export async function makeStores(world: World, place: Place, lock: Vault['lock'], known: Partial<Known> = {}): Promise<void> {
  const stacks = await world.clock.busy(() => storesFor(place, lock, { homes: [], vaults: [], ...known }));
  for (const stack of stacks) await deploy(world, stack);
}

/** Publishes a stack's assets and deploys its template, as `cdk deploy` does. */
async function deploy(world: World, { place, name, template, assets }: Synthesised): Promise<void> {
  const call = (service: string, operation: string, input: object) => world.call({ place, service, operation, input });
  const Bucket = assetBucket(place);
  const where = place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region } };
  await call('s3', 'CreateBucket', { Bucket, ...where });
  for (const { key, file } of assets)
    await call('s3', 'PutObject', { Bucket, Key: key, Body: new Uint8Array(readFileSync(file)) });
  const Key = `${name}.json`;
  await call('s3', 'PutObject', { Bucket, Key, Body: new TextEncoder().encode(template) });
  const TemplateURL = `https://s3.${place.region}.amazonaws.com/${Bucket}/${Key}`;
  await call('cloudformation', 'CreateStack', { StackName: name, TemplateURL, Capabilities: ['CAPABILITY_NAMED_IAM'] });
  for (;;) {
    await world.clock.sleep(LOOK_MILLIS);
    const { Stacks } = await call('cloudformation', 'DescribeStacks', { StackName: name });
    const { StackStatus } = Stacks[0];
    if (StackStatus === 'CREATE_COMPLETE') return;
    if (!StackStatus.endsWith('IN_PROGRESS') || StackStatus.startsWith('ROLLBACK')) {
      const { StackEvents } = await call('cloudformation', 'DescribeStackEvents', { StackName: name });
      const failed = StackEvents.filter((event: { ResourceStatus: string }) => event.ResourceStatus === 'CREATE_FAILED');
      const why = failed.map(
        (event: Record<string, string>) => `${event['LogicalResourceId']}: ${event['ResourceStatusReason']}`,
      );
      throw new Error(`The stack ${name} in ${place.region} is ${StackStatus}. ${why.join(' ')}`);
    }
  }
}

const LOOK_MILLIS = 5_000;

interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly Targets?: readonly { readonly Arn: string }[] };
}

const quiet = new Map<string, string>();

/** The same stack without what would start by itself: no schedule, and no rule that takes points. */
function withoutTriggers(stack: Synthesised): Synthesised {
  const known = quiet.get(stack.template);
  if (known) return { ...stack, template: known };
  const { Resources, ...rest } = JSON.parse(stack.template) as { Resources: Record<string, Resource> };
  const protect = machineArn(stack.place, 'protect');
  const starts = ({ Type, Properties }: Resource): boolean =>
    Type === 'AWS::Scheduler::Schedule' ||
    (Type === 'AWS::Events::Rule' && Boolean(Properties?.Targets?.some(({ Arn }) => Arn === protect)));
  const kept = Object.fromEntries(Object.entries(Resources).filter(([, resource]) => !starts(resource)));
  const template = JSON.stringify({ ...rest, Resources: kept });
  quiet.set(stack.template, template);
  return { ...stack, template };
}

/** Has every deployed function of a place run in this process, under the role, time and memory that it was deployed with. */
function standIn(
  world: World,
  place: Place,
  { configuration, transport, log, clockOffsets }: InstallOptions & Required<Pick<InstallOptions, 'transport'>>,
): void {
  const lambda = world.state<LambdaState>('lambda', place);
  const environment = { place, configuration, code: CODE, ...(log ? { log } : {}) };
  for (const step of workflows.flatMap(({ steps }) => steps)) {
    const name = functionName(step.name);
    if (!lambda.peek(name)) continue; // not a step of this place
    const as = (arn: string) => transport(place, step.name, { account: parseArn(arn).account, arn });
    const reach = reaching(step.name, place, as(sessionArn(place, step.name)), ({ arn }) => as(arn), world.clock);
    lambda.register({
      name,
      timeoutSeconds: step.limits.seconds,
      memoryMb: step.limits.memoryMb,
      clockOffsetMillis: clockOffsets?.[step.name] ?? 0,
      handler: handlerOf(step, { ...environment, transport: reach }),
    });
  }
}

/** Who a function is to AWS: a session of its role that bears its name. */
const sessionArn = (place: Place, step: string): string =>
  `arn:aws:sts::${place.account}:assumed-role/${roleName(step, place)}/${functionName(step)}`;
