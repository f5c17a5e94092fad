import type { Transport } from '../../functions/aws/transport.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Place, Policy } from '../../functions/domain.ts';
import type { EventsState } from '../../local/services/events/state.ts';
import type { Execution } from '../../local/services/states/execution.ts';
import type { World } from '../../local/world/world.ts';
import { HOME, type Stage, stage, WEST } from '../world.ts';
import type { Template } from './synthesised.ts';
import { putRoles } from './under-roles.ts';

/** Workflows as they are deployed: every step under its role. Each answers the worlds' doings by what they allowed and denied. */
export type Templates = Readonly<Record<string, Template>>;

export interface Scenario {
  readonly policy?: Partial<Policy>;
  readonly schedules?: boolean;
  /** Where copies are kept, where that is not in the home's own account. */
  readonly vault?: Place;
  /** Has one step fail for good, which the workflow then has to clear up after. */
  readonly failing?: string;
  readonly play: (stand: Stage) => Promise<void>;
}

const failingSend = (transport: Transport): Transport => ({
  ...transport,
  send: async () => {
    throw Object.assign(new Error('This step is to fail.'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
  },
});

export async function played(
  name: string,
  { policy = {}, schedules = false, vault = WEST, failing, play }: Scenario,
  templates: Templates,
): Promise<World> {
  const configuration = (of: Configuration): Configuration => ({
    ...of,
    policies: { hourly: { ...of.policies['hourly']!, ...policy } },
  });
  const stand = await stage({
    seed: `least-privilege/${name}`,
    shop: { cluster: true, standbyAccount: vault.account },
    vault,
    configuration,
    schedules,
    prepare: (world) => putRoles(world, templates),
    between: (transport, step) => (step === failing ? failingSend(transport) : transport),
  });
  await play(stand);
  return stand.world;
}

/** What ended, and how: a scenario that does not go as it should proves nothing. */
async function ended(stand: Stage, execution: ReturnType<Stage['startProtect']>, status = 'SUCCEEDED'): Promise<void> {
  await stand.settle(execution.ended);
  if (execution.status !== status)
    throw new Error(`${execution.name} ${execution.status}: ${execution.error} ${execution.cause}`);
}

const call = (stand: Stage, place: typeof HOME, service: string, operation: string, input: object): Promise<any> =>
  stand.settle(stand.world.call({ place, service, operation, input }));

async function restored(stand: Stage, place: typeof HOME, name: string): Promise<void> {
  const { execution } = await stand.restore(place, name);
  if (execution.status !== 'SUCCEEDED') throw new Error(`${name} ${execution.status}: ${execution.error} ${execution.cause}`);
}

const reconciled = async (stand: Stage, place: typeof HOME) =>
  ended(stand, stand.start(place, 'reconcile', { application: 'shop' }));

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'a point is taken, copied, and restored in both places': {
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
      await reconciled(stand, HOME);
      await reconciled(stand, WEST);
    },
  },
  'schedules, events and a pipeline ask for points': {
    schedules: true,
    async play(stand) {
      await ended(stand, stand.start(HOME, 'gate', { application: 'shop', policy: 'hourly' }));
      stand.world.state<EventsState>('events', HOME).emit({
        source: 'aws.codepipeline',
        'detail-type': 'CodePipeline Pipeline Execution State Change',
        detail: { state: 'STARTED', pipeline: 'p', 'execution-id': 'e' },
      });
      await stand.advance(2 * 3600);
    },
  },
  'databases outlast their logs by what the log gives, as files too': {
    policy: { outlast: { by: 'materialise', every: 'hourly' }, exports: true },
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'databases outlast their logs by snapshots': {
    policy: { outlast: { by: 'snapshot', every: 'hourly' } },
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'a point that cannot be sealed is abandoned, and its snapshots go': {
    failing: 'protect-seal',
    policy: { outlast: { by: 'snapshot', every: 'hourly' } },
    async play(stand) {
      await ended(stand, stand.startProtect(), 'FAILED');
      for (let days = 0; days < 3; days++) {
        await stand.advance(24 * 3600);
        await reconciled(stand, HOME);
      }
    },
  },
  'a copy that cannot be sealed is abandoned, and its snapshots go': {
    failing: 'replicate-seal',
    policy: { outlast: { by: 'snapshot', every: 'hourly' } },
    async play(stand) {
      await ended(stand, stand.startProtect());
      for (let days = 0; days < 3; days++) {
        await stand.advance(24 * 3600);
        await reconciled(stand, WEST);
      }
    },
  },
  'what was not announced is fetched': {
    async play(stand) {
      await call(stand, HOME, 'events', 'DisableRule', { Name: 'stillpoint-announce' });
      await ended(stand, stand.startProtect());
      await reconciled(stand, WEST);
      await stand.replicated(WEST);
    },
  },
  'what died is finished': {
    policy: { outlast: { by: 'materialise', every: 'hourly' } },
    async play(stand) {
      await died(stand, stand.startProtect({}, 'dying'), 1800);
      for (let days = 0; days < 3; days++) {
        await stand.advance(24 * 3600);
        await reconciled(stand, HOME);
      }
    },
  },
  'what died is asked for again': {
    async play(stand) {
      const due = new Date(Math.floor(stand.world.clock.now() / 1000) * 1000).toISOString();
      await died(stand, stand.startProtect({ due }, 'dying'), 20);
      await stand.advance(48 * 3600);
      await ended(stand, stand.startProtect({ due }));
      await stand.replicated(WEST);
    },
  },
  'a copy that died is finished': {
    async play(stand) {
      await copyDied(stand);
      for (let days = 0; days < 3; days++) {
        await stand.advance(24 * 3600);
        await reconciled(stand, WEST);
      }
    },
  },
  'a copy that died is asked for again': {
    async play(stand) {
      const { input } = await copyDied(stand);
      await stand.advance(48 * 3600);
      await ended(stand, stand.start(WEST, 'replicate', JSON.parse(input)));
    },
  },
  'tables that were deleted come back at home': {
    async play(stand) {
      await ended(stand, stand.startProtect());
      const { TableNames } = await call(stand, HOME, 'dynamodb', 'ListTables', {});
      for (const TableName of TableNames) await call(stand, HOME, 'dynamodb', 'DeleteTable', { TableName });
      await stand.advance(600);
      await restored(stand, HOME, 'undo');
    },
  },
};

const isRunning = ({ status }: Execution): boolean => status === 'RUNNING';

async function until<T>(stand: Stage, found: () => T[]): Promise<T[]> {
  for (let tries = 0; tries < 200 && found().length === 0; tries++) await stand.advance(2);
  return found();
}

async function copyDied(stand: Stage): Promise<Execution> {
  await ended(stand, stand.startProtect());
  const [dying] = await until(stand, () => [...stand.states(WEST).executions.values()].filter(isRunning));
  await died(stand, dying!, 3);
  return dying!;
}

/** An execution that stops in the middle, as when nobody lets it go on. */
async function died(stand: Stage, execution: Execution, afterSeconds: number): Promise<void> {
  await stand.advance(afterSeconds);
  const place = { ...HOME, region: execution.arn.split(':')[3] as string };
  await call(stand, place, 'states', 'StopExecution', { executionArn: execution.arn });
}
