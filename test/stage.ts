import { makeStores } from '../demo/install.ts';
import type { Clock } from '../functions/aws/clock.ts';
import { sdkTransport } from '../functions/aws/sdk-transport.ts';
import type { Transport } from '../functions/aws/transport.ts';
import type { Application, Place, Vault } from '../functions/domain.ts';
import { stagingBucket } from '../functions/vault/layout.ts';
import { requestHandler } from '../local/wire/handler.ts';
import { direct } from '../local/world/direct.ts';
import { loadServices, World } from '../local/world/world.ts';

const services = await loadServices();

/** A simulated AWS with what Stillpoint needs in a home and a vault: their buckets and keys, made by AWS calls, and nothing else. */
export interface TestStage {
  readonly world: World;
  readonly transport: Transport;
  /** The world's clock, as product code sees it. */
  readonly clock: Clock;
  readonly home: Vault;
  readonly vault: Vault;
  /** Lets virtual time pass until a promise settles. */
  settle<T>(work: Promise<T>): Promise<T>;
  darken(region: string, dark: boolean): void;
  /** A short name, lower case, new each time. */
  name(): string;
  application(name: string, scope?: Partial<Application>): Application;
}

export interface StageOptions {
  readonly seed: string | number;
  readonly lock?: Vault['lock'];
  /** Real SDK clients and AWS's own protocols stand between, without a socket; else direct dispatch. */
  readonly sdk?: boolean;
}

/** SDK clients take several turns of the event loop for one request; direct dispatch takes one. */
const SDK_PATIENCE = 8;

const ACCOUNT = '111122223333';
const rootOf = ({ account }: Place) => ({ accessKeyId: account, secretAccessKey: 'none' });
const vaultAt = (name: string, place: Place, lock: Vault['lock'], subnets: readonly string[] = []): Vault => ({
  name,
  place,
  ...(lock ? { lock } : {}),
  target: { place, cluster: 'laws', subnets, securityGroups: [], zones: [] },
});

export async function stage({ seed, lock, sdk = false }: StageOptions): Promise<TestStage> {
  const world = new World(services, { seed, patience: sdk ? SDK_PATIENCE : 1 });
  const settle = <T>(work: Promise<T>): Promise<T> => world.clock.settle(work);
  const home = vaultAt('home', { account: ACCOUNT, region: 'us-east-1' }, undefined);
  const there = { account: ACCOUNT, region: 'eu-west-1' };
  const vault = vaultAt('west', there, lock, await settle(makeNetwork(world, there)));
  await settle(makeStores(world, home.place, undefined, { vaults: [vault.place] }));
  await settle(makeStores(world, vault.place, lock, { homes: [home.place] }));
  await settle(makeStaging(world, home.place));
  let names = 0;
  return {
    world,
    // An API server of the local AWS has no socket here either, so requests to it stay inside; their tokens are the SDK's own.
    transport: sdk
      ? { ...sdkTransport({ requestHandler: requestHandler(world), credentials: rootOf }), fetch: direct(world).fetch }
      : direct(world),
    clock: {
      now: () => world.clock.now(),
      sleep: (millis) => world.clock.sleep(millis),
      random: (digits) => world.random.hex(digits),
    },
    home,
    vault,
    settle,
    darken: (region, dark) => void (dark ? world.dark.add(region) : world.dark.delete(region)),
    name: () => `n${(++names).toString(36)}${world.random.hex(4)}`,
    application: (name, scope = {}) => ({
      name,
      home: home.place,
      namespaces: [],
      resources: { tags: { app: name }, arns: [] },
      slow: {},
      ...scope,
    }),
  };
}

/** Where restores are to be reached: a subnet in each of two zones. */
async function makeNetwork(world: World, place: Place): Promise<string[]> {
  const call = (operation: string, input: object) => world.call({ place, service: 'ec2', operation, input });
  const { Vpc } = await call('CreateVpc', { CidrBlock: '10.80.0.0/16' });
  const subnets: string[] = [];
  for (const [i, letter] of ['a', 'b'].entries()) {
    const AvailabilityZone = `${place.region}${letter}`;
    const { Subnet } = await call('CreateSubnet', { VpcId: Vpc.VpcId, CidrBlock: `10.80.${i}.0/24`, AvailabilityZone });
    subnets.push(Subnet.SubnetId);
  }
  return subnets;
}

async function makeStaging(world: World, place: Place): Promise<void> {
  const Bucket = stagingBucket(place);
  await world.call({ place, service: 's3', operation: 'CreateBucket', input: { Bucket } });
  const VersioningConfiguration = { Status: 'Enabled' };
  await world.call({ place, service: 's3', operation: 'PutBucketVersioning', input: { Bucket, VersioningConfiguration } });
}
