import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import type { Workflow } from '../functions/workflows/asl.ts';
import type { Beside } from '../functions/workflows/deployed.ts';
import type { AnyStep } from '../functions/workflows/step.ts';

/** A step's code as Lambda gets it: a folder with `index.mjs`, its chunks and the configuration. */
export interface Bundle {
  readonly step: string;
  readonly folder: string;
  /** Of all JavaScript in it, in bytes, without source maps. */
  readonly bytes: number;
  /** Of what is loaded before the first event, in bytes. */
  readonly eagerBytes: number;
}

/** The version of this code, written into every record. */
export const CODE: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SOURCES = at('../functions/');
const WORKFLOWS = at('../functions/workflows/');
const MADE_BY = [at('./bundle.ts'), at('../package-lock.json')];
/** Beside the code of others that it is made of: a new `npm ci` begins anew. */
const CACHE = at('../node_modules/.cache/stillpoint-bundles/');
const SIZES = 'sizes.json';

/** A bundle of every step, wherever it will run: what it holds does not depend on the place. Made once for the same sources. */
export async function bundlesOf(workflows: readonly Workflow[], beside: Beside): Promise<Map<string, Bundle>> {
  const kept = join(CACHE, digestOfSources());
  if (!existsSync(kept)) await make(workflows, kept);
  const into = mkdtempSync(join(tmpdir(), 'stillpoint-bundles-'));
  const bundles = workflows
    .flatMap(({ steps }) => steps)
    .map(({ name }): [string, Bundle] => {
      const folder = join(into, name);
      cpSync(join(kept, name), folder, { recursive: true });
      writeFileSync(join(folder, 'stillpoint.json'), JSON.stringify(beside));
      return [name, { step: name, folder, ...(JSON.parse(readFileSync(join(kept, `${name}.${SIZES}`), 'utf8')) as Sizes) }];
    });
  return new Map(bundles);
}

type Sizes = Pick<Bundle, 'bytes' | 'eagerBytes'>;

/** Of everything that bundles are made from: our sources, the versions of others', and how it is done. */
function digestOfSources(): string {
  const ours = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const file of [...ours.sort().map((name) => join(SOURCES, name)), ...MADE_BY])
    hash.update(file).update(readFileSync(file));
  return hash.digest('hex').slice(0, 32);
}

/** Builds all steps at once, then gives each the chunks that it can reach. What was not finished is never taken for a cache. */
async function make(workflows: readonly Workflow[], kept: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const unfinished = mkdtempSync(`${kept}-`);
  const built = join(unfinished, 'built');
  const steps = workflows.flatMap((workflow) => workflow.steps.map((step) => ({ workflow, step })));
  const { metafile } = await build({
    entryPoints: steps.map(({ step: { name } }) => ({ in: `step:${name}`, out: name })),
    plugins: [
      entries(
        new Map(await Promise.all(steps.map(async ({ workflow, step }) => [step.name, await entry(workflow, step)] as const))),
      ),
    ],
    outdir: built,
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true, // a kind's code and clients are loaded with the kind
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'], // otherwise CommonJS builds of the clients are taken, and a lazy one is undefined
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    minify: true,
    keepNames: true, // commands and errors go by their class's name
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'error',
  });
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  for (const { step } of steps) part(step.name, outputs, built, unfinished);
  rmSync(built, { recursive: true });
  try {
    renameSync(unfinished, kept);
  } catch (error) {
    rmSync(unfinished, { recursive: true });
    if (!existsSync(kept)) throw error; // another process was quicker, with the same bytes
  }
}

type Output = Metafile['outputs'][string];

/** The last line of an entry, which names its source map. */
const mapOf = (step: string): RegExp => new RegExp(`(//# sourceMappingURL=)${step}\\.mjs\\.map`);

/** One step's part of the build, its entry called as Lambda's handler is. */
function part(step: string, outputs: ReadonlyMap<string, Output>, built: string, into: string): void {
  const all = reached(`${step}.mjs`, outputs, ['import-statement', 'dynamic-import']);
  const bytesOf = (files: ReadonlySet<string>) => [...files].reduce((sum, file) => sum + outputs.get(file)!.bytes, 0);
  mkdirSync(join(into, step));
  for (const file of [...all].flatMap((name) => [name, `${name}.map`])) {
    if (!file.startsWith(`${step}.mjs`)) cpSync(join(built, file), join(into, step, file));
    else
      writeFileSync(
        join(into, step, file.replace(step, 'index')),
        readFileSync(join(built, file), 'utf8').replace(mapOf(step), '$1index.mjs.map'),
      );
  }
  const sizes: Sizes = { bytes: bytesOf(all), eagerBytes: bytesOf(reached(`${step}.mjs`, outputs, ['import-statement'])) };
  writeFileSync(join(into, `${step}.${SIZES}`), JSON.stringify(sizes));
}

/** The files that an output imports, and those that they import. */
function reached(start: string, outputs: ReadonlyMap<string, Output>, kinds: readonly string[]): ReadonlySet<string> {
  const seen = new Set([start]);
  for (const file of seen) {
    for (const { path, kind } of outputs.get(file)?.imports ?? []) {
      if (kinds.includes(kind) && outputs.has(basename(path))) seen.add(basename(path));
    }
  }
  return seen;
}

/** Serves generated entries to esbuild as if they were files beside the workflows. */
const entries = (contents: ReadonlyMap<string, string>): Plugin => ({
  name: 'entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^step:/ }, ({ path }) => ({ path: path.slice('step:'.length), namespace: 'step' }));
    onLoad({ filter: /.*/, namespace: 'step' }, ({ path }) => ({
      contents: contents.get(path)!,
      resolveDir: WORKFLOWS,
      loader: 'ts',
    }));
  },
});

/** Names the one module that the step is declared in, so that no other step comes along. */
async function entry(workflow: Workflow, step: AnyStep): Promise<string> {
  const { file, name } = await whereIs(workflow, step);
  return [
    `import { readFileSync } from 'node:fs';`,
    `import { deployed } from './deployed.ts';`,
    `import { ${name} as step } from './${file}';`,
    `const beside = JSON.parse(readFileSync(new URL('./stillpoint.json', import.meta.url), 'utf8'));`,
    `export const handler = deployed(step, beside);`,
  ].join('\n');
}

async function whereIs(workflow: Workflow, step: AnyStep): Promise<{ file: string; name: string }> {
  for (const file of readdirSync(join(WORKFLOWS, workflow.name)).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  )) {
    const module = (await import(join(WORKFLOWS, workflow.name, file))) as Record<string, unknown>;
    const name = Object.keys(module).find((key) => module[key] === step);
    if (name) return { file: `${workflow.name}/${file}`, name };
  }
  throw new Error(
    `No file of functions/workflows/${workflow.name} exports the step ${step.name}; declare it in one of its own there.`,
  );
}
