import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { workflows } from '../../functions/workflows/index.ts';
import { bundlesOf, CODE } from '../../infra/bundle.ts';

export interface Load {
  readonly step: string;
  /** Of all JavaScript in the bundle. */
  readonly kilobytes: number;
  /** Of what is loaded before the first event. */
  readonly loadedFirst: number;
  /** What loading it takes beyond starting Node: the median of three processes. */
  readonly millis: number;
}

const TIMES = 3;
const TIMER =
  'const began = performance.now(); await import(process.argv[1]); console.log(performance.now() - began); process.exit(0);';

/** Each step's bundle, between a handler that does nothing and one that imports every client. */
export async function bundleLoads(): Promise<Load[]> {
  const bundles = await bundlesOf(workflows, { configuration: { applications: {}, policies: {}, vaults: {} }, code: CODE });
  const folder = mkdtempSync(join(tmpdir(), 'stillpoint-bench-'));
  const empty = join(folder, 'empty.mjs');
  writeFileSync(empty, 'export const handler = async () => {};\n');
  const all = await everyClient(folder);
  return [
    measured('(empty handler)', empty, statSync(empty).size, statSync(empty).size),
    ...[...bundles.values()].map(({ step, folder, bytes, eagerBytes }) =>
      measured(step, join(folder, 'index.mjs'), bytes, eagerBytes),
    ),
    measured('(every client)', all, statSync(all).size, statSync(all).size),
  ];
}

function measured(step: string, file: string, bytes: number, eagerBytes: number): Load {
  const times = Array.from({ length: TIMES }, () =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', TIMER, file], { encoding: 'utf8' })),
  ).sort((a, b) => a - b);
  return { step, kilobytes: Math.round(bytes / 1000), loadedFirst: Math.round(eagerBytes / 1000), millis: Math.round(times[1]!) };
}

/** What a handler would load that imports all clients of this project at its top. */
async function everyClient(folder: string): Promise<string> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const clients = Object.keys(dependencies).filter((name) => name.startsWith('@aws-sdk/client-'));
  const imports = clients.map((name, i) => `import * as client${i} from '${name}';`);
  const outfile = join(folder, 'all.mjs');
  await build({
    stdin: {
      contents: `${imports.join('\n')}\nexport const handler = () => [${clients.map((_, i) => `client${i}`).join()}];`,
      resolveDir: root,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    minify: true,
    keepNames: true,
    logLevel: 'error',
  });
  return outfile;
}
