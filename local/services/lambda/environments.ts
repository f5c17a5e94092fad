import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Place, World } from '../../world/world.ts';
import type { LogsState } from '../logs/state.ts';
import type { StsState } from '../sts/state.ts';
import { Environment } from './environment.ts';
import { failed, type Result } from './results.ts';
import type { Deployed, Zip } from './state.ts';
import { unzip } from './zip.ts';

/** One invocation of a function that is deployed as a Zip. */
export interface Run {
  readonly deployed: Deployed;
  readonly arn: string;
  readonly place: Place;
  readonly payload: string;
  readonly requestId: string;
  /** Aborted when its time has run out. */
  readonly stop: AbortSignal;
}

interface Warm {
  readonly environment: Environment;
  /** Of a function as it was deployed: a new revision begins with new environments. */
  readonly of: string;
  /** When its role's keys expire, in virtual milliseconds. */
  readonly until: number;
}

/** A thread with its code loaded takes some 30 MB of the machine; this many are kept, the longest idle end first. */
const MOST_WARM = 32;
const SESSION_SECONDS = 12 * 3600;

/** The execution environments of a world: each loaded once, kept warm, and used for one invocation at a time. */
class Environments {
  readonly #world: World;
  readonly #warm: Warm[] = [];
  readonly #all = new Set<Environment>();

  constructor(world: World) {
    this.#world = world;
    world.atEnd(() => Promise.all([...this.#all].map((environment) => environment.end())));
  }

  async run({ deployed, arn, place, payload, requestId, stop }: Run): Promise<Result> {
    const { clock, random } = this.#world;
    if (!this.#world.origin.startsWith('http://127.0.0.1:')) return UNSERVED;
    const deadline = clock.now() + deployed.timeoutSeconds * 1000;
    const of = `${arn}/${deployed.revision}`;
    const warm = this.#take(of, deadline) ?? this.#make(of, deployed, place);
    const { environment } = warm;
    this.#all.add(environment);
    stop.addEventListener('abort', () => void environment.end(), { once: true });
    const ready = await environment.load();
    if (ready !== 'ready') {
      void environment.end(); // time must not pass over it
      return ready;
    }
    const result = await environment.invoke({ payload, requestId, arn, deadline, seed: random.hex(32) });
    if (environment.ended || stop.aborted) this.#all.delete(environment);
    else this.#keep(warm);
    return result;
  }

  #take(of: string, deadline: number): Warm | undefined {
    for (const one of this.#warm.filter(({ until }) => until <= deadline)) this.#drop(one);
    const found = this.#warm.find((one) => one.of === of && !one.environment.ended);
    if (found) this.#warm.splice(this.#warm.indexOf(found), 1);
    return found;
  }

  #keep(warm: Warm): void {
    this.#warm.push(warm);
    if (this.#warm.length > MOST_WARM) this.#drop(this.#warm[0]!);
  }

  #drop(warm: Warm): void {
    this.#warm.splice(this.#warm.indexOf(warm), 1);
    this.#all.delete(warm.environment);
    void warm.environment.end();
  }

  #make(of: string, deployed: Deployed, place: Place): Warm {
    const { account, region } = place;
    const until = this.#world.clock.now() + SESSION_SECONDS * 1000;
    const stream = `[$LATEST]${this.#world.random.hex(32)}`;
    const folder = folderOf(deployed.zip!);
    const environment = new Environment(this.#world, {
      folder,
      compiled: join(rootFolder(), 'compiled'),
      handlerName: deployed.handlerName,
      variables: {
        ...deployed.variables,
        ...this.#keysFor(deployed, account, until),
        AWS_REGION: region,
        AWS_DEFAULT_REGION: region,
        AWS_ENDPOINT_URL: this.#world.origin,
        AWS_EXECUTION_ENV: `AWS_Lambda_${deployed.runtime}`,
        AWS_LAMBDA_FUNCTION_NAME: deployed.name,
        AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(deployed.memoryMb),
        AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${deployed.name}`,
        AWS_LAMBDA_LOG_STREAM_NAME: stream,
        LAMBDA_TASK_ROOT: folder,
        TZ: ':UTC',
      },
      write: (lines) => this.#world.state<LogsState>('logs', place).write(`/aws/lambda/${deployed.name}`, stream, lines),
    });
    return { environment, of, until };
  }

  /** Lambda assumes the function's role; its session bears the function's name (Lambda guide, "Lambda execution role"). */
  #keysFor({ role, name }: Deployed, account: string, until: number): Record<string, string> {
    const { random } = this.#world;
    const AWS_ACCESS_KEY_ID = `ASIA${random.hex(16).toUpperCase()}`;
    const caller = { account, arn: `arn:aws:sts::${account}:assumed-role/${role.split('/').at(-1)}/${name}` };
    this.#world.state<StsState>('sts', { account, region: '' }).issue(AWS_ACCESS_KEY_ID, { caller, expires: new Date(until) });
    return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: random.hex(40), AWS_SESSION_TOKEN: random.hex(64) };
  }
}

const UNSERVED = failed({
  errorType: 'Runtime.Unserved',
  errorMessage: 'The local Lambda runs the code of a Zip only where its world is served, as the code calls AWS over HTTP.',
});

const folders = new Map<string, string>();
let root: string | undefined;

/** A temporary folder that goes with this process. */
function rootFolder(): string {
  if (root) return root;
  const made = mkdtempSync(join(tmpdir(), 'local-lambda-'));
  process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  root = made;
  return made;
}

/** The unpacked code of an archive. */
function folderOf({ bytes, digest }: Zip): string {
  const known = folders.get(digest);
  if (known) return known;
  const folder = join(rootFolder(), Buffer.from(digest, 'base64').toString('hex').slice(0, 32));
  for (const { path, read } of unzip(bytes)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), read());
  }
  folders.set(digest, folder);
  return folder;
}

const environments = new WeakMap<World, Environments>();

export function environmentsOf(world: World): Environments {
  const found = environments.get(world) ?? new Environments(world);
  environments.set(world, found);
  return found;
}
