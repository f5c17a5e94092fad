import { Permanent } from '../../aws/errors.ts';
import { noteRestore, readRestore } from '../../vault/restores.ts';
import { type Stage, step } from '../step.ts';
import type { Restoring } from './plan.ts';
import { mark, only } from './provision.ts';

/** Holds what was restored against the point: every artifact has its resource, and a point that was cut in a freeze was thawed. */
export const verify = step({
  name: 'restore-verify',
  duty: 'restore',
  uses: { readRestore, noteRestore },
  limits: { seconds: 120, memoryMb: 256 },
  run: async ({ readRestore, noteRestore }, restoring: Restoring, stage: Stage): Promise<Restoring> => {
    const { plan, progress, etag } = await readRestore(restoring);
    const restored = new Set(progress?.items.flatMap((item) => (item.state === 'done' ? [item.resource] : [])));
    const missing = plan.point.artifacts.filter(({ resource }) => !restored.has(resource)).map(({ resource }) => resource);
    if (!progress || missing.length > 0) throw new Permanent(`${missing.join(', ')} was not restored.`);
    if (plan.point.cut.freeze && !progress.thawed)
      throw new Permanent('The point was cut inside a freeze, and what was restored has not been thawed.');
    await noteRestore({ ...restoring, progress: mark(progress, 'Verify', stage), etag });
    return only(restoring);
  },
});
