import { attributes, documentText, given, type Maker, type Properties, type ResourceTypes } from './resource.ts';

async function settle(
  { BackupVaultName, AccessPolicy, LockConfiguration }: Properties,
  { call }: Maker,
  before?: Properties,
): Promise<void> {
  if (AccessPolicy) await call('backup', 'PutBackupVaultAccessPolicy', { BackupVaultName, Policy: documentText(AccessPolicy) });
  else if (before?.['AccessPolicy']) await call('backup', 'DeleteBackupVaultAccessPolicy', { BackupVaultName });
  if (LockConfiguration && JSON.stringify(LockConfiguration) !== JSON.stringify(before?.['LockConfiguration']))
    await call('backup', 'PutBackupVaultLockConfiguration', { BackupVaultName, ...LockConfiguration });
  else if (!LockConfiguration && before?.['LockConfiguration'])
    await call('backup', 'DeleteBackupVaultLockConfiguration', { BackupVaultName });
}

export const backup: ResourceTypes = {
  'AWS::Backup::BackupVault': {
    properties: ['BackupVaultName', 'EncryptionKeyArn', 'AccessPolicy', 'LockConfiguration', 'BackupVaultTags'],
    replaced: ['BackupVaultName', 'EncryptionKeyArn'],
    async create(properties, maker) {
      const { BackupVaultName, EncryptionKeyArn, BackupVaultTags } = properties;
      const { BackupVaultArn } = await maker.call(
        'backup',
        'CreateBackupVault',
        given({ BackupVaultName, EncryptionKeyArn, BackupVaultTags }),
      );
      await settle(properties, maker);
      return attributes(BackupVaultName, { BackupVaultArn, BackupVaultName });
    },
    async update(properties, made, maker, before) {
      await settle(properties, maker, before);
      return made;
    },
    remove: async ({ id }, { call }) => void (await call('backup', 'DeleteBackupVault', { BackupVaultName: id })),
  },
};
