import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether python3 is here with a module. In CI its absence is an error, elsewhere what needs it is skipped, aloud. */
export function hasPython(module: string, forWhat: string): boolean {
  try {
    execFileSync('python3', ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    if (process.env['CI']) throw new Error(`python3 with ${module} is not here; .ci/run installs it.`);
    console.warn(`SKIPPED: ${forWhat}; python3 with ${module} is not here.`);
    return false;
  }
}

/** Runs a script that stands beside this file; answers the JSON that it prints. */
export async function python(script: string, ...given: readonly string[]): Promise<any> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const env = { ...process.env, AWS_EC2_METADATA_DISABLED: 'true' };
  const { stdout } = await run('python3', [path, ...given], { env, maxBuffer: 2 ** 26 });
  return JSON.parse(stdout);
}
