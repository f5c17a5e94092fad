import { start } from '../../local/index.ts';
import { Complaint, EXIT } from '../output.ts';

interface Options {
  readonly port: string;
  readonly speed: string;
  readonly seed: string;
  readonly sample?: boolean;
  readonly application?: boolean;
}

/** What it is asked may go on for weeks; so many of the last requests are remembered. */
const REMEMBERED = 10_000;

/** Serves the local AWS until it is interrupted. Its state is in memory and ends with it. */
export async function local(options: Options): Promise<void> {
  const port = number(options.port, '--port', 0, 65_535);
  const speed = number(options.speed, '--speed', 0, 1e6);
  const { url, world, close } = await start({ port, speed, seed: options.seed, remembered: REMEMBERED }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error;
      throw new Complaint(
        `Port ${port} is taken, perhaps by another local AWS; name another with --port, or 0 for any that is free.`,
      );
    },
  );
  const account = options.sample || options.application ? '111122223333' : '000000000000';
  process.stdout.write(
    [
      `Listening on ${url}`,
      `export AWS_ENDPOINT_URL=${url}`,
      `export AWS_ACCESS_KEY_ID=${account}`,
      'export AWS_SECRET_ACCESS_KEY=local',
      'export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1', // boto3 and the first aws-cli read the second
      `# A simulated AWS. Its state is in memory and ends with this process; ${speed === 0 ? 'time stands still but for POST /_stillpoint/clock' : `one real second is ${speed} of its own`}.`,
      '',
    ].join('\n'),
  );
  if (options.sample || options.application) {
    const { installApplication, installSample } = await import('../../demo/sample.ts');
    const lines = await (options.sample ? installSample : installApplication)(world);
    process.stdout.write(lines.map((line) => `# ${line}\n`).join(''));
  }
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void close().then(resolve));
  });
}

function number(text: string, flag: string, least: number, most: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < least || value > most) {
    throw new Complaint(`${flag} must be a number from ${least} to ${most}, not "${text}".`, EXIT.usage);
  }
  return value;
}
