import { verb } from '../../../aws/verb.ts';
import type { Artifact, Item } from '../../../domain.ts';
import { BACKUP_VAULT } from '../../../vault/layout.ts';
import { failing, inParallel } from '../../items.ts';
import type { CaptureWork, Passage, Started } from '../../kind.ts';
import { backingUp, beginBackup, lookingAtBackups, settleBackup } from '../aws-backup.ts';
import { factsOf, KIND } from './file-system.ts';

const WIDTH = 5;

/**
 * Slow: AWS Backup walks the live tree, and what changes meanwhile "may result in duplicated, skewed, or excluded data" (AWS Backup guide,
 * "Amazon EFS backups"). A file that was there before the walk began and neither changes nor moves is in it as it was.
 */
export const capture: Passage<CaptureWork, Artifact> = {
  waits: true,
  start: verb(
    backingUp,
    (aws, works: readonly CaptureWork[], scene): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) =>
        beginBackup(aws, work, scene).catch(failing(work.resource.id, 'Its AWS Backup jobs could not be listed')),
      ),
  ),
  settle: verb(
    lookingAtBackups,
    (aws, works: readonly Started<CaptureWork>[]): Promise<Item<Artifact>[]> =>
      inParallel(works, WIDTH, (work) =>
        settleBackup(aws, work, {
          kind: KIND,
          bytes: factsOf(work.resource).bytes,
          facts: { vault: BACKUP_VAULT },
        }).catch(failing(work.resource.id, 'Its AWS Backup job could not be looked at')),
      ),
  ),
};
