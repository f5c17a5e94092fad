import { verb } from '../../../aws/verb.ts';
import type { Artifact, Item } from '../../../domain.ts';
import { failing, inParallel } from '../../items.ts';
import type { CopyWork, Passage, Started } from '../../kind.ts';
import { beginCopy, copying, lookingAtCopies, settleCopy } from '../aws-backup.ts';

/** AWS allows a hundred copies at a time into one region, and five into one vault; the others wait in its queue (AWS Backup quotas). */
const WIDTH = 5;

/** Pushed, alone of all kinds: the vault has home's AWS Backup copy into the vault's backup vault. Once there, nothing of home is needed. */
export const copy: Passage<CopyWork, Artifact> = {
  start: verb(
    copying,
    (aws, works: readonly CopyWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) => beginCopy(aws, work, scene)),
  ),
  settle: verb(
    lookingAtCopies,
    (aws, works: readonly Started<CopyWork>[]): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) =>
        settleCopy(aws, work).catch(failing(work.resource.id, 'Its copy job could not be looked at')),
      ),
  ),
};
