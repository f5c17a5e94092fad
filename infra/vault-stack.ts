import type { App, Stack } from 'aws-cdk-lib';
import { workflowsIn } from '../functions/workflows/index.ts';
import type { Deployment } from './deployment.ts';
import { placeStack } from './place-stack.ts';
import { pulls } from './triggers.ts';

/** Where copies are kept. It pulls what homes announce, restores without them, and rings when they fall silent. */
export async function vaultStack(app: App, deployment: Deployment): Promise<Stack> {
  const { stack, dead } = await placeStack(app, 'vault', workflowsIn('vault'), deployment);
  if (deployment.guests.length > 0) pulls(stack, deployment, dead);
  return stack;
}
