import type { EfsState } from '../services/elasticfilesystem/state.ts';
import type { World } from '../world/world.ts';
import { bytesOf, type HttpRequest, type HttpResponse, NOTHING } from './message.ts';

/** What is wrong with a request for a file, and the status that says so. */
export interface FileTrouble {
  readonly status: number;
  readonly sentence: string;
}

/**
 * The files of a file system, as a host that mounts it has them; AWS has no API for that. `path` is what follows `/_stillpoint/efs/`: a file
 * system's id and a path in it, percent-encoded. PUT writes, GET reads or, without a path, lists, DELETE removes.
 */
export function files(world: World, path: string, { method, body }: HttpRequest): HttpResponse | FileTrouble {
  const [id = '', ...segments] = decoded(path);
  const place = world
    .places('elasticfilesystem')
    .find((one) => world.state<EfsState>('elasticfilesystem', one).fileSystems.has(id));
  if (!place) return { status: 404, sentence: `There is no file system "${id}"; make one first (CreateFileSystem).` };
  if (world.dark.has(place.region)) return { status: 503, sentence: `${place.region} is dark, so ${id} cannot be reached.` };
  const tree = world.state<EfsState>('elasticfilesystem', place).files(id);
  const name = segments.join('/').split('/').filter(Boolean).join('/');
  if (name === '' && method === 'GET') return json(tree.list());
  if (name === '' || name.split('/').includes('..'))
    return { status: 400, sentence: `"${segments.join('/')}" names no file of ${id}.` };
  if (method === 'PUT') {
    tree.write(name, body);
    return { status: 204, headers: {}, body: NOTHING };
  }
  const bytes = tree.read(name);
  if (!bytes) return { status: 404, sentence: `${id} has no file /${name}.` };
  if (method === 'DELETE') {
    tree.remove(name);
    return { status: 204, headers: {}, body: NOTHING };
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes.length) },
    body: bytes,
  };
}

/** Segments as they were meant; what is no percent-encoding is taken as it is. */
const decoded = (path: string): string[] =>
  path.split('/').map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });

const json = (value: object): HttpResponse => {
  const body = bytesOf(`${JSON.stringify(value, null, 2)}\n`);
  return { status: 200, headers: { 'content-type': 'application/json', 'content-length': String(body.length) }, body };
};
