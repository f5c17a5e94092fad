import { beforeAll, expect, test } from 'vitest';
import { BACKUP_VAULT, dataBucket, ledgerBucket } from '../../functions/vault/layout.ts';
import type { BackupState } from '../../local/services/backup/state.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import { direct } from '../../local/world/direct.ts';
import { configurationFor, HOME, type Stage, WEST } from '../world.ts';
import { played } from './playing.ts';
import { ACCOUNT, type Role, rolesOf, synthesisedOf, type Template } from './synthesised.ts';

/**
 * Every principal of home × every call that ends or loosens what a vault keeps locked, as live calls: none is let through, and each is stopped
 * by the principal's own permissions, before any lock is asked.
 */
let stand: Stage;
let templates: Readonly<Record<string, Template>>;
let principals: Role[];
let attempts: { readonly service: string; readonly operation: string; readonly input: object }[];

const ask = (service: string, operation: string, input: object): Promise<any> =>
  stand.settle(stand.world.call({ place: WEST, service, operation, input }));

beforeAll(async () => {
  ({ templates } = await synthesisedOf(configurationFor({ cluster: true })));
  principals = rolesOf(templates).filter(({ name }) => name.endsWith(HOME.region));
  await played(
    'matrix',
    {
      policy: { outlast: { by: 'snapshot', every: 'hourly' } },
      async play(on) {
        stand = on;
        await on.settle(on.startProtect().ended);
        await on.replicated(WEST);
      },
    },
    templates,
  );
  attempts = await everyAttempt();
});

async function everyAttempt() {
  const attempt = (service: string, operation: string, input: object) => ({ service, operation, input });
  const versions = async (Bucket: string) => {
    const { Versions } = await ask('s3', 'ListObjectVersions', { Bucket, MaxKeys: 1 });
    return { Bucket, Key: Versions[0].Key as string, VersionId: Versions[0].VersionId as string };
  };
  const held = await Promise.all([ledgerBucket(WEST), dataBucket(WEST)].map(versions));
  const soon = new Date(stand.world.clock.now() + 60_000);
  const snapshots = [...stand.world.state<Ec2State>('ec2', WEST).snapshots.keys()];
  const databases = [...stand.world.state<RdsState>('rds', WEST).snapshots.keys()];
  const points = stand.world
    .state<BackupState>('backup', WEST)
    .points()
    .map(({ arn }) => arn);
  const { Keys } = await ask('kms', 'ListKeys', {});
  expect([snapshots.length, databases.length, points.length, Keys.length].every((count) => count > 0)).toBe(true);
  const vault = { BackupVaultName: BACKUP_VAULT };
  return [
    ...held.flatMap(({ Bucket, Key, VersionId }) => [
      attempt('s3', 'DeleteObject', { Bucket, Key }),
      attempt('s3', 'DeleteObject', { Bucket, Key, VersionId, BypassGovernanceRetention: true }),
      attempt('s3', 'PutObject', { Bucket, Key, Body: new Uint8Array() }),
      attempt('s3', 'PutObjectRetention', {
        Bucket,
        Key,
        VersionId,
        Retention: { Mode: 'GOVERNANCE', RetainUntilDate: soon },
        BypassGovernanceRetention: true,
      }),
      attempt('s3', 'PutObjectLegalHold', { Bucket, Key, VersionId, LegalHold: { Status: 'OFF' } }),
      attempt('s3', 'PutObjectLockConfiguration', { Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }),
      attempt('s3', 'PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules: [] } }),
      attempt('s3', 'PutBucketVersioning', { Bucket, VersioningConfiguration: { Status: 'Suspended' } }),
      attempt('s3', 'PutBucketPolicy', { Bucket, Policy: '{}' }),
      attempt('s3', 'DeleteBucketPolicy', { Bucket }),
      attempt('s3', 'DeleteBucket', { Bucket }),
    ]),
    ...snapshots.flatMap((SnapshotId) => [
      attempt('ec2', 'DeleteSnapshot', { SnapshotId }),
      attempt('ec2', 'UnlockSnapshot', { SnapshotId }),
      attempt('ec2', 'LockSnapshot', { SnapshotId, LockMode: 'governance', LockDuration: 1 }),
      attempt('ec2', 'DeleteTags', { Resources: [SnapshotId] }),
      attempt('ec2', 'ModifySnapshotAttribute', { SnapshotId, OperationType: 'add', UserIds: ['999999999999'] }),
    ]),
    ...databases.map((DBSnapshotIdentifier) => attempt('rds', 'DeleteDBSnapshot', { DBSnapshotIdentifier })),
    ...points.flatMap((RecoveryPointArn) => [
      attempt('backup', 'DeleteRecoveryPoint', { ...vault, RecoveryPointArn }),
      attempt('backup', 'UpdateRecoveryPointLifecycle', { ...vault, RecoveryPointArn, Lifecycle: { DeleteAfterDays: 1 } }),
      attempt('backup', 'UntagResource', { ResourceArn: RecoveryPointArn, TagKeyList: ['stillpoint:application'] }),
    ]),
    attempt('backup', 'DeleteBackupVault', vault),
    attempt('backup', 'DeleteBackupVaultLockConfiguration', vault),
    attempt('backup', 'PutBackupVaultAccessPolicy', { ...vault, Policy: '{}' }),
    ...(Keys as { KeyId: string }[]).flatMap(({ KeyId }) => [
      attempt('kms', 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }),
      attempt('kms', 'DisableKey', { KeyId }),
      attempt('kms', 'PutKeyPolicy', { KeyId, PolicyName: 'default', Policy: '{}' }),
    ]),
    attempt('kms', 'DeleteAlias', { AliasName: 'alias/stillpoint-data' }),
  ];
}

test('no principal of home ends or loosens a copy that the vault keeps', async () => {
  const allowed: string[] = [];
  for (const { name } of principals) {
    const caller = { account: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${name}/me` };
    for (const { service, operation, input } of attempts) {
      const call = { service, command: { name: `${operation}Command` } };
      const answer = await stand.settle(direct(stand.world, caller).send({ call, place: WEST, input })).then(
        () => 'done',
        (error: Error) => error.message,
      );
      if (!/is not authorized to perform/.test(answer)) allowed.push(`${name} ${service}:${operation}: ${answer}`);
    }
  }
  expect(allowed).toEqual([]);
  expect(principals.length * attempts.length).toBeGreaterThan(500);
});
