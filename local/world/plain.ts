import type { PlainRequest, PlainResponse, Service } from './service.ts';
import type { World } from './world.ts';

/** The service that answers plain HTTP at a path: `/_ecr/…` is ECR's. Undefined where there is none. */
export function plainAt(world: World, path: string): Service | undefined {
  const [, name = ''] = /^\/_([a-z0-9-]+)\//.exec(path) ?? [];
  const service = world.services.get(name);
  return service?.http ? service : undefined;
}

/** One plain request: it takes as long as any other, and a dark region breaks it (the service knows which region its address is of). */
export async function servePlain(world: World, service: Service, request: PlainRequest): Promise<PlainResponse> {
  await world.clock.sleep(world.random.between(...TRAVEL));
  const answer = service.http!(world, request);
  return { ...answer, headers: { ...answer.headers, date: new Date(world.clock.now()).toUTCString() } };
}

/** There and back, in milliseconds. */
const TRAVEL = [16, 120] as const;
