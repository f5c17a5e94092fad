import { type App, Stack } from 'aws-cdk-lib';
import type { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import type { Workflow } from '../functions/workflows/asl.ts';
import { stores } from './buckets.ts';
import { type Deployment, stackName } from './deployment.ts';
import { guestRoles } from './guest-roles.ts';
import { machine } from './machine.ts';
import { answersLoss, relays } from './region-loss.ts';
import { serviceRoles } from './service-roles.ts';
import { deadLetters, hears, reconciles } from './triggers.ts';
import { watch } from './watch.ts';

/** What home and vaults have alike: stores and keys, workflows with their functions, a place for what could not be delivered, alarms. */
export async function placeStack(
  app: App,
  role: 'home' | 'vault',
  workflows: readonly Workflow[],
  deployment: Deployment,
): Promise<{ stack: Stack; dead: CfnQueue }> {
  const { here } = deployment.around;
  const stack = new Stack(app, `${stackName(here, role)}-${here.account}`, {
    stackName: stackName(here, role),
    env: here,
    description: `Stillpoint: ${role === 'home' ? 'takes restore points of what runs here, and keeps the nearest' : 'keeps copies of restore points'}`,
    terminationProtection: true,
  });
  const vaults = deployment.vaults.map(({ place }) => place);
  const homes = deployment.guests.map(({ home }) => home);
  const key = stores(stack, here, { lock: deployment.vault?.lock, staging: role === 'home', homes, vaults });
  await serviceRoles(stack, workflows, deployment.around, vaults);
  await guestRoles(stack, here, vaults);
  hears(stack, deployment);
  const dead = deadLetters(stack, here);
  for (const workflow of workflows) await machine(stack, workflow, deployment);
  reconciles(stack, deployment, dead);
  const topic = watch(stack, workflows, deployment, dead, key);
  relays(stack, deployment, dead);
  answersLoss(stack, deployment, dead, topic.ref);
  return { stack, dead };
}
