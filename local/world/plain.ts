import { type PlainRequest, type PlainResponse, Refusal, type Service } from './service.ts';
import type { World } from './world.ts';

const PATH = /^\/_([a-z0-9-]+)\/(\d{12})\/([a-z0-9-]+)\//;

/** The service that answers plain HTTP at a path: `/_ecr/<account>/<region>/…` is ECR's. Undefined where there is none. */
export function plainAt(world: World, path: string): Service | undefined {
  const service = world.services.get(PATH.exec(path)?.[1] ?? '');
  return service?.http ? service : undefined;
}

/** One plain request, with the same journal, latency, darkness and faults as every other request of the world; its operation is its method. */
export async function servePlain(world: World, service: Service, request: PlainRequest): Promise<PlainResponse> {
  const [, , account = '', region = ''] = PATH.exec(request.path) ?? [];
  const asked = { place: { account, region }, service: service.name, operation: request.method, input: { path: request.path } };
  const answer = await world
    .carry(asked, () => service.http!(world, request))
    .catch((error: unknown): PlainResponse => {
      if (!(error instanceof Refusal)) throw error;
      return {
        status: error.status ?? 500,
        headers: { 'content-type': 'text/plain' },
        body: new TextEncoder().encode(error.code),
      };
    });
  return { ...answer, headers: { ...answer.headers, date: new Date(world.clock.now()).toUTCString() } };
}
