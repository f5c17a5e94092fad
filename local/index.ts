import { listen } from './wire/server.ts';
import { loadServices, World, type WorldOptions } from './world/world.ts';

export { requestHandler } from './wire/handler.ts';
export { direct } from './world/direct.ts';
export type { Caller, Place, WorldOptions } from './world/world.ts';
export { World } from './world/world.ts';

export interface StartOptions extends Pick<WorldOptions, 'seed' | 'start' | 'latency' | 'remembered'> {
  /** Virtual seconds per real one while nothing is asked: 60 unless given; 0 leaves the time to the control path. */
  readonly speed?: number;
  /** On 127.0.0.1; any free one unless given. */
  readonly port?: number;
}

export interface Served {
  readonly world: World;
  /** `http://127.0.0.1:PORT`: the endpoint of every service in every region. */
  readonly url: string;
  close(): Promise<void>;
}

/** An AWS in this process, without a socket: every service of `local/services`, one clock, one seed. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  return new World(await loadServices(), options);
}

/** An AWS that listens: real SDK clients, aws-cli and boto3 can talk to it. Its state is in memory and ends with it. */
export async function start({ seed = 0, speed = 60, port, ...options }: StartOptions = {}): Promise<Served> {
  const world = await createWorld({ ...options, seed, patience: 3 });
  const { url, close } = await listen(world, { seed: String(seed), speed }, port);
  world.origin = url;
  world.clock.pace(speed);
  return {
    world,
    url,
    close: async () => {
      await world.close();
      await close();
    },
  };
}
