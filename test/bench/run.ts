import { DescribeSnapshotsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { calls } from '../../functions/aws/call.ts';
import { sdkTransport } from '../../functions/aws/sdk-transport.ts';
import type { Transport } from '../../functions/aws/transport.ts';
import { createWorld, direct, requestHandler, start } from '../../local/index.ts';
import { bundleLoads } from './bundles.ts';

/**
 * `npm run bench`: how many calls a second each transport makes, as a ratio to the SDK's clients over a socket, all in this one run. Medians of
 * rounds that take turns, so that whatever else the machine does falls on all of them alike. Then how large each step's bundle is and how long it
 * takes to load, over bare Node.
 */
const PLACE = { account: '111122223333', region: 'us-east-1' };
const CALLS = 400;
const ROUNDS = 5;
const describe = calls('ec2', EC2Client).read(DescribeSnapshotsCommand);
const credentials = () => ({ accessKeyId: PLACE.account, secretAccessKey: 'local' });

interface Candidate {
  readonly name: string;
  readonly transport: Transport;
  settle<T>(work: Promise<T>): Promise<T>;
}

const world = await createWorld({ seed: 'bench', patience: 4, latency: [0, 0] });
const served = await start({ seed: 'bench', speed: 0, latency: [0, 0] });
const candidates: Candidate[] = [
  {
    name: 'SDK over a socket',
    transport: sdkTransport({ endpoint: served.url, credentials, environment: {} }),
    settle: (work) => work,
  },
  {
    name: 'SDK in process',
    transport: sdkTransport({ requestHandler: requestHandler(world), credentials, environment: {} }),
    settle: (work) => world.clock.settle(work),
  },
  { name: 'direct dispatch', transport: direct(world), settle: (work) => world.clock.settle(work) },
];

async function rate({ transport, settle }: Candidate): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < CALLS; i += 8) {
    await settle(
      Promise.all(
        Array.from({ length: 8 }, () => transport.send({ call: describe, place: PLACE, input: { OwnerIds: ['self'] } })),
      ),
    );
  }
  return CALLS / ((performance.now() - began) / 1000);
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
const rates = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
for (const candidate of candidates) await rate(candidate); // warm
for (let round = 0; round < ROUNDS; round++)
  for (const candidate of candidates) rates.get(candidate.name)!.push(await rate(candidate));

const baseline = median(rates.get('SDK over a socket')!);
const results = candidates.map(({ name }) => ({
  transport: name,
  callsPerSecond: Math.round(median(rates.get(name)!)),
  ratio: Number((median(rates.get(name)!) / baseline).toFixed(1)),
}));
await served.close();
const bundles = await bundleLoads();
if (process.argv.includes('--json'))
  process.stdout.write(
    `${JSON.stringify({ calls: CALLS, rounds: ROUNDS, baseline: 'SDK over a socket', results, bundles }, null, 2)}\n`,
  );
else {
  for (const { transport, callsPerSecond, ratio } of results)
    process.stdout.write(`${transport.padEnd(20)} ${String(callsPerSecond).padStart(7)} calls/s   ${ratio.toFixed(1)} ×\n`);
  for (const { step, kilobytes, loadedFirst, millis } of bundles)
    process.stdout.write(
      `${step.padEnd(20)} ${String(kilobytes).padStart(7)} kB, ${loadedFirst} kB before the first event in ${millis} ms\n`,
    );
}
