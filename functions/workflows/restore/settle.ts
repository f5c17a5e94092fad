import { millis } from '../../aws/clock.ts';
import { Permanent } from '../../aws/errors.ts';
import { HURRIED, pending, waitSeconds } from '../../decide/wait.ts';
import type { Layer, Restored } from '../../domain.ts';
import type { RestoreWork } from '../../kinds/kind.ts';
import { noteRestore, readRestore } from '../../vault/restores.ts';
import { changed } from '../protect/settle.ts';
import { advance } from '../settle.ts';
import { type Stage, step } from '../step.ts';
import { type Restoring, restoreWorks } from './plan.ts';
import { only, startLayers } from './provision.ts';

const LAST: readonly Layer[] = ['application'];

export interface Awaiting extends Restoring {
  readonly pending: number;
  readonly waitSeconds: number;
}

/** How long one stage of a restore may take before it has failed. */
const PATIENCE_HOURS = 12;

/** Asks after everything that is being restored. A member that failed fails the restore: what was made is listed in its report. */
export const settle = step({
  name: 'restore-settle',
  duty: 'restore',
  uses: { readRestore, noteRestore },
  kinds: ['restore.start', 'restore.settle'],
  waited: ['restore.start'],
  limits: { seconds: 600, memoryMb: 1024 },
  run: async ({ readRestore, noteRestore }, restoring: Restoring, stage: Stage): Promise<Awaiting> => {
    const { plan, progress, etag } = await readRestore(restoring);
    if (!progress) throw new Permanent(`Restore "${restoring.restore}" was never started, so there is nothing to settle.`);
    const works = restoreWorks(plan, stage.vault.place, progress);
    const items = await advance<RestoreWork, Restored>('restore', works, progress.items, stage);
    if (changed(progress.items, items)) await noteRestore({ ...restoring, progress: { ...progress, items }, etag });
    const failures = items.flatMap((item) => (item.state === 'failed' ? [`${item.resource} failed: ${item.why}`] : []));
    if (failures.length > 0) throw new Permanent(failures.join(' '));
    const begun = millis(progress.marks.at(-1)!.at);
    const now = stage.clock.now();
    if (pending(items) > 0 && now - begun > PATIENCE_HOURS * 3_600_000) {
      const late = items.flatMap((item) =>
        item.state === 'started' || item.state === 'waiting' ? [`${item.resource} (${item.why ?? 'no reason given'})`] : [],
      );
      throw new Permanent(`After ${PATIENCE_HOURS} hours these have not come up: ${late.join(', ')}.`);
    }
    return { ...only(restoring), pending: pending(items), waitSeconds: waitSeconds(items, begun, now, HURRIED) };
  },
});

/** Makes what uses the data: the application's definition, rewired to what was provisioned. */
export const apply = step({
  name: 'restore-apply',
  duty: 'restore',
  uses: { readRestore, noteRestore },
  kinds: ['restore.start'],
  layers: LAST,
  limits: { seconds: 600, memoryMb: 1024 },
  run: ({ readRestore, noteRestore }, restoring: Restoring, stage: Stage): Promise<Restoring> =>
    startLayers('Apply', LAST, restoring, stage, { readRestore, noteRestore }),
});
