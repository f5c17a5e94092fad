import { describe, expect, test } from 'vitest';
import type { BackupState } from '../../local/services/backup/state.ts';
import type { EfsState } from '../../local/services/elasticfilesystem/state.ts';
import { loadServices, World } from '../../local/world/world.ts';
import { serviceRole } from './roles.ts';

const services = await loadServices();
const HERE = { account: '111122223333', region: 'us-east-1' };
const THERE = { account: '111122223333', region: 'eu-west-1' };
const ROLE = 'arn:aws:iam::111122223333:role/backup';
const MINUTE = 60_000;
const DAY = 86_400_000;

async function setUp() {
  const world = new World(services, { seed: 'backup', latency: [0, 0] });
  const call = (operation: string, input: object = {}, place = HERE, service = 'backup') =>
    world.clock.settle(world.call({ place, service, operation, input }));
  const refused = (operation: string, input: object, place = HERE) =>
    call(operation, input, place).then(
      () => 'taken',
      ({ code }) => code,
    );
  await serviceRole(world, HERE.account, 'backup', 'backup.amazonaws.com');
  const made = await call('CreateFileSystem', { CreationToken: 'a' }, HERE, 'elasticfilesystem');
  for (const place of [HERE, THERE]) {
    const { KeyMetadata } = await call('CreateKey', {}, place, 'kms');
    await call('CreateBackupVault', { BackupVaultName: 'kept', EncryptionKeyArn: KeyMetadata.Arn }, place);
  }
  await world.clock.advance(MINUTE);
  const arn = made.FileSystemArn as string;
  const efs = (place = HERE) => world.state<EfsState>('elasticfilesystem', place);
  const backup = (place = HERE) => world.state<BackupState>('backup', place);
  const start = (more: object = {}): Promise<any> =>
    call('StartBackupJob', { BackupVaultName: 'kept', ResourceArn: arn, IamRoleArn: ROLE, ...more });
  const job = (BackupJobId: string) => call('DescribeBackupJob', { BackupJobId });
  /** A backup, complete. */
  const taken = async (more: object = {}) => {
    const { BackupJobId } = await start(more);
    await world.clock.advance(60 * MINUTE);
    return job(BackupJobId);
  };
  return { world, call, refused, arn, efs, backup, start, job, taken, files: efs().files(made.FileSystemId) };
}

