import { givingTags } from '../../world/authorization/checks.ts';
import type { Authorization } from '../../world/authorization/declared.ts';
import { passing } from '../../world/authorization/declared.ts';
import { documentOf } from '../../world/authorization/document.ts';
import type { BackupState } from './state.ts';

/** Service Authorization Reference, "AWS Backup"; a vault's own policy binds everybody (AWS Backup guide, "Vault access policies"). */
export const authorization: Authorization<BackupState> = {
  members: {
    BackupVaultName: 'backupVault',
    SourceBackupVaultName: [],
    DestinationBackupVaultArn: [],
    ByBackupVaultName: [],
    ByResourceArn: [],
    IamRoleArn: [],
  },
  also: {
    StartBackupJob: ({ IamRoleArn, RecoveryPointTags }, { state }) => [
      ...passing(IamRoleArn, 'backup.amazonaws.com'),
      ...givingTags('backup:TagResource', state.arn('recovery-point', '*'), RecoveryPointTags),
    ],
    StartCopyJob: ({ IamRoleArn }) => passing(IamRoleArn, 'backup.amazonaws.com'),
    StartRestoreJob: ({ IamRoleArn }) => passing(IamRoleArn, 'backup.amazonaws.com'),
    /** Tags that come with a vault (AWS Backup API, CreateBackupVault: BackupVaultTags). */
    CreateBackupVault: ({ BackupVaultName = '', BackupVaultTags }, { state }) =>
      givingTags('backup:TagResource', state.arn('backup-vault', BackupVaultName), BackupVaultTags),
  },
  guard: (resource, { state }) => {
    const vault = [...state.vaults.values()].find(({ arn, points }) => arn === resource || points.has(resource));
    return vault?.policy === undefined ? undefined : { policy: documentOf(vault.policy, 'resource') };
  },
};
