import { parseArgs } from 'node:util';
import colours from 'picocolors';
import { besideLabel } from '../functions/decide/slow.ts';
import { pointId, type Sealed } from '../functions/domain.ts';
import { start, type World } from '../local/index.ts';
import type { EventsState } from '../local/services/events/state.ts';
import { backUpEach } from './baseline.ts';
import { type Result, summary } from './report.ts';
import { sample } from './sample.ts';
import { tears, totalCents } from './shop/audit.ts';
import { STORES } from './shop/stores.ts';
import { freezeMillis, HOME, money, Story, WEST } from './telling.ts';

/** Tells the whole story in a world that is served, and has nothing in it yet. */
async function tellStory(world: World, say: (line: string) => void): Promise<Result> {
  const { shop } = await world.clock.settle(sample(world));
  const story = new Story(world, shop, say);
  story.tell(
    `The shop lives in ${HOME.region}: orders in RDS, carts in DynamoDB, a database on an EBS volume, vouchers in S3, uploads on EFS, images in ECR, a namespace on EKS.`,
  );
  shop.writers.start();
  story.tell(
    `Its writers move money between the ${STORES.length} stores, without a pause. Stillpoint takes a point every hour; ${WEST.region} pulls a copy.`,
  );

  await story.runTo('2026-11-22T04:00:00Z');
  const hourly = await story.until(HOME, ({ trigger }) => trigger === 'schedule', 'The schedule took a point');
  await story.noteObjects(hourly);

  await story.runTo('2026-11-22T05:12:00Z');
  const opening = money(shop.truthAt(world.clock.now()));
  const each = story.settle(backUpEach(world, shop, world.random.stream('baseline'), 'shop-each'));
  story.tell(
    'A deployment begins: its pipeline says so on EventBridge. Beside Stillpoint, each resource is also backed up on its own.',
  );
  pipelineStarts(world);
  const baseline = await each;
  const point = await story.until(HOME, ({ trigger }) => trigger === 'event', 'The event took a point');
  await story.noteObjects(point);

  for (const what of await story.settle(shop.damage())) story.tell(colours.red(what));
  const homeRestore = await story.restore(HOME, point, 'undo');

  const copy = await story.until(WEST, ({ slot }) => slot === point.slot, 'The vault has its copy');
  const torn = await story.settle(baseline().then((renames) => shop.readRestored(HOME, renames)));
  story.tell(colours.red(`${HOME.region} goes dark: no API, no keys, no ledger, no cluster of it answers any more.`));
  world.dark.add(HOME.region);
  const restore = await story.restore(WEST, copy, 'west');

  world.dark.delete(HOME.region); // only to read what home recorded
  const [atHome, inWest] = [await story.points(HOME), await story.points(WEST)];
  const wanted = atHome.filter(({ instant }) => instant <= point.instant);
  return {
    points: await Promise.all(
      wanted.map((one) =>
        describe(
          story,
          one,
          inWest.find(({ slot }) => slot === one.slot),
        ),
      ),
    ),
    homeRestore,
    restore,
    baseline: {
      moneyBefore: opening,
      moneyAfter: totalCents(torn),
      torn: tears(torn).length > 0 || totalCents(torn) !== opening,
    },
    verdict: [homeRestore, restore].every((one) => one.mismatches.length === 0 && one.moneyBefore === one.moneyAfter)
      ? 'pass'
      : 'fail',
  };
}

const describe = async (story: Story, point: Sealed, copy: Sealed | undefined): Promise<Result['points'][number]> => ({
  id: pointId(point),
  instant: point.instant,
  skewSeconds: point.skewSeconds,
  freezeMillis: freezeMillis(point),
  consistency: point.consistency,
  artifacts: point.artifacts.length,
  beside: besideLabel(point).map(({ resource, interval }) => ({ resource, ...interval })),
  regions: [point.vault.place.region, ...(copy ? [copy.vault.place.region] : [])],
  ...(await story.costOf(point, copy)),
});

/** What CodePipeline tells when a deployment begins; only AWS's own services may speak as `aws.…`. */
const pipelineStarts = (world: World): string =>
  world.state<EventsState>('events', HOME).emit({
    source: 'aws.codepipeline',
    'detail-type': 'CodePipeline Pipeline Execution State Change',
    detail: { pipeline: 'shop', state: 'STARTED', 'execution-id': '2026.11.4' },
  });

const START = Date.parse('2026-11-22T03:00:00Z');
/** As shells count them: 128 and the signal's number. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 };

async function main(seed: string, json: boolean): Promise<void> {
  const say = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`);
  say(colours.bold(`Stillpoint, against a simulated AWS (seed ${seed}). Nothing here is real but Stillpoint's own code.`));
  const { world, close } = await start({ seed, start: START, speed: 0 }); // time passes as the story demands it
  const result = await tellStory(world, say);
  for (const line of summary(result)) say(line);
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.verdict === 'pass' ? 0 : 1;
  await close();
}

/** The threads of functions, and the files that they were unpacked to, end with the process. */
for (const [signal, code] of Object.entries(INTERRUPTED)) process.once(signal, () => process.exit(code));
try {
  const { values } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
  });
  await main(values.seed, values.json);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  process.stderr.write(`${colours.red('error:')} ${message}\n`);
  process.exit(code?.startsWith('ERR_PARSE_ARGS') ? 2 : 1);
}
