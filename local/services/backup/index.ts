import { defineService } from '../../world/service.ts';
import { authorization } from './authorization.ts';
import { backupJobs } from './backup-jobs.ts';
import { copyJobs } from './copy-jobs.ts';
import { recoveryPoints } from './recovery-points.ts';
import { restoreJobs } from './restore-jobs.ts';
import { BackupState } from './state.ts';
import { vaults } from './vaults.ts';

/** AWS Backup, for Amazon EFS: vaults and their locks, jobs that back up, copy and restore. Backup plans are not modelled. */
export const service = defineService<BackupState>({
  name: 'backup',
  sdk: () => import('@aws-sdk/client-backup'),
  client: 'BackupClient',
  scope: 'region',
  state: (context) => new BackupState(context),
  authorization,
  operations: { ...vaults, ...recoveryPoints, ...backupJobs, ...copyJobs, ...restoreJobs },
});
