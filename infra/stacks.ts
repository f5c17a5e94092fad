import type { App, Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks, type NagPack, NIST80053R5Checks, ServerlessChecks } from 'cdk-nag';
import type { Configuration } from '../functions/configuration/schema.ts';
import { workflows } from '../functions/workflows/index.ts';
import { type Bundle, bundlesOf, CODE } from './bundle.ts';
import { type Deployment, deploymentsOf } from './deployment.ts';
import { homeStack } from './home-stack.ts';
import { relayStack } from './region-loss.ts';
import { vaultStack } from './vault-stack.ts';

/** Every stack that a configuration asks for: one for each place that it names. */
export async function stacksFor(app: App, configuration: Configuration, bundles?: ReadonlyMap<string, Bundle>): Promise<Stack[]> {
  const made = bundles ?? (await bundlesOf(workflows, { configuration, code: CODE }));
  const stacks: Stack[] = [];
  for (const deployment of deploymentsOf(configuration, made)) {
    stacks.push(await stackFor(deployment)(app, deployment));
  }
  return stacks;
}

const stackFor = ({ residents, vault }: Deployment) => {
  if (residents.length > 0) return homeStack;
  return vault ? vaultStack : relayStack;
};

/** The rules of others that every template is held to. */
export const packsFor = (app: App): NagPack[] => [
  new AwsSolutionsChecks(app),
  new NIST80053R5Checks(app),
  new ServerlessChecks(app),
];
