import type { World } from '../world/world.ts';
import { files } from './efs.ts';
import { bytesOf, type HttpRequest, type HttpResponse, textOf } from './message.ts';

/** What the control path knows beside the world. */
export interface Settings {
  readonly seed: string;
  /** Virtual seconds per real one when nothing is asked; 0 stands still. */
  readonly speed: number;
}

export const CONTROL = '/_stillpoint';

/** A request that the control path cannot follow. */
class Misunderstood extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

/** The local AWS's own door, for which AWS has no API: its state, its time, which regions are dark, files of EFS, and forgetting everything. */
export async function control(world: World, settings: Settings, request: HttpRequest): Promise<HttpResponse> {
  try {
    if (request.path.startsWith(EFS) && FILE_METHODS.includes(request.method)) return filesIn(world, request);
    return json(200, await act(world, settings, request));
  } catch (error) {
    if (error instanceof Misunderstood) return json(error.status, { error: error.message });
    throw error;
  }
}

const EFS = `${CONTROL}/efs/`;
const FILE_METHODS = ['GET', 'PUT', 'DELETE'];

function filesIn(world: World, request: HttpRequest): HttpResponse {
  const answer = files(world, request.path.slice(EFS.length), request);
  if ('sentence' in answer) throw new Misunderstood(answer.sentence, answer.status);
  return answer;
}

async function act(world: World, settings: Settings, { method, path, body }: HttpRequest): Promise<object> {
  const [door = '', region] = path
    .slice(CONTROL.length + 1)
    .split('/')
    .filter(Boolean);
  switch (`${method} ${door}`) {
    case 'GET ':
      return stateOf(world, settings);
    case 'POST clock':
      return advance(world, objectIn(body));
    case 'POST regions':
      return darken(world, region, objectIn(body));
    case 'POST reset':
      world.reset();
      return { reset: true, time: timeOf(world) };
    default:
      throw new Misunderstood(
        `${method} ${path} is not known here; there are GET ${CONTROL}, POST ${CONTROL}/clock {"advanceSeconds"}, ` +
          `POST ${CONTROL}/regions/<region> {"dark"}, GET, PUT and DELETE ${EFS}<file system>/<path>, and POST ${CONTROL}/reset.`,
        404,
      );
  }
}

async function advance(world: World, { advanceSeconds }: Record<string, unknown>): Promise<object> {
  if (typeof advanceSeconds !== 'number' || !Number.isFinite(advanceSeconds) || advanceSeconds < 0) {
    throw new Misunderstood('advanceSeconds must be a number of virtual seconds, 0 or more, such as {"advanceSeconds": 3600}.');
  }
  await world.clock.advance(advanceSeconds * 1000);
  return { time: timeOf(world) };
}

function darken(world: World, region: string | undefined, { dark }: Record<string, unknown>): object {
  if (!region || !/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw new Misunderstood(`"${region ?? ''}" is not a region; write the path as ${CONTROL}/regions/us-east-1.`);
  }
  if (typeof dark !== 'boolean') throw new Misunderstood('dark must be true or false, such as {"dark": true}.');
  if (dark) world.dark.add(region);
  else world.dark.delete(region);
  return { dark: [...world.dark].sort() };
}

function stateOf(world: World, { seed, speed }: Settings): object {
  const { counts, accounts, regions } = world.journal;
  return {
    simulated: true,
    time: timeOf(world),
    seed,
    speed,
    dark: [...world.dark].sort(),
    accounts: [...accounts].sort(),
    regions: [...regions].sort(),
    requests: {
      total: counts.values().reduce((sum, count) => sum + count, 0),
      byOperation: Object.fromEntries([...counts].sort()),
    },
    denied: world.permissions.denied.slice(-DENIED_SHOWN),
    services: Object.fromEntries([...world.services].map(([name, { operations }]) => [name, Object.keys(operations).sort()])),
  };
}

const timeOf = ({ clock }: World): string => new Date(clock.now()).toISOString();
/** So many of the last calls that were denied are told. */
const DENIED_SHOWN = 100;

function objectIn(body: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(textOf(body));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {}
  throw new Misunderstood('The body must be a JSON object.');
}

const json = (status: number, value: object): HttpResponse => {
  const body = bytesOf(`${JSON.stringify(value, null, 2)}\n`);
  return { status, headers: { 'content-type': 'application/json', 'content-length': String(body.length) }, body };
};