describe('a backup job', () => {
  test('is created, runs and completes, and its recovery point bears the tags that it was given', async () => {
    const { world, call, start, job, arn, files } = await setUp();
    files.write('/a', 'hello');
    const { BackupJobId, RecoveryPointArn, CreationDate } = await start({
      RecoveryPointTags: { app: 'shop' },
      IdempotencyToken: 't',
    });
    const states = new Set<string>();
    for (let i = 0; i < 1200; i++) {
      states.add((await job(BackupJobId)).State);
      await world.clock.advance(2000);
    }
    expect([...states]).toEqual(['CREATED', 'PENDING', 'RUNNING', 'COMPLETED']);
    const done = await job(BackupJobId);
    expect(done.CreationDate).toEqual(CreationDate);
    expect(done.CompletionDate > done.InitiationDate && done.InitiationDate > CreationDate).toBe(true);
    expect(done).toMatchObject({ RecoveryPointArn, ResourceArn: arn, ResourceType: 'EFS', BackupSizeInBytes: 5 });
    expect((await call('ListTags', { ResourceArn: RecoveryPointArn })).Tags).toEqual({ app: 'shop' });
    const { RecoveryPoints } = await call('ListRecoveryPointsByBackupVault', { BackupVaultName: 'kept' });
    expect(RecoveryPoints).toMatchObject([{ RecoveryPointArn, Status: 'COMPLETED' }]);
    expect((await start({ IdempotencyToken: 't' })).BackupJobId).toBe(BackupJobId);
  });

  test('reads a live tree: each file as it was at some time while it ran', async () => {
    const { world, start, job, backup, files } = await setUp();
    for (let i = 0; i < 40; i++) files.write(`/${i}`, 'before');
    const { BackupJobId } = await start();
    while ((await job(BackupJobId)).State !== 'RUNNING') await world.clock.advance(1000);
    const from = world.clock.now();
    while ((await job(BackupJobId)).State === 'RUNNING') {
      const now = `${world.clock.now()}`;
      for (let i = 0; i < 40; i++) files.write(`/${i}`, now);
      files.write(`/new/${now}`, 'new');
      await world.clock.advance(5000);
    }
    const { RecoveryPointArn } = await job(BackupJobId);
    const saved = backup().point(RecoveryPointArn).saved!;
    const times = Array.from({ length: 40 }, (_, i) => Buffer.from(saved.files.get(`/${i}`)!).toString());
    expect(new Set(times).size).toBeGreaterThan(10);
    for (const time of times) if (time !== 'before') expect(Number(time)).toBeGreaterThanOrEqual(from);
    const news = [...saved.files.keys()].filter((path) => path.startsWith('/new/'));
    expect(news.length).toBeGreaterThan(0);
    expect(news.length).toBeLessThan(files.list().filter((path) => path.startsWith('/new/')).length);
  });

  test('is one of its resource at a time: the next waits in its queue, and expires when its start window ends', async () => {
    const { world, start, job, backup } = await setUp();
    backup().workSeconds = [7200, 7200];
    const first = await start();
    await world.clock.advance(15 * MINUTE);
    const second = await start({ StartWindowMinutes: 60 });
    await world.clock.advance(30 * MINUTE);
    expect(await job(second.BackupJobId)).toMatchObject({
      State: 'CREATED',
      StatusMessage: expect.stringContaining(first.BackupJobId),
    });
    await world.clock.advance(31 * MINUTE);
    expect(await job(second.BackupJobId)).toMatchObject({
      State: 'EXPIRED',
      StatusMessage: expect.stringContaining('Another job'),
    });
    const third = await start();
    await world.clock.advance(6 * 60 * MINUTE);
    expect((await job(first.BackupJobId)).State).toBe('COMPLETED');
    expect((await job(third.BackupJobId)).State).toBe('COMPLETED');
  });

  test('that takes longer than its completion window leaves a partial recovery point', async () => {
    const { world, call, start, job, backup } = await setUp();
    backup().workSeconds = [7200, 7200];
    const { BackupJobId, RecoveryPointArn } = await start({ CompleteWindowMinutes: 90 });
    await world.clock.advance(120 * MINUTE);
    expect((await job(BackupJobId)).State).toBe('EXPIRED');
    const point = { BackupVaultName: 'kept', RecoveryPointArn };
    expect((await call('DescribeRecoveryPoint', point)).Status).toBe('PARTIAL');
  });

  test('fails with a reason: what it reads is gone, its key cannot be used, the vault’s lock does not take it', async () => {
    const { call, efs, backup, taken, arn } = await setUp();
    await call('PutBackupVaultLockConfiguration', { BackupVaultName: 'kept', MinRetentionDays: 7 });
    expect(await taken({ Lifecycle: { DeleteAfterDays: 3 } })).toMatchObject({
      State: 'FAILED',
      StatusMessage: expect.stringMatching(/at least 7 days/),
    });
    const { key } = backup().vault('kept');
    await call('DisableKey', { KeyId: key }, HERE, 'kms');
    expect(await taken()).toMatchObject({ State: 'FAILED', StatusMessage: expect.stringMatching(/key .* cannot be used/) });
    await call('EnableKey', { KeyId: key }, HERE, 'kms');
    await call('DeleteFileSystem', { FileSystemId: arn.split('/')[1] }, HERE, 'elasticfilesystem');
    expect(await taken()).toMatchObject({ State: 'FAILED', StatusMessage: expect.stringMatching(/does not exist/) });
    expect(efs().fileSystems.size).toBe(0);
    expect(backup().points()).toEqual([]);
  });

  test('is refused what it cannot be', async () => {
    const { call, refused, arn } = await setUp();
    const right = { BackupVaultName: 'kept', ResourceArn: arn, IamRoleArn: ROLE };
    expect(await refused('StartBackupJob', { ...right, BackupVaultName: 'none' })).toBe('ResourceNotFoundException');
    expect(await refused('StartBackupJob', { ...right, StartWindowMinutes: 30 })).toBe('InvalidParameterValueException');
    expect(await refused('StartBackupJob', { ...right, ResourceArn: 'arn:aws:s3:::b' })).toBe('InvalidParameterValueException');
    expect(await refused('StartBackupJob', { ...right, IamRoleArn: undefined })).toBe('MissingParameterValueException');
    await call('UpdateRegionSettings', { ResourceTypeOptInPreference: { EFS: false } });
    expect(await refused('StartBackupJob', right)).toBe('InvalidRequestException');
  });
});

