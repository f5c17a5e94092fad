import { beforeAll, describe, expect, test } from 'vitest';
import type { Place } from '../../functions/domain.ts';
import { BACKUP_VAULT, dataBucket, ledgerBucket } from '../../functions/vault/layout.ts';
import type { BackupState } from '../../local/services/backup/state.ts';
import type { Ec2State } from '../../local/services/ec2/state.ts';
import type { RdsState } from '../../local/services/rds/state.ts';
import { direct } from '../../local/world/direct.ts';
import { configurationFor, HOME, SAFE, type Stage, WEST } from '../world.ts';
import { played } from './playing.ts';
import { type Role, rolesOf, synthesisedOf } from './synthesised.ts';

interface Attempt {
  readonly service: string;
  readonly operation: string;
  readonly input: object;
}

type Ask = (service: string, operation: string, input: object) => Promise<any>;

async function everyAttempt(stand: Stage, place: Place, ask: Ask): Promise<Attempt[]> {
  const attempt = (service: string, operation: string, input: object): Attempt => ({ service, operation, input });
  const versions = async (Bucket: string) => {
    const { Versions } = await ask('s3', 'ListObjectVersions', { Bucket, MaxKeys: 1 });
    return { Bucket, Key: Versions[0].Key as string, VersionId: Versions[0].VersionId as string };
  };
  const held = await Promise.all([ledgerBucket(place), dataBucket(place)].map(versions));
  const soon = new Date(stand.world.clock.now() + 60_000);
  const snapshots = [...stand.world.state<Ec2State>('ec2', place).snapshots.keys()];
  const databases = [...stand.world.state<RdsState>('rds', place).snapshots.keys()];
  const points = stand.world
    .state<BackupState>('backup', place)
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

/**
 * Every principal of home × every call that ends or loosens what a vault keeps locked, as live calls: none is let through, and each is stopped
 * by the principal's own permissions, before any lock is asked.
 */
describe.each([
  ['in the same account', WEST],
  ['in another account', SAFE],
])('a vault %s', (_, place) => {
  let stand: Stage;
  let roles: Role[];
  let principals: Role[];

  const ask: Ask = (service, operation, input) => stand.settle(stand.world.call({ place, service, operation, input }));
  const answer = (role: Role, { service, operation, input }: Attempt): Promise<string> => {
    const [, account, name] = /::(\d+):role\/(.+)$/.exec(role.arn)!;
    const caller = { account: account!, arn: `arn:aws:sts::${account}:assumed-role/${name}/me` };
    const call = { service, command: { name: `${operation}Command` } };
    return stand.settle(direct(stand.world, caller).send({ call, place, input })).then(
      () => 'done',
      (error: Error) => error.message,
    );
  };
  const allowed = async (attempts: readonly Attempt[]): Promise<string[]> => {
    const found: string[] = [];
    for (const role of principals)
      for (const attempt of attempts) {
        const said = await answer(role, attempt);
        if (!/is not authorized to perform/.test(said))
          found.push(`${role.name} ${attempt.service}:${attempt.operation}: ${said}`);
      }
    return found;
  };

  beforeAll(async () => {
    const { templates } = await synthesisedOf(configurationFor({ cluster: true }, [], place));
    roles = rolesOf(templates);
    principals = roles.filter(({ arn }) => arn.includes(`:${HOME.account}:`) && arn.endsWith(HOME.region));
    await played(
      `matrix ${place.account}`,
      {
        policy: { outlast: { by: 'snapshot', every: 'hourly' } },
        vault: place,
        async play(on) {
          stand = on;
          await on.settle(on.startProtect().ended);
          await on.replicated(place);
        },
      },
      templates,
    );
  });

  test('no principal of home ends or loosens a copy that the vault keeps', async () => {
    const attempts = await everyAttempt(stand, place, ask);
    expect(await allowed(attempts)).toEqual([]);
    expect(principals.length * attempts.length).toBeGreaterThan(500);
  });

  test('no principal of home takes on a role of the vault', async () => {
    const kept = roles.filter(({ arn }) => arn.includes(`:${place.account}:`) && arn.endsWith(place.region));
    expect(kept.length).toBeGreaterThan(10);
    const assume = kept.map(({ arn }) => ({
      service: 'sts',
      operation: 'AssumeRole',
      input: { RoleArn: arn, RoleSessionName: 'me' },
    }));
    expect(await allowed(assume)).toEqual([]);
  });
});
