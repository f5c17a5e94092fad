import { App, Validations } from 'aws-cdk-lib';
import { InvalidConfiguration, readConfiguration } from '../functions/configuration/read.ts';
import { kinds } from '../functions/kinds/index.ts';
import { acknowledge } from './acknowledgements.ts';
import { packsFor, stacksFor } from './stacks.ts';

/** What `cdk` runs: `cdk.json` names the configuration, and everything else follows from it. */
const app = new App();
const file = app.node.getContext('configuration') as string;
try {
  await stacksFor(app, await readConfiguration(file, { kinds: Object.keys(kinds) }));
  const packs = packsFor(app);
  acknowledge(app, packs);
  Validations.of(app).addPlugins(...packs);
  app.synth();
} catch (error) {
  if (!(error instanceof InvalidConfiguration)) throw error;
  for (const problem of error.problems) console.error(problem);
  process.exitCode = 1;
}