describe('a copy job', () => {
  const asked = (RecoveryPointArn: string, more: object = {}) => ({
    RecoveryPointArn,
    SourceBackupVaultName: 'kept',
    DestinationBackupVaultArn: `arn:aws:backup:${THERE.region}:${THERE.account}:backup-vault:kept`,
    IamRoleArn: ROLE,
    ...more,
  });

  test('pushes a recovery point with its tags, and not while either region is dark', async () => {
    const { world, call, taken, files, backup } = await setUp();
    files.write('/a', 'hello');
    const { RecoveryPointArn } = await taken({ RecoveryPointTags: { app: 'shop' } });
    const { CopyJobId } = await call('StartCopyJob', asked(RecoveryPointArn, { IdempotencyToken: 't' }));
    expect((await call('StartCopyJob', asked(RecoveryPointArn, { IdempotencyToken: 't' }))).CopyJobId).toBe(CopyJobId);
    world.dark.add(THERE.region);
    await world.clock.advance(60 * MINUTE);
    expect((await call('DescribeCopyJob', { CopyJobId })).CopyJob.State).not.toBe('COMPLETED');
    world.dark.clear();
    await world.clock.advance(60 * MINUTE);
    const { CopyJob } = await call('DescribeCopyJob', { CopyJobId });
    expect(CopyJob.State).toBe('COMPLETED');
    const [copy] = backup(THERE).points();
    expect(copy).toMatchObject({ arn: CopyJob.DestinationRecoveryPointArn, tags: { app: 'shop' }, status: 'COMPLETED' });
    expect(copy!.saved!.files.size).toBe(1);
  });

  test('fails where the vault is not there, or does not take it', async () => {
    const { world, call, taken } = await setUp();
    const { RecoveryPointArn } = await taken();
    const ended = async (more: object) => {
      const { CopyJobId } = await call('StartCopyJob', asked(RecoveryPointArn, more));
      await world.clock.advance(60 * MINUTE);
      return (await call('DescribeCopyJob', { CopyJobId })).CopyJob;
    };
    const elsewhere = { DestinationBackupVaultArn: `arn:aws:backup:${THERE.region}:${THERE.account}:backup-vault:none` };
    expect(await ended(elsewhere)).toMatchObject({ State: 'FAILED', StatusMessage: expect.stringContaining('does not exist') });
    const foreign = { DestinationBackupVaultArn: `arn:aws:backup:${THERE.region}:444455556666:backup-vault:kept` };
    await call('CreateBackupVault', { BackupVaultName: 'kept' }, { ...THERE, account: '444455556666' });
    expect(await ended(foreign)).toMatchObject({ State: 'FAILED', StatusMessage: expect.stringContaining('denied') });
    await call('PutBackupVaultLockConfiguration', { BackupVaultName: 'kept', MinRetentionDays: 7 }, THERE);
    expect((await ended({ Lifecycle: { DeleteAfterDays: 6 } })).State).toBe('FAILED');
    expect((await ended({ Lifecycle: { DeleteAfterDays: 7 } })).State).toBe('COMPLETED');
  });
});

