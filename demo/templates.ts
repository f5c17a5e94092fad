import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Configuration } from '../functions/configuration/schema.ts';
import type { Place, Vault } from '../functions/domain.ts';
import { workflows } from '../functions/workflows/index.ts';

/** A stack as `cdk synth` leaves it, without the CLI: its template, and the archives of code that it names in the place's bucket for assets. */
export interface Synthesised {
  readonly place: Place;
  readonly name: string;
  readonly template: string;
  /** Where code is put, and the archive that it is. */
  readonly assets: readonly { readonly key: string; readonly file: string }[];
}

/** The bucket that the CDK's bootstrap would have made for assets. */
export const assetBucket = ({ account, region }: Place): string => `cdk-hnb659fds-assets-${account}-${region}`;

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CACHE = at('../node_modules/.cache/stillpoint-templates/');
const MADE_FROM = ['../functions/', '../infra/'].map(at);
const MADE_BY = ['./templates.ts', './synthesis.ts', './zip.ts', '../package-lock.json'].map(at);

const known = new Map<string, Promise<readonly Synthesised[]>>();

/**
 * The stacks of a configuration: those of `cdk synth`, their functions' code one line each, for something stands in for it. Made once for the
 * same configuration and sources: synthesis takes seconds, and simulations deploy the same templates hundreds of times.
 */
export const templatesFor = (configuration: Configuration): Promise<readonly Synthesised[]> =>
  once(['stacks', configuration], async (outdir) => {
    const { synthesise } = await import('./synthesis.ts');
    return await synthesise(configuration, outdir, onelineBundles());
  });

/** The same, with every step's real bundle. */
export const bundledTemplatesFor = (configuration: Configuration): Promise<readonly Synthesised[]> =>
  once(['bundled', configuration], async (outdir) => {
    const { synthesise } = await import('./synthesis.ts');
    return await synthesise(configuration, outdir);
  });

/** Whose copies are kept at a place, and where those of what lives there are kept. */
export interface Known {
  readonly homes: readonly Place[];
  readonly vaults: readonly Place[];
}

/** The stores and keys of one place alone, and the roles that AWS's services have there, as its stack has them. */
export const storesFor = (place: Place, lock: Vault['lock'], { homes, vaults }: Known): Promise<readonly Synthesised[]> =>
  once(['stores', place, lock ?? null, homes, vaults], async (outdir) => {
    const { synthesiseStores } = await import('./synthesis.ts');
    return await synthesiseStores(place, { lock, homes, vaults }, outdir);
  });

type Make = (outdir: string) => Promise<readonly Synthesised[]>;

function once(what: unknown, make: Make): Promise<readonly Synthesised[]> {
  const digest = createHash('sha256').update(sources()).update(JSON.stringify(what)).digest('hex').slice(0, 32);
  const found = known.get(digest) ?? keep(join(CACHE, digest), make);
  known.set(digest, found);
  return found;
}

/** What was made is kept with the assembly that its assets lie in. What was not finished is never taken for a cache. */
async function keep(path: string, make: Make): Promise<readonly Synthesised[]> {
  const file = `${path}.json`;
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as readonly Synthesised[];
  mkdirSync(CACHE, { recursive: true });
  const made = await make(mkdtempSync(`${path}-`));
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, JSON.stringify(made));
  renameSync(unfinished, file);
  return made;
}

let digested: string | undefined;

/** Of everything that templates are made from. */
function sources(): string {
  if (digested) return digested;
  const files = MADE_FROM.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .sort()
      .map((name) => join(folder, name)),
  );
  const hash = createHash('sha256');
  for (const file of [...files, ...MADE_BY]) hash.update(file).update(readFileSync(file));
  digested = hash.digest('hex');
  return digested;
}

let oneline: string | undefined;

/** Code that only says that something should have stood in for it. */
function onelineFolder(): string {
  if (oneline) return oneline;
  oneline = mkdtempSync(join(tmpdir(), 'stillpoint-oneline-'));
  const code = `export const handler = async () => { throw new Error('Nothing stands in for this code.'); };\n`;
  writeFileSync(join(oneline, 'index.mjs'), code);
  return oneline;
}

const onelineBundles = () =>
  new Map(
    workflows
      .flatMap(({ steps }) => steps)
      .map(({ name }) => [name, { step: name, folder: onelineFolder(), bytes: 0, eagerBytes: 0 }]),
  );
