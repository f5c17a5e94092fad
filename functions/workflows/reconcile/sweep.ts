import { judgeStray } from '../../decide/orphan.ts';
import type { Expired, Stray } from '../../kinds/kind.ts';
import { listAttempts, readOutcomes } from '../../vault/ledger.ts';
import { groupBy } from '../settle.ts';
import { type Stage, step } from '../step.ts';
import type { Reconciling } from './finish.ts';

/** Deletes what bears our tag and no ledger needs: what a void cut left behind, what an abandoned attempt had made. */
export const sweep = step({
  name: 'reconcile-sweep',
  duty: 'expire',
  uses: { listAttempts, readOutcomes },
  kinds: ['strays', 'expire'],
  limits: { seconds: 600, memoryMb: 512 },
  run: async (
    { listAttempts, readOutcomes },
    { application, owner, done = [] }: Reconciling,
    stage: Stage,
  ): Promise<Required<Reconciling>> => {
    const kinds = await stage.kinds();
    const strays = (await Promise.all(kinds.map(async (kind) => (await kind.open('strays')({ application })) as Stray[]))).flat();
    if (strays.length === 0) return { application, owner, done };
    const known = new Map((await listAttempts({ application })).map((point) => [`${point.slot}/${point.attempt}`, point]));
    const ids = [...new Set(strays.map(({ restorePoint }) => restorePoint))].filter((id) => known.get(id)?.decided);
    const decisions = await readOutcomes({ application, points: ids.map((id) => known.get(id)!) });
    const outcomes = new Map(ids.map((id, index) => [id, decisions[index]?.outcome]));
    const doomed = strays
      .map((stray) => ({ stray, ...judgeStray(stray, outcomes.get(stray.restorePoint), stage.clock.now()) }))
      .filter(({ remove }) => remove);
    const swept = await Promise.all(
      [...groupBy(doomed, ({ stray }) => stray.kind)].map(async ([kind, members]) => {
        const expired = (await (await stage.kind(kind)).open('expire')(members.map(({ id }) => ({ id })))) as Expired[];
        return expired.map(
          ({ id, gone, why }) =>
            `${id} (${kind}) ${gone ? 'was deleted' : `is still there: ${why}`}: ${members.find((member) => member.id === id)?.why}`,
        );
      }),
    );
    return { application, owner, done: [...done, ...swept.flat()] };
  },
});