describe('a restore job', () => {
  test('makes a new file system, or a directory of its own in one that is there', async () => {
    const { world, call, taken, files, efs, arn } = await setUp();
    files.write('/up/a', 'hello');
    const { RecoveryPointArn } = await taken();
    files.write('/up/a', 'changed');
    const { RestoreMetadata } = await call('GetRecoveryPointRestoreMetadata', { BackupVaultName: 'kept', RecoveryPointArn });
    const restored = async (metadata: object, more: object = {}) => {
      const Metadata = { ...RestoreMetadata, ...metadata };
      const { RestoreJobId } = await call('StartRestoreJob', { RecoveryPointArn, Metadata, IamRoleArn: ROLE, ...more });
      await world.clock.advance(60 * MINUTE);
      return call('DescribeRestoreJob', { RestoreJobId });
    };
    const fresh = { newFileSystem: 'true', CreationToken: 'fresh' };
    const made = await restored(fresh, { IdempotencyToken: 't' });
    expect(made).toMatchObject({ Status: 'COMPLETED', CreatedResourceArn: expect.stringContaining('file-system/fs-') });
    expect((await restored(fresh, { IdempotencyToken: 't' })).RestoreJobId).toBe(made.RestoreJobId);
    const there = efs().files(made.CreatedResourceArn.split('/')[1]);
    expect(there.list()).toEqual(['/up/a']);
    expect(Buffer.from(there.read('/up/a')!).toString()).toBe('hello');
    expect(await restored(fresh)).toMatchObject({ Status: 'FAILED', StatusMessage: expect.stringContaining('already exists') });
    expect(await restored({})).toMatchObject({ Status: 'COMPLETED', CreatedResourceArn: arn });
    expect(files.list()).toEqual([expect.stringMatching(/^\/aws-backup-restore_.*Z\/up\/a$/), '/up/a']);
    expect(Buffer.from(files.read('/up/a')!).toString()).toBe('changed');
    const some = await restored({ ...fresh, CreationToken: 'some', itemsToRestore: '["/none"]' });
    expect(efs().files(some.CreatedResourceArn.split('/')[1]).list()).toEqual([]);
  });

  test('is refused without what a file system needs', async () => {
    const { refused, taken } = await setUp();
    const { RecoveryPointArn } = await taken();
    const asked = { RecoveryPointArn, IamRoleArn: ROLE };
    expect(await refused('StartRestoreJob', { ...asked, Metadata: {} })).toBe('InvalidParameterValueException');
    expect(await refused('StartRestoreJob', { ...asked, RecoveryPointArn: 'arn:aws:backup:x', Metadata: {} })).toBe(
      'ResourceNotFoundException',
    );
  });
});

describe('a vault', () => {
  test('is made once, listed, has a policy, and is deleted empty', async () => {
    const { call, refused, taken } = await setUp();
    expect(await refused('CreateBackupVault', { BackupVaultName: 'kept' })).toBe('AlreadyExistsException');
    expect(await refused('GetBackupVaultAccessPolicy', { BackupVaultName: 'kept' })).toBe('ResourceNotFoundException');
    const Statement = { Effect: 'Deny', Principal: '*', Action: 'backup:DeleteRecoveryPoint', Resource: '*' };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
    await call('PutBackupVaultAccessPolicy', { BackupVaultName: 'kept', Policy });
    expect((await call('GetBackupVaultAccessPolicy', { BackupVaultName: 'kept' })).Policy).toBe(Policy);
    const { RecoveryPointArn } = await taken();
    const point = { BackupVaultName: 'kept', RecoveryPointArn };
    expect(await refused('DeleteRecoveryPoint', point)).toBe('AccessDeniedException');
    expect((await call('ListBackupVaults')).BackupVaultList).toMatchObject([
      { BackupVaultName: 'kept', NumberOfRecoveryPoints: 1 },
    ]);
    expect(await refused('DeleteBackupVault', { BackupVaultName: 'kept' })).toBe('InvalidRequestException');
  });

  test('that is locked lets nothing go before its retention ends, and then AWS deletes it', async () => {
    const { world, call, refused, taken } = await setUp();
    const lock = { BackupVaultName: 'kept', MinRetentionDays: 7, ChangeableForDays: 3 };
    expect(await refused('PutBackupVaultLockConfiguration', { ...lock, ChangeableForDays: 2 })).toBe(
      'InvalidParameterValueException',
    );
    await call('PutBackupVaultLockConfiguration', lock);
    const { RecoveryPointArn } = await taken({ Lifecycle: { DeleteAfterDays: 7 } });
    const point = { BackupVaultName: 'kept', RecoveryPointArn };
    expect(await refused('DeleteRecoveryPoint', point)).toBe('InvalidRequestException');
    await world.clock.advance(4 * DAY);
    expect(await refused('DeleteBackupVaultLockConfiguration', { BackupVaultName: 'kept' })).toBe('InvalidRequestException');
    const shorter = { ...point, Lifecycle: { DeleteAfterDays: 2 } };
    expect(await refused('UpdateRecoveryPointLifecycle', shorter)).toBe('InvalidRequestException');
    await call('UpdateRecoveryPointLifecycle', { ...point, Lifecycle: { DeleteAfterDays: 10 } });
    await world.clock.advance(5 * DAY);
    expect((await call('DescribeRecoveryPoint', point)).Status).toBe('COMPLETED');
    await world.clock.advance(2 * DAY);
    expect(await refused('DescribeRecoveryPoint', point)).toBe('ResourceNotFoundException');
  });
});
