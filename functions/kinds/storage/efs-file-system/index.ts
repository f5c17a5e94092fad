import { kind } from '../../kind.ts';
import { capture } from './capture.ts';
import { copy } from './copy.ts';
import { discover } from './discover.ts';
import { expire, strays } from './expire.ts';
import { KIND } from './file-system.ts';
import { preview } from './preview.ts';
import { restore } from './restore.ts';

/**
 * What EFS promises: nothing. It has no snapshots; AWS Backup reads the live tree, which takes minutes to hours and begins when it can, so no
 * instant of it exists (AWS Backup guide, "Amazon EFS backups"). What was there before and does not change is whole.
 */
export default kind({
  name: KIND,
  layer: 'storage',
  cut: 'slow',
  leastSeconds: 120, // a job rests in its queue for a minute or more before it walks
  usual: { sealMinutes: 20, copyMinutes: 20 }, // by the number of files; a job may wait in its queue first (AWS Backup guide, "Amazon EFS backups")
  // AWS Backup guide, "AWS Backup quotas"
  quotas: [{ name: 'Concurrent outbound copies to one Region', most: 100, at: ['vault'], takes: 'copy' }],
  loses: [
    'The file system’s, its access points’ and mount targets’ ids and addresses: what names them is rewired, and what is outside the point keeps the old ones.',
    'The instant: each file is as it was at some time between the beginning and the end of its backup, and what was moved meanwhile may be in it twice or not at all.',
    'Replication to another file system, and locks that hosts hold.',
    'A One Zone file system’s zone: what is restored is Regional.',
    'Away from home, the original encryption key and security groups: the copy is under the vault’s key, and mounted as the vault’s target says.',
  ],
  discover,
  capture,
  copy,
  restore,
  preview,
  strays,
  expire,
});
