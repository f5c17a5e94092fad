import { instant, millis } from '../../aws/clock.ts';
import { pointId, type Report, type Restored } from '../../domain.ts';
import { type ReadRestore, type RestoreProgress, readRestore, writeReport } from '../../vault/restores.ts';
import { type Failed, reasonOf } from '../protect/abandon.ts';
import { type Stage, step } from '../step.ts';
import type { Restoring } from './plan.ts';
import { only } from './provision.ts';
import { renamesOf } from './rewire.ts';

/** Says what was done, whether it ended well or not: a restore that failed lists all that it made, so that it can be removed. */
export const report = step({
  name: 'restore-report',
  duty: 'restore',
  uses: { readRestore, writeReport },
  limits: { seconds: 60, memoryMb: 256 },
  run: async (
    { readRestore, writeReport },
    ended: Restoring & Pick<Failed, 'error'>,
    stage: Stage,
  ): Promise<Restoring & Pick<Report, 'status'>> => {
    const read = await readRestore(ended);
    const { status } = await writeReport(reportOf(read, ended, instant(stage.clock.now())));
    return { ...only(ended), status };
  },
});

function reportOf(
  { plan, progress }: ReadRestore,
  { restore, error }: Restoring & Pick<Failed, 'error'>,
  endedAt: string,
): Report {
  const restored = (progress?.items ?? []).flatMap((item): Restored[] => (item.state === 'done' ? [item.result] : []));
  const begun = (progress?.items ?? []).flatMap((item) =>
    item.state === 'started' || item.state === 'failed'
      ? [`${item.resource} may have been begun; look for what bears the tag stillpoint:restore=${restore}.`]
      : [],
  );
  return {
    schema: 1,
    id: restore,
    application: plan.point.application,
    point: pointId(plan.point),
    status: error ? 'failed' : 'restored',
    target: plan.target,
    startedAt: plan.plannedAt,
    endedAt,
    stages: stagesOf(plan.plannedAt, progress, endedAt),
    restored,
    renames: progress ? renamesOf(progress) : [],
    suspicious: restored.flatMap(({ notes }) => notes.filter((note) => note.startsWith('suspicious:'))),
    verified: error
      ? []
      : ['Every artifact of the point has its resource.', ...(progress?.thawed ?? []).map((what) => `Thawed: ${what}`)],
    problems: error ? [reasonOf(error), ...begun] : [],
  };
}

/** Each stage lasts until the next one begins. */
function stagesOf(plannedAt: string, progress: RestoreProgress | undefined, endedAt: string): Report['stages'] {
  const marks = [{ name: 'Plan', at: plannedAt }, ...(progress?.marks ?? []), { name: 'end', at: endedAt }];
  return marks
    .slice(0, -1)
    .map(({ name, at }, i) => ({ name, minutes: Math.round((millis(marks[i + 1]!.at) - millis(at)) / 600) / 100 }));
}
