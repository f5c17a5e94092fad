import { Permanent } from '../../aws/errors.ts';
import { verb } from '../../aws/verb.ts';
import { type Place, pointId, type Rename, type Sealed } from '../../domain.ts';
import { askThaw, thawing } from '../../freeze/hook.ts';
import { noteRestore, readRestore } from '../../vault/restores.ts';
import { type Stage, step } from '../step.ts';
import type { Restoring } from './plan.ts';
import { mark, only } from './provision.ts';
import { renamesOf } from './rewire.ts';

const askHook = verb(thawing, (aws, { point, place, renames }: { point: Sealed; place: Place; renames: readonly Rename[] }) =>
  askThaw(aws.thaw, point.definition.freeze!, {
    action: 'thaw',
    application: point.application,
    restorePoint: pointId(point),
    cut: point.cut.id,
    leaseSeconds: 0,
    place,
    renames,
  }),
);

/** What was cut inside a freeze wakes up frozen: the application's own function undoes that, in what was restored. A freeze leaves no trace. */
export const thaw = step({
  name: 'restore-thaw',
  duty: 'restore',
  uses: { readRestore, noteRestore, askHook },
  limits: { seconds: 120, memoryMb: 256 },
  run: async ({ readRestore, noteRestore, askHook }, restoring: Restoring, stage: Stage): Promise<Restoring> => {
    const { plan, progress, etag } = await readRestore(restoring);
    if (!progress) throw new Permanent(`Restore "${restoring.restore}" has restored nothing, so there is nothing to thaw.`);
    const { point, target } = plan;
    const thawed = point.definition.freeze ? await askHook({ point, place: target.place, renames: renamesOf(progress) }) : [];
    await noteRestore({ ...restoring, progress: { ...mark(progress, 'Thaw', stage), thawed }, etag });
    return only(restoring);
  },
});
