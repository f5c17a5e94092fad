import type { Transport } from '../../functions/aws/transport.ts';
import type { Configuration } from '../../functions/configuration/schema.ts';
import type { Policy } from '../../functions/domain.ts';
import type { World } from '../../local/world/world.ts';
import { HOME, type Stage, stage, WEST } from '../world.ts';
import type { Template } from './synthesised.ts';
import { asStep, putRoles } from './under-roles.ts';

/** Workflows as they are deployed: every step under its role. Each answers the worlds' doings by what they allowed and denied. */
export type Templates = Readonly<Record<string, Template>>;

export interface Scenario {
  readonly policy?: Partial<Policy>;
  readonly schedules?: boolean;
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
  { policy = {}, schedules = false, failing, play }: Scenario,
  templates: Templates,
): Promise<World> {
  const configuration = (of: Configuration): Configuration => ({
    ...of,
    policies: { hourly: { ...of.policies['hourly']!, ...policy } },
  });
  const stand = await stage({
    seed: `least-privilege/${name}`,
    shop: { cluster: true },
    configuration,
    schedules,
    prepare: (world) => putRoles(world, templates),
    between: (_, step, place, world) => {
      const under = asStep(world, step, place);
      return step === failing ? failingSend(under) : under;
    },
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

const announce = (stand: Stage, operation: 'DisableRule' | 'EnableRule') =>
  call(stand, HOME, 'events', operation, { Name: 'stillpoint-announce' });

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
      await call(stand, HOME, 'events', 'PutEvents', {
        Entries: [
          {
            Source: 'aws.codepipeline',
            DetailType: 'CodePipeline Pipeline Execution State Change',
            Detail: JSON.stringify({ state: 'STARTED', pipeline: 'p', 'execution-id': 'e' }),
          },
        ],
      });
      await stand.advance(2 * 3600);
    },
  },
  'databases outlast their logs by what the log gives, as files too': {
    policy: { outlast: { by: 'materialise', every: 'hourly' }, exports: true } as Partial<Policy>,
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'databases outlast their logs by snapshots': {
    policy: { outlast: { by: 'snapshot', every: 'hourly' } } as Partial<Policy>,
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.replicated(WEST);
      await restored(stand, HOME, 'undo');
      await restored(stand, WEST, 'west');
    },
  },
  'a point that cannot be sealed is abandoned': {
    failing: 'protect-seal',
    async play(stand) {
      await ended(stand, stand.startProtect(), 'FAILED');
      await stand.advance(3600);
      await reconciled(stand, HOME);
    },
  },
  'a copy that cannot be sealed is abandoned': {
    failing: 'replicate-seal',
    async play(stand) {
      await ended(stand, stand.startProtect());
      await stand.advance(3 * 3600);
      await reconciled(stand, WEST);
    },
  },
  'what was not announced is fetched, what died is finished': {
    async play(stand) {
      await announce(stand, 'DisableRule');
      await ended(stand, stand.startProtect());
      await reconciled(stand, WEST);
      await stand.replicated(WEST);
      const dying = stand.startProtect({}, 'dying');
      await stand.advance(20);
      await call(stand, HOME, 'states', 'StopExecution', { executionArn: dying.arn });
      await stand.advance(48 * 3600);
      await reconciled(stand, HOME);
      await stand.advance(3600);
      await reconciled(stand, HOME);
    },
  },
};
