import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { calls } from '../../aws/call.ts';
import { unanswered, when } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { executionName } from '../../decide/slot.ts';
import { type PointName, samePlace } from '../../domain.ts';
import { listHomesAttempts } from '../../vault/announced.ts';
import { machineArn } from '../../vault/layout.ts';
import { listAttempts, readOutcomes } from '../../vault/ledger.ts';
import { type Stage, step } from '../step.ts';
import type { Reconciling } from './finish.ts';

const { again } = calls('states', SFNClient);

/** Starts one replication. Its name holds the hour, so that one that failed is tried again in the next, and none runs twice at a time. */
const startReplication = verb(
  { start: again(StartExecutionCommand) },
  (
    aws,
    { input, hour }: { input: { application: string; slot: string; attempt: number }; hour: number },
    { here, home },
  ): Promise<boolean> =>
    aws
      .start({
        stateMachineArn: machineArn(here, 'replicate'),
        name: `${executionName(input.application, input.slot).slice(0, 70)}-${hour}`,
        input: JSON.stringify({ ...input, home }),
      })
      .then(
        () => true,
        when('ExecutionAlreadyExists', () => false),
      ),
);

/** How far back a vault looks for points that it was not told of. */
const DAYS = 1;

/** In a vault: finds points that home sealed and this vault has not, because an announcement or a copy was lost, and fetches them. Where home cannot be reached, that waits. */
export const fetch = step({
  name: 'reconcile-fetch',
  duty: 'copy',
  uses: { listAttempts, readOutcomes, listHomesAttempts, startReplication },
  limits: { seconds: 300, memoryMb: 512 },
  run: async (
    { listAttempts, readOutcomes, listHomesAttempts, startReplication },
    { application, owner, done = [] }: Reconciling,
    stage: Stage,
  ): Promise<Required<Reconciling>> => {
    const unchanged = { application, owner, done };
    if (samePlace(stage.here, stage.home) || !keepsCopies(stage)) return unchanged;
    const theirs = await listHomesAttempts({ application }).catch((error) => {
      if (unanswered(error)) return undefined;
      throw error;
    });
    if (!theirs)
      return {
        ...unchanged,
        done: [...done, `Home (${stage.home.region}) does not answer; what it may have sealed is fetched later.`],
      };
    const since = new Date(stage.clock.now() - DAYS * 86_400_000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const lastOfSlot = bySlot(theirs.filter(({ slot, decided }) => decided && slot > since));
    const ours = bySlot(await listAttempts({ application }));
    const known = [...lastOfSlot.keys()].flatMap((slot) => ours.get(slot) ?? []);
    const outcomes = await readOutcomes({ application, points: known });
    const had = new Set(known.flatMap(({ slot }, i) => (outcomes[i]?.outcome.status === 'abandoned' ? [] : [slot])));
    const missing = [...lastOfSlot.values()].filter(({ slot }) => !had.has(slot));
    const hour = Math.floor(stage.clock.now() / 3_600_000);
    const fetched: string[] = [];
    for (const { slot, attempt } of missing) {
      if (await startReplication({ input: { application, slot, attempt }, hour }))
        fetched.push(`${slot}/${attempt} is being fetched from home.`);
    }
    return { ...unchanged, done: [...done, ...fetched] };
  },
});

/** The last attempt of each slot, of attempts in their order. */
const bySlot = <P extends PointName>(points: readonly P[]): Map<string, P> => new Map(points.map((point) => [point.slot, point]));

const keepsCopies = ({ configuration, application, vault }: Stage): boolean =>
  Object.values(configuration.policies).some(
    ({ applications, vaults }) => applications.includes(application.name) && vaults.includes(vault.name),
  );
