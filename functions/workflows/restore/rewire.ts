import { Permanent } from '../../aws/errors.ts';
import type { Rename } from '../../domain.ts';
import { noteRestore, type RestoreProgress, readRestore } from '../../vault/restores.ts';
import { type Stage, step } from '../step.ts';
import type { Restoring } from './plan.ts';
import { mark, only } from './provision.ts';

/** Every new name is known now: writes down how old ones became new ones, for what names them to be applied with. */
export const rewire = step({
  name: 'restore-rewire',
  duty: 'restore',
  uses: { readRestore, noteRestore },
  limits: { seconds: 60, memoryMb: 256 },
  run: async ({ readRestore, noteRestore }, restoring: Restoring, stage: Stage): Promise<Restoring> => {
    const { progress, etag } = await readRestore(restoring);
    if (!progress) throw new Permanent(`Restore "${restoring.restore}" has provisioned nothing, so there is nothing to rewire.`);
    const rewired = { ...mark(progress, 'Rewire', stage), renames: renamesOf(progress) };
    await noteRestore({ ...restoring, progress: rewired, etag });
    return only(restoring);
  },
});

/** The renames of everything restored, without repetition. Two meanings of one name would rewire wrongly, so they are refused. */
export function renamesOf({ items }: Pick<RestoreProgress, 'items'>): Rename[] {
  const renames = new Map<string, Rename>();
  for (const rename of items.flatMap((item) => (item.state === 'done' ? item.result.renames : []))) {
    const known = renames.get(rename.was);
    if (known && known.is !== rename.is)
      throw new Permanent(`"${rename.was}" became both "${known.is}" and "${rename.is}"; it cannot be rewired.`);
    renames.set(rename.was, rename);
  }
  return [...renames.values()];
}
