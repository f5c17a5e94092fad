import { type Door, verb } from '../../../aws/verb.ts';
import { type Item, type Restored, samePlace } from '../../../domain.ts';
import { DATA_KEY } from '../../../vault/layout.ts';
import { asJson, failing, handleOf, inParallel } from '../../items.ts';
import type { Passage, RestoreWork, Started } from '../../kind.ts';
import { beginRestore, lookingAtRestores, restoredBy, restoreToken, restoring } from '../aws-backup.ts';
import { equip, equipping } from './equip.ts';
import { factsOf, fileSystemIdOf, TYPE } from './file-system.ts';

const WIDTH = 5;

/** First AWS Backup makes the file system and its files, then all that no recovery point holds is set again. */
type Handle = { readonly job: string } | { readonly fileSystem: string };

export const restore: Passage<RestoreWork, Restored> = {
  start: verb(
    restoring,
    (aws, works: readonly RestoreWork[]): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) =>
        beginRestore(aws, work, TYPE, metadataFor(work)).catch(failing(work.resource.id, 'It could not be restored')),
      ),
  ),
  settle: verb(
    { ...lookingAtRestores, ...equipping },
    (aws, works: readonly Started<RestoreWork>[]): Promise<Item<Restored>[]> =>
      inParallel(works, WIDTH, (work) => goOn(aws, work).catch(failing(work.resource.id, 'It could not be restored'))),
  ),
};

async function goOn(aws: Door<typeof lookingAtRestores & typeof equipping>, work: Started<RestoreWork>): Promise<Item<Restored>> {
  const handle = handleOf<Handle>(work);
  if ('fileSystem' in handle) return equip(aws, work, handle.fileSystem);
  const job = await restoredBy(aws, work);
  if ('item' in job) return job.item;
  const fileSystem = fileSystemIdOf(job.made);
  return equip(aws, { ...work, handle: asJson({ fileSystem } satisfies Handle) }, fileSystem);
}

/** Values are text, and a new file system must be asked for, or the files would go into the original (AWS Backup API, StartRestoreJob). */
function metadataFor(work: RestoreWork): Record<string, string> {
  const key = keyFor(work);
  return {
    'file-system-id': work.resource.name,
    newFileSystem: 'true',
    CreationToken: restoreToken(work),
    PerformanceMode: factsOf(work.resource).performanceMode,
    Encrypted: String(key !== null),
    ...(key === null ? {} : { KmsKeyId: key }),
  };
}

/** Under the key of where it is restored: at home the original's own, elsewhere the vault's. */
export function keyFor({ resource, target }: RestoreWork): string | null {
  const { encrypted, kmsKeyId } = factsOf(resource);
  return samePlace(target.place, resource.place) ? (encrypted ? kmsKeyId : null) : DATA_KEY;
}
