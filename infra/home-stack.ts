import type { App, Stack } from 'aws-cdk-lib';
import { workflows, workflowsIn } from '../functions/workflows/index.ts';
import type { Deployment } from './deployment.ts';
import { placeStack } from './place-stack.ts';
import { announces, protects, pulls } from './triggers.ts';

/** Where applications live. Home is a vault too, unlocked and nearest; where it also keeps other homes' copies, it is one stack all the same. */
export async function homeStack(app: App, deployment: Deployment): Promise<Stack> {
  const { stack, dead } = await placeStack(app, 'home', deployment.vault ? workflows : workflowsIn('home'), deployment);
  protects(stack, deployment, dead);
  announces(stack, deployment, dead);
  if (deployment.guests.length > 0) pulls(stack, deployment, dead);
  return stack;
}
