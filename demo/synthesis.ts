import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, DefaultStackSynthesizer, Stack } from 'aws-cdk-lib';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Place, Vault } from '../functions/domain.ts';
import { workflows } from '../functions/workflows/index.ts';
import { stores } from '../infra/buckets.ts';
import type { Bundle } from '../infra/bundle.ts';
import { serviceRoles } from '../infra/service-roles.ts';
import { stacksFor } from '../infra/stacks.ts';
import type { Synthesised } from './templates.ts';
import { zipOf } from './zip.ts';

/** A cloud assembly, for places that were not bootstrapped but have a bucket for assets. */
const newApp = (outdir: string): App =>
  new App({
    outdir,
    analyticsReporting: false,
    defaultStackSynthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
  });

/** Every stack of a configuration, in this process and without the rules of cdk-nag, which the CLI's synthesis holds. */
export async function synthesise(
  configuration: Configuration,
  outdir: string,
  bundles?: ReadonlyMap<string, Bundle>,
): Promise<readonly Synthesised[]> {
  const app = newApp(outdir);
  await stacksFor(app, configuration, bundles);
  return stacksIn(app);
}

/** A place without its functions: stores, keys, and the roles of AWS's own services there, which push copies to the vaults. */
export async function synthesiseStores(
  place: Place,
  { lock, homes, vaults }: { lock: Vault['lock']; homes: readonly Place[]; vaults: readonly Place[] },
  outdir: string,
): Promise<readonly Synthesised[]> {
  const app = newApp(outdir);
  const stack = new Stack(app, 'stores', { stackName: 'stillpoint-stores', env: place });
  stores(stack, place, { lock, staging: false, homes, vaults });
  await serviceRoles(stack, workflows, { here: place, homes: [place], hooks: [] }, vaults);
  return stacksIn(app);
}

interface Manifest {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path: string; readonly packaging: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

function stacksIn(app: App): readonly Synthesised[] {
  const assembly = app.synth();
  return assembly.stacks.map(({ id, stackName, environment, template }) => {
    const { files } = JSON.parse(readFileSync(join(assembly.directory, `${id}.assets.json`), 'utf8')) as Manifest;
    const assets = Object.values(files)
      .filter(({ source }) => source.packaging === 'zip')
      .flatMap(({ source, destinations }) =>
        Object.values(destinations).map(({ objectKey }) => zipped(objectKey, assembly.directory, source.path)),
      );
    const { account, region } = environment;
    return { place: { account, region }, name: stackName, template: JSON.stringify(template), assets };
  });
}

/** A folder of code as the archive that is published, beside the assembly. Two stacks that name the same share it. */
function zipped(key: string, assembly: string, folder: string): Synthesised['assets'][number] {
  const file = join(assembly, key);
  if (!existsSync(file)) writeFileSync(file, zipOf(join(assembly, folder)));
  return { key, file };
}
