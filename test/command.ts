import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a command said and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Its one JSON document, where it was asked for that. */
  json<T>(): T;
}

const CLI = fileURLToPath(new URL('../cli/stillpoint.ts', import.meta.url));

/** Runs `stillpoint` as a person would, against what is served at an address. */
export function command(url: string, account: string, ...args: readonly string[]): Promise<Said> {
  const environment = {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: account,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'us-east-1',
  };
  return new Promise((done) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env: environment as NodeJS.ProcessEnv, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        done({ code, stdout, stderr, json: () => JSON.parse(stdout) });
      },
    );
  });
}
