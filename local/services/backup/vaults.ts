import type * as SDK from '@aws-sdk/client-backup';
import { Malformed } from '../../world/authorization/conditions.ts';
import { documentOf } from '../../world/authorization/document.ts';
import { operations, refuse } from '../../world/service.ts';
import type { KmsState } from '../kms/state.ts';
import { pageOf } from '../pages.ts';
import type { BackupState, Vault } from './state.ts';

/** The least number of days in which a compliance lock can still be taken back (AWS Backup API, PutBackupVaultLockConfiguration). */
const LEAST_CHANGEABLE_DAYS = 3;

const describe = ({ name, arn, createdAt, key, requestId, points, lock }: Vault) => ({
  BackupVaultName: name,
  BackupVaultArn: arn,
  CreationDate: createdAt,
  EncryptionKeyArn: key,
  NumberOfRecoveryPoints: points.size,
  VaultType: 'BACKUP_VAULT' as const,
  VaultState: 'AVAILABLE' as const,
  Locked: lock !== undefined,
  ...(requestId === undefined ? {} : { CreatorRequestId: requestId }),
  ...(lock?.minDays === undefined ? {} : { MinRetentionDays: lock.minDays }),
  ...(lock?.maxDays === undefined ? {} : { MaxRetentionDays: lock.maxDays }),
  ...(lock?.unchangeableFrom ? { LockDate: lock.unchangeableFrom } : {}),
});

function changeable({ name, lock }: Vault, now: Date): void {
  if (lock?.unchangeableFrom && lock.unchangeableFrom <= now)
    refuse(
      'InvalidRequestException',
      `Backup vault ${name} is locked in compliance mode; its lock cannot be changed or deleted.`,
    );
}

export const vaults = operations<typeof SDK, BackupState>()({
  CreateBackupVault({ BackupVaultName: name = '', BackupVaultTags = {}, EncryptionKeyArn, CreatorRequestId }, { state, peer }) {
    if (!/^[a-zA-Z0-9_-]{2,50}$/.test(name)) refuse('InvalidParameterValueException', `"${name}" cannot name a backup vault.`);
    const known = state.vaults.get(name);
    if (known && CreatorRequestId !== undefined && known.requestId === CreatorRequestId) return describe(known);
    if (known)
      refuse('AlreadyExistsException', `Backup vault with the same name already exists: ${name}`, {
        Arn: known.arn,
        CreatorRequestId: known.requestId,
      });
    const vault: Vault = {
      name,
      arn: state.arn('backup-vault', name),
      createdAt: state.now(),
      key: peer<KmsState>('kms').find(EncryptionKeyArn ?? 'alias/aws/backup').arn,
      requestId: CreatorRequestId,
      points: new Map(),
      tags: { ...BackupVaultTags },
    };
    state.vaults.set(name, vault);
    return describe(vault);
  },

  DescribeBackupVault: ({ BackupVaultName }, { state }) => describe(state.vault(BackupVaultName)),

  ListBackupVaults({ MaxResults, NextToken }, { state }) {
    const { page, next } =
      pageOf([...state.vaults.values()], MaxResults, NextToken) ??
      refuse('InvalidParameterValueException', 'NextToken is invalid.');
    return { BackupVaultList: page.map(describe), ...(next ? { NextToken: next } : {}) };
  },

  DeleteBackupVault({ BackupVaultName }, { state }) {
    const { name, points } = state.vault(BackupVaultName);
    if (points.size > 0)
      refuse('InvalidRequestException', `Backup vault ${name} cannot be deleted because it contains recovery points.`);
    state.vaults.delete(name);
    return {};
  },

  PutBackupVaultAccessPolicy({ BackupVaultName, Policy = '' }, { state }) {
    const vault = state.vault(BackupVaultName);
    try {
      documentOf(Policy, 'resource');
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      refuse('InvalidParameterValueException', `The policy is not valid: ${error.message}`);
    }
    vault.policy = Policy;
    return {};
  },

  GetBackupVaultAccessPolicy({ BackupVaultName }, { state }) {
    const { name, arn, policy } = state.vault(BackupVaultName);
    if (policy === undefined) refuse('ResourceNotFoundException', `Backup vault ${name} has no access policy.`);
    return { BackupVaultName: name, BackupVaultArn: arn, Policy: policy };
  },

  DeleteBackupVaultAccessPolicy({ BackupVaultName }, { state }) {
    delete state.vault(BackupVaultName).policy;
    return {};
  },

  PutBackupVaultLockConfiguration({ BackupVaultName, MinRetentionDays, MaxRetentionDays, ChangeableForDays }, { state }) {
    const vault = state.vault(BackupVaultName);
    const now = state.now();
    changeable(vault, now);
    if (ChangeableForDays !== undefined && ChangeableForDays < LEAST_CHANGEABLE_DAYS)
      refuse('InvalidParameterValueException', `ChangeableForDays must be at least ${LEAST_CHANGEABLE_DAYS}.`);
    if (MinRetentionDays !== undefined && MaxRetentionDays !== undefined && MinRetentionDays > MaxRetentionDays)
      refuse('InvalidParameterValueException', 'MinRetentionDays is more than MaxRetentionDays.');
    vault.lock = {
      minDays: MinRetentionDays,
      maxDays: MaxRetentionDays,
      unchangeableFrom: ChangeableForDays === undefined ? undefined : new Date(now.getTime() + ChangeableForDays * 86_400_000),
    };
    return {};
  },

  DeleteBackupVaultLockConfiguration({ BackupVaultName }, { state }) {
    const vault = state.vault(BackupVaultName);
    changeable(vault, state.now());
    delete vault.lock;
    return {};
  },

  DescribeRegionSettings: (_, { state }) => ({
    ResourceTypeOptInPreference: { ...state.optedIn },
    ResourceTypeManagementPreference: {},
  }),
  UpdateRegionSettings({ ResourceTypeOptInPreference = {} }, { state }) {
    Object.assign(state.optedIn, ResourceTypeOptInPreference);
    return {};
  },
  GetSupportedResourceTypes: () => ({ ResourceTypes: ['EFS'] }),
});
