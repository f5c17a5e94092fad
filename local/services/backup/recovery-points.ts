import type * as SDK from '@aws-sdk/client-backup';
import { operations, refuse } from '../../world/service.ts';
import { pageOf } from '../pages.ts';
import { restoreMetadataOf, sizeOf } from './file-systems.ts';
import { type BackupState, daysIn, deletionOf, expireInTime, lockTrouble, type RecoveryPoint } from './state.ts';

const DELETING = [1, 30] as const;

const lifecycleOf = (point: RecoveryPoint) => {
  const due = deletionOf(point);
  return due ? { Lifecycle: { DeleteAfterDays: point.deleteAfterDays }, CalculatedLifecycle: { DeleteAt: due } } : {};
};

const describe = (point: RecoveryPoint) => ({
  RecoveryPointArn: point.arn,
  BackupVaultName: point.vault.name,
  BackupVaultArn: point.vault.arn,
  ResourceArn: point.resource,
  ResourceType: 'EFS',
  IamRoleArn: point.role,
  Status: point.status,
  CreationDate: point.createdAt,
  InitiationDate: point.createdAt,
  BackupSizeInBytes: sizeOf(point.saved),
  EncryptionKeyArn: point.vault.key,
  IsEncrypted: true,
  IsParent: false,
  ...lifecycleOf(point),
  ...(point.completedAt ? { CompletionDate: point.completedAt } : {}),
  ...(point.source === undefined ? {} : { SourceBackupVaultArn: point.source }),
});

const badToken = (): never => refuse('InvalidParameterValueException', 'NextToken is invalid.');

export const recoveryPoints = operations<typeof SDK, BackupState>()({
  DescribeRecoveryPoint: ({ BackupVaultName = '', RecoveryPointArn }, { state }) => ({
    ...describe(state.point(RecoveryPointArn, BackupVaultName)),
    StorageClass: 'WARM' as const,
  }),

  ListRecoveryPointsByBackupVault({ BackupVaultName, MaxResults, NextToken, ...by }, { state }) {
    const found = [...state.vault(BackupVaultName).points.values()].filter(
      ({ resource, createdAt }) =>
        (by.ByResourceArn === undefined || resource === by.ByResourceArn) &&
        (by.ByResourceType === undefined || by.ByResourceType === 'EFS') &&
        (by.ByCreatedAfter === undefined || createdAt > by.ByCreatedAfter) &&
        (by.ByCreatedBefore === undefined || createdAt < by.ByCreatedBefore),
    );
    const { page, next } = pageOf(found, MaxResults, NextToken) ?? badToken();
    return { RecoveryPoints: page.map(describe), ...(next ? { NextToken: next } : {}) };
  },

  ListRecoveryPointsByResource({ ResourceArn, MaxResults, NextToken }, { state }) {
    const found = state.points().filter(({ resource }) => resource === ResourceArn);
    const { page, next } = pageOf(found, MaxResults, NextToken) ?? badToken();
    const shown = page.map((point) => ({
      RecoveryPointArn: point.arn,
      BackupVaultName: point.vault.name,
      Status: point.status,
      CreationDate: point.createdAt,
      EncryptionKeyArn: point.vault.key,
      BackupSizeBytes: sizeOf(point.saved),
      IsParent: false,
    }));
    return { RecoveryPoints: shown, ...(next ? { NextToken: next } : {}) };
  },

  ListProtectedResources(_, { state }) {
    const latest = new Map<string, RecoveryPoint>();
    for (const point of state.points()) if (point.status === 'COMPLETED') latest.set(point.resource, point);
    return {
      Results: [...latest].map(([ResourceArn, { createdAt, vault }]) => ({
        ResourceArn,
        ResourceType: 'EFS',
        LastBackupTime: createdAt,
        LastBackupVaultArn: vault.arn,
      })),
    };
  },

  GetRecoveryPointRestoreMetadata({ BackupVaultName = '', RecoveryPointArn }, { state }) {
    const point = state.point(RecoveryPointArn, BackupVaultName);
    if (!point.saved) refuse('InvalidRequestException', `Recovery point ${point.arn} is ${point.status}.`);
    return {
      BackupVaultArn: point.vault.arn,
      RecoveryPointArn: point.arn,
      ResourceType: 'EFS',
      RestoreMetadata: { ...restoreMetadataOf(point.saved!) },
    };
  },

  UpdateRecoveryPointLifecycle({ BackupVaultName = '', RecoveryPointArn, Lifecycle }, { state }) {
    const point = state.point(RecoveryPointArn, BackupVaultName);
    const days = daysIn(Lifecycle);
    const shorter = days !== undefined && days < (point.deleteAfterDays ?? Number.POSITIVE_INFINITY);
    const trouble = point.vault.lock && shorter ? 'A lock lets no retention be shortened.' : lockTrouble(point.vault, days);
    if (trouble) refuse('InvalidRequestException', trouble);
    point.deleteAfterDays = days;
    expireInTime(point, state);
    return { BackupVaultArn: point.vault.arn, RecoveryPointArn: point.arn, ...lifecycleOf(point) };
  },

  /** In a locked vault nothing is deleted before its lifecycle ends, and without a lifecycle never (AWS Backup guide, "Vault Lock"). */
  DeleteRecoveryPoint({ BackupVaultName = '', RecoveryPointArn }, { state }) {
    const point = state.point(RecoveryPointArn, BackupVaultName);
    const { vault, status } = point;
    if (status === 'DELETING') return {};
    if (status === 'CREATING') refuse('InvalidRequestException', `Recovery point ${point.arn} is being created.`);
    if (vault.lock) {
      const until = deletionOf(point)?.toISOString();
      refuse(
        'InvalidRequestException',
        `Recovery point ${point.arn} cannot be deleted: backup vault ${vault.name} is locked${until ? ` until ${until}` : ', and it has no lifecycle that would end'}.`,
      );
    }
    point.status = 'DELETING';
    state.after(DELETING, () => vault.points.delete(point.arn));
    return {};
  },

  TagResource({ ResourceArn, Tags = {} }, { state }) {
    Object.assign(state.tagged(ResourceArn).tags, Tags);
    return {};
  },
  UntagResource({ ResourceArn, TagKeyList = [] }, { state }) {
    const { tags } = state.tagged(ResourceArn);
    for (const key of TagKeyList) delete tags[key];
    return {};
  },
  ListTags({ ResourceArn, MaxResults, NextToken }, { state }) {
    const { page, next } = pageOf(Object.entries(state.tagged(ResourceArn).tags), MaxResults, NextToken) ?? badToken();
    return { Tags: Object.fromEntries(page), ...(next ? { NextToken: next } : {}) };
  },
});
